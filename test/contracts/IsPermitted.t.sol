// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {ConsentRegistry} from "../../contracts/ConsentRegistry.sol";
import {IConsentRegistry} from "../../contracts/interfaces/IConsentRegistry.sol";
import {PlainMerkle} from "./Merkle.t.sol";
import {Draw, vm} from "./Vm.sol";

/// @dev Draws a chain that permits a request by construction, then makes one thing wrong with everything else still right:
/// ids, parents and grants are made after the change, so that only the changed rule can be what refuses.
contract IsPermittedTest {
    using Draw for Draw.Source;

    struct Case {
        IConsentRegistry.Link[] chain;
        address grantee;
        uint16 action;
        string purpose;
        bytes32 stream;
        uint48 dataTime;
        uint48 time;
    }

    uint16 private constant READ = 1;
    uint16 private constant WRITE = 4;
    uint16 private constant SHARE = 32;
    uint16 private constant DELEGATE = 64;
    uint48 private constant START = 1_800_000_000;

    ConsentRegistry private _registry;

    function setUp() external {
        _registry = new ConsentRegistry();
    }

    function testFuzz_isPermitted_insideEveryBound(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, source.between(1, 4));
        _grantAll(one.chain);
        require(_ask(one), "refused");
    }

    function testFuzz_isPermitted_onlyInsidePeriod(uint256 seed, uint48 time) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, source.between(1, 4));
        _grantAll(one.chain);
        IConsentRegistry.Consent memory last = _last(one).consent;
        one.time = source.between(0, 1) == 0 ? time : uint48(source.between(START - 1, START + 1000));
        require(_ask(one) == (one.time >= last.periodStart && one.time < last.periodEnd), "period");
    }

    function testFuzz_isPermitted_onlyInsideDataWindow(uint256 seed, uint48 dataTime) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, source.between(1, 4));
        _grantAll(one.chain);
        IConsentRegistry.Consent memory last = _last(one).consent;
        one.dataTime = source.between(0, 1) == 0 ? dataTime : uint48(source.between(0, 1000));
        require(_ask(one) == (one.dataTime >= last.dataStart && one.dataTime < last.dataEnd), "data window");
    }

    function testFuzz_isPermitted_notWithOneThingAsked(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, source.between(1, 4));
        _grantAll(one.chain);
        uint256 what = source.between(0, 7);
        if (what == 0) one.action = 0;
        if (what == 1) one.action |= WRITE;
        if (what == 2) one.action = WRITE;
        if (what == 3) one.purpose = "HPAYMT";
        if (what == 4) one.stream = source.word();
        if (what == 5) one.grantee = one.chain[0].consent.grantor;
        if (what == 6) one.chain = new IConsentRegistry.Link[](0);
        if (what == 7) one.stream = one.chain[0].consent.scope ^ bytes32(uint256(1));
        require(!_ask(one), "permitted");
    }

    /// @dev Even when the consent says so itself.
    function testFuzz_isPermitted_neverAnEmptyRequest(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, 1);
        IConsentRegistry.Consent memory consent = one.chain[0].consent;
        uint256 what = source.between(0, 4);
        if (what == 0) (consent.grantee, one.grantee) = (address(0), address(0));
        if (what == 1) (consent.purpose, one.purpose) = ("", "");
        if (what == 2) (consent.scope, one.stream, one.chain[0].streams) = (0, 0, new bytes32[](0));
        if (what == 3) (consent.actions, one.action) = (128, 128);
        if (what == 4) (consent.actions, one.action) = (0, 0);
        _grantAll(one.chain);
        require(!_ask(one), "permitted");
    }

    function testFuzz_isPermitted_notWithOneLinkEnded(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, source.between(1, 4));
        uint256 which = source.between(0, one.chain.length - 1);
        _grantAll(one.chain);
        IConsentRegistry.Consent memory consent = one.chain[which].consent;
        bytes32 id = _registryId(consent);
        vm.prank(consent.grantor);
        if (source.between(0, 1) == 0) _registry.revokeAll();
        else _registry.revoke(id);
        require(!_ask(one), "permitted");
    }

    function testFuzz_isPermitted_notWithOneLinkNeverGranted(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, source.between(1, 4));
        uint256 which = source.between(0, one.chain.length - 1);
        _grantAll(one.chain);
        one.chain[which].consent.salt = source.word();
        for (uint256 i = which + 1; i < one.chain.length; i++) {
            IConsentRegistry.Consent memory child = one.chain[i].consent;
            child.parent = _registryId(one.chain[i - 1].consent);
            _grant(child);
        }
        require(!_ask(one), "permitted");
    }

    function testFuzz_isPermitted_notWhenALinkIsWiderThanItsParent(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, source.between(2, 4));
        uint256 which = source.between(1, one.chain.length - 1);
        _widen(one.chain[which], one.chain[which - 1], source.between(0, 9));
        _grantAll(one.chain);
        require(!_ask(one), "permitted");
    }

    function testFuzz_isPermitted_notWithAnotherParent(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, source.between(1, 4));
        _grantAll(one.chain);
        IConsentRegistry.Consent memory last = _last(one).consent;
        last.parent = source.word();
        _grant(last);
        require(!_ask(one), "permitted");
    }

    function testFuzz_isPermitted_notWithFiveLinks(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, 5);
        _grantAll(one.chain);
        require(!_ask(one), "permitted");
    }

    function testFuzz_isPermitted_notWithAnotherListOfStreams(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        Case memory one = _case(source, 1);
        bytes32[] memory streams = _streams(source, source.between(2, 6));
        one.stream = streams[source.between(0, streams.length - 1)];
        uint256 what = source.between(0, 3);
        if (what == 0) (streams[0], streams[1]) = (streams[1], streams[0]);
        if (what == 1) streams[1] = streams[0];
        one.stream = streams[0];
        one.chain[0].streams = streams;
        one.chain[0].consent.scope = PlainMerkle.root(streams);
        if (what == 2) one.chain[0].streams = PlainMerkle.slice(streams, 0, streams.length - 1);
        if (what == 3) one.chain[0].consent.scope = source.word();
        _grantAll(one.chain);
        require(!_ask(one), "permitted");
    }

    /// @dev The same change that `testFuzz_isPermitted_notWhenALinkIsWiderThanItsParent` shows to be refused, one for each rule.
    function _widen(
        IConsentRegistry.Link memory child,
        IConsentRegistry.Link memory parent,
        uint256 what
    ) private pure {
        IConsentRegistry.Consent memory inner = child.consent;
        IConsentRegistry.Consent memory outer = parent.consent;
        if (what == 0) inner.dataStart = outer.dataStart - 1;
        if (what == 1) inner.dataEnd = outer.dataEnd + 1;
        if (what == 2) inner.periodStart = outer.periodStart - 1;
        if (what == 3) inner.periodEnd = outer.periodEnd + 1;
        if (what == 4) inner.actions |= WRITE;
        if (what == 5) outer.actions &= ~(SHARE | DELEGATE);
        if (what == 5) inner.actions &= ~(SHARE | DELEGATE);
        if (what == 6) outer.purpose = "ETREAT";
        if (what == 7) outer.grantee = address(0xBAD);
        if (what == 8) inner.grantor = address(0xBAD);
        if (what == 9) {
            // A stream of nobody's beside the one asked for: still the right list for its scope, but not the parent's.
            bytes32[] memory streams = new bytes32[](2);
            streams[0] = bytes32(uint256(1));
            streams[1] = child.streams.length == 0 ? inner.scope : child.streams[0];
            child.streams = streams;
            inner.scope = PlainMerkle.root(streams);
        }
    }

    function _case(Draw.Source memory source, uint256 links) private pure returns (Case memory one) {
        one.chain = new IConsentRegistry.Link[](links);
        bytes32[] memory streams = _streams(source, source.between(1, 6));
        IConsentRegistry.Consent memory outer;
        (outer.dataStart, outer.dataEnd) = (1, 1000);
        (outer.periodStart, outer.periodEnd) = (START, START + 1000);
        outer.actions = READ | SHARE | DELEGATE;
        for (uint256 i = 0; i < links; i++) {
            IConsentRegistry.Consent memory inner = one.chain[i].consent;
            inner.grantor = address(uint160(0x1000 + i));
            inner.grantee = address(uint160(0x1001 + i));
            inner.purpose = "TREAT";
            (inner.dataStart, inner.dataEnd) = _within(source, outer.dataStart, outer.dataEnd);
            (inner.periodStart, inner.periodEnd) = _within(source, outer.periodStart, outer.periodEnd);
            inner.actions = outer.actions;
            if (inner.actions == READ | SHARE | DELEGATE && source.between(0, 1) == 0) {
                inner.actions = READ | (source.between(0, 1) == 0 ? SHARE : DELEGATE);
            }
            inner.salt = source.word();
            inner.statement = "one sentence";
            streams = _some(source, streams);
            if (streams.length == 1 && source.between(0, 1) == 0) {
                inner.scope = streams[0];
            } else {
                one.chain[i].streams = streams;
                inner.scope = PlainMerkle.root(streams);
            }
            outer = inner;
        }
        one.grantee = outer.grantee;
        one.action = source.between(0, 1) == 0 ? READ : outer.actions;
        one.purpose = "TREAT";
        one.stream = streams[source.between(0, streams.length - 1)];
        one.dataTime = uint48(source.between(outer.dataStart, outer.dataEnd - 1));
        one.time = uint48(source.between(outer.periodStart, outer.periodEnd - 1));
    }

    function _grantAll(IConsentRegistry.Link[] memory chain) private {
        for (uint256 i = 0; i < chain.length; i++) {
            if (i > 0) chain[i].consent.parent = _registryId(chain[i - 1].consent);
            _grant(chain[i].consent);
        }
    }

    function _grant(IConsentRegistry.Consent memory consent) private {
        bytes32 id = _registryId(consent);
        vm.warp(START);
        vm.prank(consent.grantor);
        _registry.grant(id);
    }

    function _ask(Case memory one) private returns (bool) {
        vm.warp(one.time);
        return _registry.isPermitted(one.chain, one.grantee, one.action, one.purpose, one.stream, one.dataTime);
    }

    function _registryId(IConsentRegistry.Consent memory consent) private view returns (bytes32) {
        return _registry.consentIdOf(consent);
    }

    function _last(Case memory one) private pure returns (IConsentRegistry.Link memory) {
        return one.chain[one.chain.length - 1];
    }

    /// @dev A half-open window of at least one second within another, touching its ends now and then.
    function _within(
        Draw.Source memory source,
        uint48 low,
        uint48 high
    ) private pure returns (uint48 start, uint48 end) {
        start = source.between(0, 2) == 0 ? low : uint48(source.between(low, high - 1));
        end = source.between(0, 2) == 0 ? high : uint48(source.between(start + 1, high));
    }

    function _streams(Draw.Source memory source, uint256 count) private pure returns (bytes32[] memory streams) {
        streams = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            streams[i] = source.word();
            for (uint256 j = i; j > 0 && streams[j] < streams[j - 1]; j--) {
                (streams[j], streams[j - 1]) = (streams[j - 1], streams[j]);
            }
        }
    }

    /// @dev A part of an ascending list, not empty, still ascending.
    function _some(Draw.Source memory source, bytes32[] memory all) private pure returns (bytes32[] memory part) {
        for (uint256 i = 0; i < all.length; i++) {
            if (source.between(0, 2) != 0) part = PlainMerkle.append(part, all[i]);
        }
        if (part.length == 0) part = PlainMerkle.slice(all, 0, 1);
    }
}
