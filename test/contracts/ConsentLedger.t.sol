// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {ConsentRegistry} from "../../contracts/ConsentRegistry.sol";
import {IConsentRegistry} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Draw, vm} from "./Vm.sol";

/// @dev The registry without its signatures: messages with any issue time, as relayers would bring them.
contract RelayedLedger is ConsentRegistry {
    function relayGrant(address grantor, bytes32 consentId, uint48 issuedAt) external {
        _grant(grantor, consentId, issuedAt);
    }

    function relayRevoke(address grantor, bytes32 consentId) external {
        _revoke(grantor, consentId);
    }

    function relayRevokeAll(address grantor, uint48 issuedAt) external {
        _revokeAll(grantor, issuedAt);
    }
}

contract ConsentLedgerTest {
    using Draw for Draw.Source;

    enum Kind {
        Grant,
        Revoke,
        RevokeAll
    }

    struct Message {
        Kind kind;
        bytes32 consentId;
        uint48 issuedAt;
    }

    address private constant PATIENT = address(0xA11CE);
    uint48 private constant START = 1_800_000_000;

    /// @dev Messages commute: in whatever order they come, and at whatever later time, the same consents are active.
    function testFuzz_messages_commute(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Message[] memory messages = new Message[](source.between(2, 12));
        for (uint256 i = 0; i < messages.length; i++) messages[i] = _message(source);
        RelayedLedger one = new RelayedLedger();
        RelayedLedger other = new RelayedLedger();

        _relay(one, messages, source);
        for (uint256 i = messages.length - 1; i > 0; i--) {
            uint256 j = source.between(0, i);
            (messages[i], messages[j]) = (messages[j], messages[i]);
        }
        _relay(other, messages, source);

        require(one.endedBefore(PATIENT) == other.endedBefore(PATIENT), "endedBefore differs");
        for (uint256 id = 0; id < 3; id++) {
            bool active = one.isActive(PATIENT, bytes32(id));
            require(active == other.isActive(PATIENT, bytes32(id)), "isActive differs");
            require(active == _expected(messages, bytes32(id)), "not what the messages say together");
        }
    }

    /// @dev Clients put rebuilt state into these very slots.
    function testFuzz_layout_isPinned(address grantor, bytes32 consentId, uint32 delay) external {
        RelayedLedger ledger = new RelayedLedger();
        uint48 grantedAt = START + delay;
        uint48 revokedAt = grantedAt + 100;

        vm.warp(grantedAt);
        ledger.relayRevokeAll(grantor, START - 10);
        ledger.relayGrant(grantor, consentId, START - 5);
        bytes32 slot = keccak256(abi.encode(consentId, keccak256(abi.encode(grantor, uint256(0)))));
        uint256 granted = uint256(START - 5) | (uint256(grantedAt) << 48);
        require(uint256(vm.load(address(ledger), slot)) == granted, "entry after grant");

        vm.warp(revokedAt);
        ledger.relayRevoke(grantor, consentId);
        uint256 revoked = granted | (uint256(revokedAt) << 96);
        require(uint256(vm.load(address(ledger), slot)) == revoked, "entry after revoke");

        slot = keccak256(abi.encode(grantor, uint256(1)));
        require(uint256(vm.load(address(ledger), slot)) == START - 10, "endedBefore");
    }

    function testFuzz_entryOf_readsTheSlot(address grantor, bytes32 consentId, uint32 delay) external {
        RelayedLedger ledger = new RelayedLedger();
        vm.warp(START + uint48(delay));
        ledger.relayGrant(grantor, consentId, START);
        vm.warp(START + uint48(delay) + 1);
        ledger.relayRevoke(grantor, consentId);
        (uint48 issuedAt, uint48 grantedAt, uint48 revokedAt) = ledger.entryOf(grantor, consentId);
        require(issuedAt == START, "issuedAt");
        require(grantedAt == START + uint48(delay), "grantedAt");
        require(revokedAt == START + uint48(delay) + 1, "revokedAt");
    }

    /// @dev What one grantor does is nothing to another who uses the same id.
    function testFuzz_grantors_areApart(address alice, address mallory, bytes32 consentId) external {
        vm.assume(alice != mallory);
        RelayedLedger ledger = new RelayedLedger();
        vm.warp(START);
        ledger.relayRevoke(mallory, consentId);
        ledger.relayRevokeAll(mallory, START);
        require(!ledger.isActive(alice, consentId), "active before any grant");
        ledger.relayGrant(alice, consentId, START);
        require(ledger.isActive(alice, consentId), "stopped by another");
        require(!ledger.isActive(mallory, consentId), "granted for another");
    }

    /// @dev The time of a grant marks that there is one, and 1 is a time too.
    function test_isActive_fromTheFirstSecond() external {
        RelayedLedger ledger = new RelayedLedger();
        vm.warp(1);
        ledger.relayGrant(PATIENT, bytes32(0), 1);
        require(ledger.isActive(PATIENT, bytes32(0)), "not active");
    }

    function testFuzz_issueTime_boundedByClock(uint48 issuedAt, bool near) external {
        if (near) issuedAt = START + 15 minutes - 1 + (issuedAt % 3);
        RelayedLedger ledger = new RelayedLedger();
        vm.warp(START);
        bool inFuture = issuedAt > START + 15 minutes;
        bytes memory problem = abi.encodeWithSelector(
            IConsentRegistry.ConsentIssuedInFuture.selector,
            issuedAt,
            START + 15 minutes
        );
        if (inFuture) vm.expectRevert(problem);
        ledger.relayRevokeAll(PATIENT, issuedAt);
        require(ledger.endedBefore(PATIENT) == (inFuture ? 0 : issuedAt), "endedBefore");
        if (inFuture) vm.expectRevert(problem);
        else vm.expectRevert(_beforeRevokeAll(issuedAt, issuedAt));
        ledger.relayGrant(PATIENT, bytes32(0), issuedAt);
    }

    function _beforeRevokeAll(uint48 issuedAt, uint48 endedBefore) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IConsentRegistry.ConsentIssuedBeforeRevokeAll.selector, issuedAt, endedBefore);
    }

    function _message(Draw.Source memory source) private pure returns (Message memory) {
        return
            Message({
                kind: Kind(source.between(0, 2)),
                consentId: bytes32(source.between(0, 2)),
                issuedAt: uint48(START + source.between(0, 4))
            });
    }

    /// @dev Each ledger lives in its own time; a refused message changes nothing and stays refused.
    function _relay(RelayedLedger ledger, Message[] memory messages, Draw.Source memory source) private {
        uint256 time = START + source.between(0, 4);
        for (uint256 i = 0; i < messages.length; i++) {
            vm.warp(time += source.between(0, 1000));
            Message memory message = messages[i];
            if (message.kind == Kind.Grant) {
                try ledger.relayGrant(PATIENT, message.consentId, message.issuedAt) {} catch {}
            } else if (message.kind == Kind.Revoke) {
                ledger.relayRevoke(PATIENT, message.consentId);
            } else {
                ledger.relayRevokeAll(PATIENT, message.issuedAt);
            }
        }
    }

    /// @dev The rule without any order: never revoked, and some grant is newer than every `revokeAll`.
    function _expected(Message[] memory messages, bytes32 consentId) private pure returns (bool) {
        uint48 issuedAt = 0;
        uint48 ended = 0;
        for (uint256 i = 0; i < messages.length; i++) {
            Message memory message = messages[i];
            if (message.kind == Kind.RevokeAll) {
                if (message.issuedAt > ended) ended = message.issuedAt;
            } else if (message.consentId == consentId) {
                if (message.kind == Kind.Revoke) return false;
                if (message.issuedAt > issuedAt) issuedAt = message.issuedAt;
            }
        }
        return issuedAt > ended;
    }
}
