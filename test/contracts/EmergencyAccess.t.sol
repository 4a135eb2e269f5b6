// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {EmergencyAccess} from "../../contracts/EmergencyAccess.sol";
import {PartyRegistry} from "../../contracts/PartyRegistry.sol";
import {IEmergencyAccess} from "../../contracts/interfaces/IEmergencyAccess.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {EmergencyTerms} from "../../contracts/libraries/EmergencyTerms.sol";
import {RoleTable} from "./mocks/RoleTable.sol";
import {Draw, vm} from "./Vm.sol";

contract EmergencyTermsTest {
    function testFuzz_endOf_isNeverLaterThanFourHours(uint32 declaredAt, uint48 term) external pure {
        uint48 end = EmergencyTerms.endOf(declaredAt, term);
        require(end >= declaredAt && end <= uint48(declaredAt) + 4 hours, "term");
        require(!EmergencyTerms.isAllowed(term) || end == declaredAt + term, "an allowed term is kept");
    }

    function testFuzz_isAllowed_oneSecondToFourHours(uint48 term) external pure {
        require(EmergencyTerms.isAllowed(term) == (term >= 1 && term <= 14_400), "bounds");
    }

    function test_isAllowed_atItsBounds() external pure {
        require(!EmergencyTerms.isAllowed(0) && EmergencyTerms.isAllowed(1), "low");
        require(EmergencyTerms.isAllowed(14_400) && !EmergencyTerms.isAllowed(14_401), "high");
    }

    function testFuzz_isOverdue_fromFourteenDays(uint32 oldest, uint48 age) external pure {
        age = age % 100 days;
        bool overdue = EmergencyTerms.isOverdue(oldest, oldest + age);
        require(overdue == (oldest != 0 && age >= 14 days), "overdue");
        uint48 dueAt = EmergencyTerms.reviewDueAt(oldest);
        require((dueAt == 0) == (oldest == 0), "nothing due");
        require(oldest == 0 || overdue == (uint256(oldest) + age >= dueAt), "due");
    }

    function testFuzz_weekOf_changesEverySevenDays(uint32 time) external pure {
        uint32 week = EmergencyTerms.weekOf(time);
        require(EmergencyTerms.weekOf(uint48(time) + 7 days) == week + 1, "next");
        require(uint256(week) * 7 days <= time && time < uint256(week + 1) * 7 days, "in it");
    }
}

