// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {PartyRegistry} from "../../contracts/PartyRegistry.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {PartyStanding} from "../../contracts/libraries/PartyStanding.sol";
import {RoleTable} from "./mocks/RoleTable.sol";
import {Draw, vm} from "./Vm.sol";

/// @dev Invariants P1 to P8 of test/invariants/parties-and-emergencies.md.
contract PartyRegistryTest {
    using Draw for Draw.Source;

    struct Proposal {
        bytes32 key;
        uint48 since;
        bool dropped;
        bool retired;
    }

    /// @dev What the calls that were accepted have said of a party.
    struct Said {
        uint48 validUntil;
        IPartyRegistry.Kind kind;
        bool accredited;
        bool suspended;
        bool revoked;
    }

    /// @dev How a party stood at a time, seen when that time was over.
    struct Seen {
        address party;
        uint48 time;
        IPartyRegistry.Status status;
    }

    address private constant REGISTRAR = address(0x1001);
    address private constant PROTECTOR = address(0x1002);
    address private constant OFFICER = address(0x1003);
    uint48 private constant START = 1_800_000_000;
    uint48 private constant LONGEST = 3 * 365 days;
    uint256 private constant STEPS = 40;

    PartyRegistry private _registry;
    address[5] private _everybody = [REGISTRAR, PROTECTOR, OFFICER, address(0xA), address(0xB)];
    mapping(address party => Said said) private _said;
    mapping(address party => Proposal[] proposals) private _proposals;
    Seen[] private _seen;

    function setUp() external {
        RoleTable roles = new RoleTable();
        _registry = new PartyRegistry(address(roles));
        roles.allow(REGISTRAR, address(_registry), IPartyRegistry.accredit.selector);
        roles.allow(PROTECTOR, address(_registry), IPartyRegistry.suspend.selector);
        roles.allow(PROTECTOR, address(_registry), IPartyRegistry.revoke.selector);
        roles.allow(OFFICER, address(_registry), IPartyRegistry.resume.selector);
        vm.warp(START);
    }

    function testFuzz_standing_isPackedWithoutLoss(uint8 mark, uint8 kind, uint48 validUntil) external pure {
        PartyStanding.Standing memory standing = PartyStanding.Standing({
            mark: PartyStanding.Mark(mark % 4),
            kind: IPartyRegistry.Kind(kind % 7),
            validUntil: validUntil
        });
        PartyStanding.Standing memory back = PartyStanding.unpack(PartyStanding.pack(standing));
        require(keccak256(abi.encode(back)) == keccak256(abi.encode(standing)), "lost");
    }

    function testFuzz_status_isAccreditedOnlyWhenGoodAndInTerm(
        uint8 mark,
        uint48 validUntil,
        uint48 time
    ) external pure {
        PartyStanding.Standing memory standing = PartyStanding.Standing({
            mark: PartyStanding.Mark(mark % 4),
            kind: IPartyRegistry.Kind.Clinician,
            validUntil: validUntil
        });
        IPartyRegistry.Status status = PartyStanding.statusAt(standing, time);
        bool good = standing.mark == PartyStanding.Mark.Good;
        require((status == IPartyRegistry.Status.Accredited) == (good && time < validUntil), "accredited");
        require((status == IPartyRegistry.Status.Expired) == (good && time >= validUntil), "expired");
    }

    function testFuzz_accredit_boundsItsTerm(uint48 validUntil) external {
        vm.prank(REGISTRAR);
        (bool done, ) = address(_registry).call(
            abi.encodeCall(IPartyRegistry.accredit, (address(0xA), IPartyRegistry.Kind.Insurer, validUntil, "digest"))
        );
        require(done == (validUntil > START && validUntil <= START + LONGEST), "term");
    }

    function testFuzz_hostile_sequences(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        for (uint256 step = 0; step < STEPS; step++) {
            _wait(source);
            _step(source);
            for (uint256 i = 0; i < _everybody.length; i++) _check(_everybody[i]);
            for (uint256 i = 0; i < _seen.length; i++) {
                require(_registry.statusAt(_seen[i].party, _seen[i].time) == _seen[i].status, "P2: the past changed");
            }
        }
    }

    /// @dev To either side of a bound, mostly.
    function _wait(Draw.Source memory source) private {
        uint48[7] memory waits = [uint48(0), 0, 1, 1 days, 2 days - 1, 2 days, 400 days];
        uint48 wait = waits[source.between(0, 6)];
        if (wait == 0) return;
        address party = _anybody(source);
        _seen.push(Seen(party, _now(), _registry.statusAt(party, _now())));
        uint48 end = _said[party].validUntil;
        if (end > _now() + 1 && source.between(0, 5) == 0) wait = end - _now() - uint48(source.between(0, 1));
        vm.warp(_now() + wait);
    }

    function _step(Draw.Source memory source) private {
        uint256 what = source.between(0, 8);
        address party = _anybody(source);
        address caller = what < 6 && source.between(0, 3) > 0 ? _whoMay(what) : _anybody(source);
        if (what == 0 || what == 4 || what == 5) _accredit(source, caller, party);
        if (what == 1) _suspend(caller, party);
        if (what == 2) _resume(caller, party);
        if (what == 3 && source.between(0, 3) == 0) _revoke(caller, party);
        if (what == 6) _propose(source, caller);
        if (what == 7) _cancel(caller);
        if (what == 8) _retire(source, caller);
    }

    function _accredit(Draw.Source memory source, address caller, address party) private {
        IPartyRegistry.Kind kind = IPartyRegistry.Kind(source.between(0, 2));
        uint48[6] memory terms = [uint48(0), 1, 1 days, 100 days, LONGEST, LONGEST + 1];
        uint48 until = _now() + terms[source.between(0, 5)];
        Said storage said = _said[party];
        bool should = caller == REGISTRAR && kind != IPartyRegistry.Kind.None && until > _now();
        should = should && until <= _now() + LONGEST && !said.suspended && !said.revoked;
        should = should && (!said.accredited || said.kind == kind);
        if (_calls(caller, abi.encodeCall(IPartyRegistry.accredit, (party, kind, until, "digest")), should)) {
            _said[party] = Said(until, kind, true, false, false);
        }
    }

    function _suspend(address caller, address party) private {
        bool should = caller == PROTECTOR && _said[party].accredited;
        if (_calls(caller, abi.encodeCall(IPartyRegistry.suspend, (party)), should)) _said[party].suspended = true;
    }

    function _resume(address caller, address party) private {
        bool should = caller == OFFICER && _said[party].suspended && !_said[party].revoked;
        if (_calls(caller, abi.encodeCall(IPartyRegistry.resume, (party)), should)) _said[party].suspended = false;
    }

    function _revoke(address caller, address party) private {
        bool should = caller == PROTECTOR && _said[party].accredited;
        if (_calls(caller, abi.encodeCall(IPartyRegistry.revoke, (party)), should)) _said[party].revoked = true;
    }

    function _propose(Draw.Source memory source, address caller) private {
        bytes32 key = source.between(0, 5) == 0 ? bytes32(0) : source.word();
        bytes32 view_ = source.between(0, 9) == 0 ? bytes32(0) : source.word();
        bool should = key != 0 && view_ != 0;
        if (!_calls(caller, abi.encodeCall(IPartyRegistry.proposeKeys, (key, view_)), should)) return;
        (bool pending, uint256 last) = _pending(caller);
        if (pending) _proposals[caller][last].dropped = true;
        _proposals[caller].push(Proposal(key, _now(), false, false));
    }

    function _cancel(address caller) private {
        (bool pending, uint256 last) = _pending(caller);
        if (_calls(caller, abi.encodeCall(IPartyRegistry.cancelKeys, ()), pending)) {
            _proposals[caller][last].dropped = true;
        }
    }

    function _retire(Draw.Source memory source, address caller) private {
        (bool found, uint256 index) = _inForce(caller);
        bytes32 key = found ? _proposals[caller][index].key : bytes32(0);
        bytes32 named = source.between(0, 2) == 0 ? source.word() : key;
        if (_calls(caller, abi.encodeCall(IPartyRegistry.retireKeys, (named)), found && named == key)) {
            _proposals[caller][index].retired = true;
        }
    }

    /// @dev Makes a call, which must be accepted iff it should; a refused one changes nothing (P8).
    function _calls(address caller, bytes memory data, bool should) private returns (bool done) {
        bytes32 before = _digest();
        vm.prank(caller);
        (done, ) = address(_registry).call(data);
        require(done == should, "accepted what it should refuse, or the other way round");
        require(done || _digest() == before, "P8: a refused call has changed something");
    }

    function _check(address party) private view {
        Said memory said = _said[party];
        bool accredited = said.accredited && !said.suspended && !said.revoked && _now() < said.validUntil;
        bool status = _registry.statusAt(party, _now()) == IPartyRegistry.Status.Accredited;
        require(status == accredited, "P1, P4: accredited");
        require(!said.revoked || _registry.statusAt(party, _now()) == IPartyRegistry.Status.Revoked, "P3: revoked");
        for (uint256 kind = 0; kind < 7; kind++) {
            bool expected = accredited && said.kind == IPartyRegistry.Kind(kind);
            require(_registry.isAccredited(party, IPartyRegistry.Kind(kind)) == expected, "P1, P5: kind");
        }
        (bool found, uint256 index) = _inForce(party);
        bytes32 key = found ? _proposals[party][index].key : bytes32(0);
        require(_registry.keysOf(party).hpkeKey == key, "P6, P7: keys in force");
        (bool pending, uint256 last) = _pending(party);
        key = pending ? _proposals[party][last].key : bytes32(0);
        require(_registry.proposedKeysOf(party).hpkeKey == key, "P6, P7: keys proposed");
    }

    /// @dev The last proposal, when its two days are not over.
    function _pending(address party) private view returns (bool pending, uint256 last) {
        uint256 count = _proposals[party].length;
        if (count == 0) return (false, 0);
        last = count - 1;
        Proposal memory proposal = _proposals[party][last];
        pending = !proposal.dropped && _now() < proposal.since + 2 days;
    }

    /// @dev The last proposal that came into force, unless it was retired since.
    function _inForce(address party) private view returns (bool found, uint256 index) {
        for (uint256 left = _proposals[party].length; left > 0; left--) {
            index = left - 1;
            Proposal memory proposal = _proposals[party][index];
            if (!proposal.dropped && _now() >= proposal.since + 2 days) return (!proposal.retired, index);
        }
        return (false, 0);
    }

    /// @dev All that the registry says of everybody.
    function _digest() private view returns (bytes32 digest) {
        for (uint256 i = 0; i < _everybody.length; i++) {
            address party = _everybody[i];
            (IPartyRegistry.Kind kind, uint48 until, bytes32 credential) = _registry.accreditationOf(party);
            bytes memory keys = abi.encode(_registry.keysOf(party), _registry.proposedKeysOf(party));
            IPartyRegistry.Status status = _registry.statusAt(party, _now());
            digest = keccak256(abi.encode(digest, kind, until, credential, keys, status));
        }
    }

    function _whoMay(uint256 what) private pure returns (address) {
        if (what == 1 || what == 3) return PROTECTOR;
        return what == 2 ? OFFICER : REGISTRAR;
    }

    function _anybody(Draw.Source memory source) private view returns (address) {
        return _everybody[source.between(0, 4)];
    }

    function _now() private view returns (uint48) {
        return uint48(block.timestamp);
    }
}
