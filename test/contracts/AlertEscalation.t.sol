// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {AlertRules} from "../../contracts/AlertRules.sol";
import {IAlertRules} from "../../contracts/interfaces/IAlertRules.sol";
import {Draw, vm} from "./Vm.sol";

/// @dev Random sequences by hostile gateways, relayers and responders against a model of every slot.
contract AlertEscalationTest {
    using Draw for Draw.Source;

    struct Slot {
        IAlertRules.Stage stage;
        uint48 raisedAt;
        bytes25 digest;
        bytes32 sealedAlert;
        uint256 responderKey;
    }

    uint256 private constant GATEWAYS = 2;
    uint32 private constant SLOTS = 2;
    uint48 private constant START = 1_800_000_000;
    uint48 private constant DEADLINE = 15 minutes;

    AlertRules private _alerts;
    mapping(address gateway => mapping(uint32 slot => Slot state)) private _model;

    /// @dev Digests that were ever acknowledged, so that the invariant on signatures can look back.
    mapping(address gateway => mapping(uint32 slot => mapping(bytes25 digest => uint256 times))) private _signed;

    function setUp() external {
        _alerts = new AlertRules();
    }

    function testFuzz_sequences_followTheModel(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        uint256 time = START;
        for (uint256 i = source.between(10, 40); i > 0; i--) {
            vm.warp(time += source.between(0, 3) == 0 ? source.between(0, 2 * DEADLINE) : source.between(0, 60));
            address gateway = _gateway(source.between(1, GATEWAYS));
            uint32 slot = uint32(source.between(1, SLOTS));
            uint256 act = source.between(0, 9);
            if (act < 4) _raise(source, gateway, slot);
            else if (act < 7) _escalate(source, gateway, slot);
            else _acknowledge(source, gateway, slot);
            _requireAllAsModelled();
        }
    }

    /// @dev An alert raised in a slot can only leave it acknowledged or escalated, and not escalated before its deadline.
    function testFuzz_escalate_onlyAfterTheDeadline(uint32 delay, bytes25 digest, bool near) external {
        if (near) delay = uint32(DEADLINE) - 1 + (delay % 3);
        address gateway = _gateway(1);
        vm.warp(START);
        vm.prank(gateway);
        _alerts.raise(7, digest);
        vm.warp(START + uint256(delay));
        if (delay <= DEADLINE) {
            vm.expectRevert(abi.encodeWithSelector(IAlertRules.AlertDeadlineNotPassed.selector, START + DEADLINE));
        } else {
            vm.expectEmit(true, true, true, true, address(_alerts));
            emit IAlertRules.AlertEscalated(gateway, 7, digest);
        }
        _alerts.escalate(gateway, 7);
    }

    /// @dev A signature counts for one gateway, slot and alert, on one contract and chain.
    function testFuzz_acknowledge_takesNoOtherSignature(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        address gateway = _gateway(1);
        uint256 key = source.between(1, type(uint128).max);
        bytes32 sealedAlert = source.word();
        bytes25 digest = _digest(sealedAlert, vm.addr(key));
        AlertRules other = new AlertRules();
        vm.warp(START);
        for (uint32 slot = 1; slot <= 2; slot++) {
            vm.prank(gateway);
            _alerts.raise(slot, digest);
            vm.prank(_gateway(2));
            _alerts.raise(slot, digest);
        }
        bytes memory good = _sign(address(_alerts), key, gateway, 1, sealedAlert);
        _refuse(gateway, 1, sealedAlert, _sign(address(other), key, gateway, 1, sealedAlert));
        _refuse(gateway, 1, sealedAlert, _sign(address(_alerts), key + 1, gateway, 1, sealedAlert));
        _refuse(gateway, 1, source.word(), good);
        _refuse(gateway, 2, sealedAlert, good);
        _refuse(_gateway(2), 1, sealedAlert, good);
        _refuse(gateway, 1, sealedAlert, "");
        _refuse(gateway, 1, sealedAlert, _highS(good));
        _alerts.acknowledge(gateway, 1, sealedAlert, good);
        (IAlertRules.Stage stage, , ) = _alerts.alertOf(gateway, 1);
        require(stage == IAlertRules.Stage.Acknowledged, "stage");
    }

    /// @dev An alert bound to nobody cannot be acknowledged by a signature that is none.
    function testFuzz_acknowledge_nobodyActsForNobody(bytes32 sealedAlert, bytes calldata signature) external {
        vm.prank(_gateway(1));
        _alerts.raise(1, _digest(sealedAlert, address(0)));
        _refuse(_gateway(1), 1, sealedAlert, signature);
    }

    function _raise(Draw.Source memory source, address gateway, uint32 slot) private {
        Slot storage state = _model[gateway][slot];
        uint256 key = source.between(1, type(uint128).max);
        bytes32 sealedAlert = source.word();
        bytes25 digest = _digest(sealedAlert, vm.addr(key));
        bool open = state.stage == IAlertRules.Stage.Raised;
        if (open) vm.expectRevert(abi.encodeWithSelector(IAlertRules.AlertStillOpen.selector, slot));
        vm.prank(gateway);
        _alerts.raise(slot, digest);
        if (!open) _model[gateway][slot] = Slot(IAlertRules.Stage.Raised, _now(), digest, sealedAlert, key);
    }

    function _escalate(Draw.Source memory source, address gateway, uint32 slot) private {
        Slot storage state = _model[gateway][slot];
        bool due = _now() > state.raisedAt + DEADLINE;
        if (state.stage != IAlertRules.Stage.Raised) {
            vm.expectRevert(_notOpen(gateway, slot, state.stage));
        } else if (!due) {
            vm.expectRevert(
                abi.encodeWithSelector(IAlertRules.AlertDeadlineNotPassed.selector, state.raisedAt + DEADLINE)
            );
        }
        vm.prank(address(uint160(uint256(source.word()))));
        _alerts.escalate(gateway, slot);
        if (state.stage == IAlertRules.Stage.Raised && due) state.stage = IAlertRules.Stage.Escalated;
    }

    /// @dev By the responder of this slot, of an earlier alert, or by somebody else.
    function _acknowledge(Draw.Source memory source, address gateway, uint32 slot) private {
        Slot storage state = _model[gateway][slot];
        bool open = state.stage == IAlertRules.Stage.Raised || state.stage == IAlertRules.Stage.Escalated;
        bool forged = source.between(0, 2) == 0;
        uint256 key = forged || !open ? source.between(1, type(uint128).max) : state.responderKey;
        bytes memory signature = _sign(address(_alerts), key, gateway, slot, state.sealedAlert);
        if (!open) vm.expectRevert(_notOpen(gateway, slot, state.stage));
        else if (forged) vm.expectRevert(abi.encodeWithSelector(IAlertRules.AlertAcknowledgementInvalid.selector));
        _alerts.acknowledge(gateway, slot, state.sealedAlert, signature);
        if (!open || forged) return;
        state.stage = IAlertRules.Stage.Acknowledged;
        require(++_signed[gateway][slot][state.digest] == 1, "acknowledged twice");
    }

    function _requireAllAsModelled() private view {
        for (uint256 i = 1; i <= GATEWAYS; i++) {
            for (uint32 slot = 1; slot <= SLOTS; slot++) {
                address gateway = _gateway(i);
                (IAlertRules.Stage stage, uint48 raisedAt, bytes25 digest) = _alerts.alertOf(gateway, slot);
                Slot storage state = _model[gateway][slot];
                require(stage == state.stage, "stage");
                require(raisedAt == state.raisedAt, "raisedAt");
                require(digest == state.digest, "digest");
            }
        }
    }

    function _refuse(address gateway, uint32 slot, bytes32 sealedAlert, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(IAlertRules.AlertAcknowledgementInvalid.selector));
        _alerts.acknowledge(gateway, slot, sealedAlert, signature);
    }

    function _notOpen(address gateway, uint32 slot, IAlertRules.Stage stage) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAlertRules.AlertNotOpen.selector, gateway, slot, stage);
    }

    function _sign(
        address verifier,
        uint256 key,
        address gateway,
        uint32 slot,
        bytes32 sealedAlert
    ) private view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("MedSeal AlertRules"),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        bytes32 typeHash = keccak256("Acknowledge(address gateway,uint32 slot,bytes32 sealedAlert)");
        bytes32 message = keccak256(abi.encode(typeHash, gateway, slot, sealedAlert));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", domain, message)));
        return abi.encodePacked(r, s, v);
    }

    /// @dev The other signature of the same key and message, which must not count.
    function _highS(bytes memory signature) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = (bytes32(0), bytes32(0));
        for (uint256 i = 0; i < 32; i++) {
            r |= bytes32(signature[i]) >> (8 * i);
            s |= bytes32(signature[32 + i]) >> (8 * i);
        }
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        return abi.encodePacked(r, bytes32(order - uint256(s)), uint8(signature[64]) == 27 ? 28 : 27);
    }

    function _digest(bytes32 sealedAlert, address responder) private pure returns (bytes25) {
        return bytes25(keccak256(abi.encodePacked(sealedAlert, responder)));
    }

    function _gateway(uint256 number) private pure returns (address) {
        return address(uint160(0x6A7E0 + number));
    }

    function _now() private view returns (uint48) {
        return uint48(block.timestamp);
    }
}