/// @dev Invariants E1 to E7 of test/invariants/parties-and-emergencies.md.
contract EmergencyAccessTest {
    using Draw for Draw.Source;

    /// @dev An emergency as the call that was accepted has said it.
    struct Said {
        address declarant;
        bytes32 commitment;
        address coSigner;
        address organisation;
        uint48 declaredAt;
        uint48 endsAt;
        bool reviewed;
    }

    struct Asked {
        address caller;
        address organisation;
        bytes32 commitment;
        uint48 term;
        uint256 coSigner;
        uint48 deadline;
        uint256 signer;
        uint48 signedTerm;
    }

    address private constant REVIEWER = address(0x2001);
    address private constant PROTECTOR = address(0x2002);
    address private constant OFFICER = address(0x2003);
    uint256 private constant CLINICIANS = 3;
    uint48 private constant START = 1_800_000_000;
    uint256 private constant STEPS = 50;

    EmergencyAccess private _access;
    PartyRegistry private _parties;
    address private _authority;
    address[2] private _organisations = [address(0x3001), address(0x3002)];
    Said[] private _saids;
    mapping(address organisation => mapping(address clinician => bool onTeam)) private _team;
    mapping(address account => bool suspended) private _suspended;
    mapping(address party => bool suspended) private _unaccredited;
    mapping(address organisation => uint32 quota) private _quota;

    function setUp() external {
        vm.warp(START);
        RoleTable roles = new RoleTable();
        _parties = new PartyRegistry(address(roles));
        _access = new EmergencyAccess(address(roles), _parties);
        roles.allow(REVIEWER, address(_access), IEmergencyAccess.review.selector);
        // Two who break the rules: a clinician who reviews,
        roles.allow(vm.addr(1), address(_access), IEmergencyAccess.review.selector);
        // and whoever has the authority call.
        _authority = address(roles);
        roles.allow(_authority, address(_access), IEmergencyAccess.review.selector);
        roles.allow(PROTECTOR, address(_access), IEmergencyAccess.suspend.selector);
        roles.allow(OFFICER, address(_access), IEmergencyAccess.reinstate.selector);
        roles.allow(OFFICER, address(_access), IEmergencyAccess.setQuota.selector);
        roles.allow(PROTECTOR, address(_parties), IPartyRegistry.suspend.selector);
        roles.allow(OFFICER, address(_parties), IPartyRegistry.resume.selector);
        roles.allow(OFFICER, address(_parties), IPartyRegistry.accredit.selector);
        for (uint256 i = 0; i < 2; i++) {
            _accredit(_organisations[i], IPartyRegistry.Kind.Organisation);
            for (uint256 key = 1; key <= CLINICIANS; key++) _setTeam(_organisations[i], vm.addr(key), true);
            _setQuota(_organisations[i], 4);
        }
        for (uint256 key = 1; key <= CLINICIANS; key++) _accredit(vm.addr(key), IPartyRegistry.Kind.Clinician);
    }

    function testFuzz_hostile_sequences(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        uint48[9] memory waits = [uint48(0), 0, 0, 1, 4 hours - 1, 4 hours, 1 days, 7 days, 14 days];
        for (uint256 step = 0; step < STEPS; step++) {
            vm.warp(block.timestamp + waits[source.between(0, 8)]);
            _step(source);
            _checkAll();
        }
    }

    function _step(Draw.Source memory source) private {
        uint256 what = source.between(0, 15);
        if (what < 6) _declare(source);
        else if (what < 10) _review(source);
        else if (what == 10) _end(source);
        else if (what == 11) _setTeam(_organisation(source), _clinician(source), source.between(0, 2) > 0);
        else if (what == 12) _suspendOrReinstate(source);
        else if (what == 13) _suspendOrResume(source);
        else if (what == 14) _setQuota(_organisation(source), uint32(source.between(0, 4)));
        else _postNotice(source);
    }

    function _declare(Draw.Source memory source) private {
        Asked memory asked = Asked({
            caller: source.between(0, 9) == 0 ? REVIEWER : _clinician(source),
            organisation: _organisation(source),
            commitment: _commitment(source),
            term: uint48([1, 3600, 4 hours, 4 hours, 4 hours + 1, 0][source.between(0, 5)]),
            coSigner: source.between(1, CLINICIANS),
            deadline: source.between(0, 7) == 0 ? _now() - 1 : _now(),
            signer: 0,
            signedTerm: 0
        });
        asked.signer = source.between(0, 7) == 0 ? source.between(1, CLINICIANS) : asked.coSigner;
        asked.signedTerm = source.between(0, 9) == 0 ? 60 : asked.term;
        bool should = _mayDeclare(asked);
        vm.prank(asked.caller);
        (bool done, ) = address(_access).call(_declareCall(asked));
        require(done == should, "E1, E2, E3, E4: declared");
        if (!done) return;
        address coSigner = vm.addr(asked.coSigner);
        _saids.push(
            Said(asked.caller, asked.commitment, coSigner, asked.organisation, _now(), _now() + asked.term, false)
        );
    }

    function _mayDeclare(Asked memory asked) private view returns (bool) {
        address coSigner = vm.addr(asked.coSigner);
        if (asked.term == 0 || asked.term > 4 hours || asked.deadline < block.timestamp) return false;
        if (asked.caller == coSigner || asked.signer != asked.coSigner || asked.signedTerm != asked.term) return false;
        if (!_holdsRole(asked.organisation, asked.caller) || !_holdsRole(asked.organisation, coSigner)) return false;
        (bool known, ) = _find(asked.caller, asked.commitment);
        return !known && _usedThisWeek(asked.organisation) < _quota[asked.organisation];
    }

    function _declareCall(Asked memory asked) private view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("MedSeal EmergencyAccess"),
                keccak256("1"),
                block.chainid,
                address(_access)
            )
        );
        bytes32 message = keccak256(
            abi.encode(
                keccak256(
                    "CoSign(Declaration declaration,address organisation,uint48 term,uint48 deadline)Declaration(address grantor,bytes32 scope,uint48 dataStart,uint48 dataEnd,address declarant,bytes32 hpkeKey,address coSigner,string reason,bytes32 salt)"
                ),
                asked.commitment,
                asked.organisation,
                asked.signedTerm,
                asked.deadline
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            asked.signer,
            keccak256(abi.encodePacked("\x19\x01", domain, message))
        );
        return
            abi.encodeCall(
                IEmergencyAccess.declare,
                (
                    asked.organisation,
                    asked.commitment,
                    asked.term,
                    vm.addr(asked.coSigner),
                    asked.deadline,
                    abi.encodePacked(r, s, v)
                )
            );
    }

    function _review(Draw.Source memory source) private {
        address declarant = _clinician(source);
        address reviewer = [REVIEWER, REVIEWER, vm.addr(1), vm.addr(2), _authority][source.between(0, 4)];
        bytes32 commitment = _commitment(source);
        (bool any, uint256 oldest) = _oldest(declarant);
        if (any && source.between(0, 3) > 0) commitment = _saids[oldest].commitment;
        bytes32 next = _nextOf(declarant, oldest);
        bytes32 named = source.between(0, 5) == 0 ? _commitment(source) : next;
        bool should = any && commitment == _saids[oldest].commitment && named == next && _mayReview(reviewer, oldest);
        bool justified = source.between(0, 3) > 0;
        vm.prank(reviewer);
        (bool done, ) = address(_access).call(
            abi.encodeCall(IEmergencyAccess.review, (declarant, commitment, named, justified, "report"))
        );
        require(done == should, "E5: reviewed");
        if (!done) return;
        _saids[oldest].reviewed = true;
        if (!justified) _suspended[declarant] = true;
    }

    function _mayReview(address reviewer, uint256 index) private view returns (bool) {
        if (reviewer != REVIEWER && reviewer != vm.addr(1)) return false;
        Said memory said = _saids[index];
        return reviewer != said.declarant && reviewer != said.coSigner && block.timestamp >= said.endsAt;
    }

    function _end(Draw.Source memory source) private {
        address caller = _clinician(source);
        bytes32 commitment = _commitment(source);
        (bool known, uint256 index) = _find(caller, commitment);
        bool should = known && block.timestamp < _saids[index].endsAt;
        vm.prank(caller);
        (bool done, ) = address(_access).call(abi.encodeCall(IEmergencyAccess.end, (commitment)));
        require(done == should, "E6: ended");
        if (done) _saids[index].endsAt = _now();
    }

    function _suspendOrReinstate(Draw.Source memory source) private {
        address account = source.between(0, 3) == 0 ? _organisation(source) : _clinician(source);
        if (source.between(0, 2) == 0) {
            vm.prank(PROTECTOR);
            _access.suspend(account);
            _suspended[account] = true;
        } else {
            vm.prank(OFFICER);
            (bool done, ) = address(_access).call(abi.encodeCall(IEmergencyAccess.reinstate, (account)));
            require(done == _suspended[account], "E7: reinstated");
            _suspended[account] = false;
        }
    }

    function _suspendOrResume(Draw.Source memory source) private {
        address party = source.between(0, 3) == 0 ? _organisation(source) : _clinician(source);
        if (_unaccredited[party]) {
            vm.prank(OFFICER);
            _parties.resume(party);
        } else {
            vm.prank(PROTECTOR);
            _parties.suspend(party);
        }
        _unaccredited[party] = !_unaccredited[party];
    }

    function _postNotice(Draw.Source memory source) private {
        address declarant = _clinician(source);
        bytes32 commitment = _commitment(source);
        (bool known, uint256 index) = _find(declarant, commitment);
        vm.prank(_clinician(source));
        (bool done, ) = address(_access).call(
            abi.encodeCall(IEmergencyAccess.postNotice, (declarant, commitment, "notice"))
        );
        require(done == (known && _isOpen(index)), "E1: notice");
    }

    function _setTeam(address organisation, address clinician, bool onTeam) private {
        vm.prank(organisation);
        if (onTeam) _access.admit(clinician);
        else _access.dismiss(clinician);
        _team[organisation][clinician] = onTeam;
    }

    function _setQuota(address organisation, uint32 quota) private {
        vm.prank(OFFICER);
        _access.setQuota(organisation, quota);
        _quota[organisation] = quota;
    }

    function _accredit(address party, IPartyRegistry.Kind kind) private {
        vm.prank(OFFICER);
        _parties.accredit(party, kind, START + 3 * 365 days, "digest");
    }

    function _checkAll() private view {
        for (uint256 i = 0; i < _saids.length; i++) {
            Said memory said = _saids[i];
            IEmergencyAccess.Emergency memory emergency = _access.emergencyOf(said.declarant, said.commitment);
            require(_access.isOpen(said.declarant, said.commitment) == _isOpen(i), "E1, E4, E7: open");
            require(emergency.declaredAt == said.declaredAt && emergency.endsAt == said.endsAt, "E6: times");
            require(emergency.endsAt - emergency.declaredAt <= 4 hours, "E1: term");
            require(emergency.reviewed == said.reviewed, "E5: on record");
            require(emergency.coSigner == said.coSigner && emergency.organisation == said.organisation, "E6: who");
        }
        for (uint256 i = 0; i < 2; i++) {
            for (uint256 key = 1; key <= CLINICIANS; key++) {
                bool held = _access.roleStatus(_organisations[i], vm.addr(key)) == IEmergencyAccess.RoleStatus.Held;
                require(held == _holdsRole(_organisations[i], vm.addr(key)), "E4, E7: role");
            }
            (, uint32 used) = _access.quotaOf(_organisations[i]);
            require(used == _usedThisWeek(_organisations[i]), "E3: used");
        }
    }

    function _isOpen(uint256 index) private view returns (bool) {
        Said memory said = _saids[index];
        return block.timestamp < said.endsAt && _holdsRole(said.organisation, said.declarant);
    }

    function _holdsRole(address organisation, address clinician) private view returns (bool) {
        if (!_team[organisation][clinician] || _suspended[organisation] || _suspended[clinician]) return false;
        if (_unaccredited[organisation] || _unaccredited[clinician]) return false;
        for (uint256 i = 0; i < _saids.length; i++) {
            Said memory said = _saids[i];
            bool waits = said.declarant == clinician && !said.reviewed;
            if (waits && block.timestamp >= said.declaredAt + 14 days) return false;
        }
        return true;
    }

    function _usedThisWeek(address organisation) private view returns (uint32 used) {
        for (uint256 i = 0; i < _saids.length; i++) {
            bool thisWeek = _saids[i].declaredAt / 7 days == block.timestamp / 7 days;
            if (_saids[i].organisation == organisation && thisWeek) used++;
        }
    }

    function _find(address declarant, bytes32 commitment) private view returns (bool, uint256) {
        for (uint256 i = 0; i < _saids.length; i++) {
            if (_saids[i].declarant == declarant && _saids[i].commitment == commitment) return (true, i);
        }
        return (false, 0);
    }

    function _oldest(address declarant) private view returns (bool, uint256) {
        for (uint256 i = 0; i < _saids.length; i++) {
            if (_saids[i].declarant == declarant && !_saids[i].reviewed) return (true, i);
        }
        return (false, 0);
    }

    function _nextOf(address declarant, uint256 index) private view returns (bytes32) {
        for (uint256 i = index + 1; i < _saids.length; i++) {
            if (_saids[i].declarant == declarant) return _saids[i].commitment;
        }
        return bytes32(0);
    }

    /// @dev Few, so that the same is tried again and by others.
    function _commitment(Draw.Source memory source) private pure returns (bytes32) {
        return bytes32(source.between(1, 12));
    }

    function _organisation(Draw.Source memory source) private view returns (address) {
        return _organisations[source.between(0, 1)];
    }

    function _clinician(Draw.Source memory source) private pure returns (address) {
        return vm.addr(source.between(1, CLINICIANS));
    }

    function _now() private view returns (uint48) {
        return uint48(block.timestamp);
    }
}
