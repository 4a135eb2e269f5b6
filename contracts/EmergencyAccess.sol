// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IEmergencyAccess} from "./interfaces/IEmergencyAccess.sol";
import {IPartyRegistry} from "./interfaces/IPartyRegistry.sol";
import {ConsentSignature} from "./libraries/ConsentSignature.sol";
import {EmergencyHash} from "./libraries/EmergencyHash.sol";
import {EmergencyTerms} from "./libraries/EmergencyTerms.sol";

/// @title Emergency access
/// @dev Emergencies are keyed by declarant, so that nobody can squat on a commitment seen on its way to the chain.
contract EmergencyAccess is IEmergencyAccess, EIP712, AccessManaged {
    struct Slot {
        address organisation;
        uint48 declaredAt;
        uint48 endsAt;
        address coSigner;
        uint32 number;
    }

    /// @dev `oldest` is when the oldest emergency without a review was declared, zero for none.
    struct Tally {
        uint32 declared;
        uint32 reviewed;
        uint48 oldest;
    }

    struct Quota {
        uint32 quota;
        uint32 used;
        uint32 week;
    }

    IPartyRegistry private immutable _PARTIES;

    mapping(address declarant => mapping(bytes32 commitment => Slot emergency)) private _emergencies;
    mapping(address clinician => Tally tally) private _tallies;
    mapping(address organisation => Quota quota) private _quotas;
    mapping(address organisation => mapping(address clinician => bool onTeam)) private _teams;
    mapping(address account => uint48 suspendedAt) private _suspendedAt;

    constructor(
        address authority,
        IPartyRegistry parties
    ) AccessManaged(authority) EIP712("MedSeal EmergencyAccess", "1") {
        _PARTIES = parties;
    }

    /// @inheritdoc IEmergencyAccess
    function declare(
        address organisation,
        bytes32 commitment,
        uint48 term,
        address coSigner,
        uint48 deadline,
        bytes calldata coSignature
    ) external {
        if (!EmergencyTerms.isAllowed(term)) revert EmergencyTermInvalid(term, EmergencyTerms.MAX_TERM);
        if (block.timestamp > deadline) revert EmergencyDeadlinePassed(deadline);
        if (coSigner == msg.sender) revert EmergencyCoSignerIsDeclarant();
        uint48 declaredAt = _emergencies[msg.sender][commitment].declaredAt;
        if (declaredAt != 0) revert EmergencyDeclaredAlready(commitment, declaredAt);
        _requireHeld(organisation, msg.sender, roleStatus(organisation, msg.sender));
        _requireHeld(organisation, coSigner, _clinicianStatus(organisation, coSigner));
        bytes32 digest = _hashTypedDataV4(EmergencyHash.coSignHash(commitment, organisation, term, deadline));
        if (!ConsentSignature.isValid(coSigner, digest, coSignature)) revert EmergencyCoSignatureInvalid();

        _useQuota(organisation);
        uint48 endsAt = EmergencyTerms.endOf(_now(), term);
        _emergencies[msg.sender][commitment] = Slot(organisation, _now(), endsAt, coSigner, _count(msg.sender));

        emit EmergencyDeclared(msg.sender, organisation, commitment, coSigner, endsAt);
    }

    /// @inheritdoc IEmergencyAccess
    function end(bytes32 commitment) external {
        Slot storage emergency = _known(msg.sender, commitment);
        if (_now() >= emergency.endsAt) revert EmergencyNotOpen(msg.sender, commitment);

        emergency.endsAt = _now();

        emit EmergencyEnded(msg.sender, commitment);
    }

    /// @inheritdoc IEmergencyAccess
    function postNotice(address declarant, bytes32 commitment, bytes32 noticeDigest) external {
        if (!isOpen(declarant, commitment)) revert EmergencyNotOpen(declarant, commitment);

        emit NoticePosted(msg.sender, declarant, commitment, noticeDigest);
    }

    /// @inheritdoc IEmergencyAccess
    function review(
        address declarant,
        bytes32 commitment,
        bytes32 next,
        bool justified,
        bytes32 reportDigest
    ) external restricted {
        Slot memory emergency = _known(declarant, commitment);
        // Whoever calls through the authority does not show here, and might be either.
        if (msg.sender == declarant || msg.sender == emergency.coSigner || msg.sender == authority()) {
            revert EmergencyReviewOfOwn(msg.sender);
        }
        if (_now() < emergency.endsAt) revert EmergencyNotOver(emergency.endsAt);
        Tally storage tally = _tallies[declarant];
        uint32 reviewed = tally.reviewed;
        if (emergency.number != reviewed) revert EmergencyReviewOutOfOrder(emergency.number, reviewed);

        ++reviewed;
        tally.oldest = _declaredAt(declarant, next, reviewed, tally.declared);
        tally.reviewed = reviewed;

        emit EmergencyReviewed(declarant, commitment, msg.sender, justified, reportDigest);

        if (!justified) _suspend(declarant);
    }

    /// @inheritdoc IEmergencyAccess
    function admit(address clinician) external {
        if (_teams[msg.sender][clinician]) return;

        _teams[msg.sender][clinician] = true;

        emit TeamMemberAdmitted(msg.sender, clinician);
    }

    /// @inheritdoc IEmergencyAccess
    function dismiss(address clinician) external {
        if (!_teams[msg.sender][clinician]) return;

        _teams[msg.sender][clinician] = false;

        emit TeamMemberDismissed(msg.sender, clinician);
    }

    /// @inheritdoc IEmergencyAccess
    function setQuota(address organisation, uint32 quota) external restricted {
        _quotas[organisation].quota = quota;

        emit QuotaSet(organisation, quota);
    }

    /// @inheritdoc IEmergencyAccess
    function suspend(address account) external restricted {
        _suspend(account);
    }

    /// @inheritdoc IEmergencyAccess
    function reinstate(address account) external restricted {
        if (_suspendedAt[account] == 0) revert EmergencyNotSuspended(account);

        _suspendedAt[account] = 0;

        emit RoleReinstated(account);
    }

    /// @inheritdoc IEmergencyAccess
    function emergencyOf(address declarant, bytes32 commitment) external view returns (Emergency memory) {
        Slot memory slot = _emergencies[declarant][commitment];
        bool reviewed = slot.declaredAt != 0 && slot.number < _tallies[declarant].reviewed;
        return Emergency(slot.organisation, slot.declaredAt, slot.endsAt, slot.coSigner, slot.number, reviewed);
    }

    /// @inheritdoc IEmergencyAccess
    function recordOf(address clinician) external view returns (Record memory) {
        Tally memory tally = _tallies[clinician];
        return Record(tally.declared, tally.reviewed, EmergencyTerms.reviewDueAt(tally.oldest));
    }

    /// @inheritdoc IEmergencyAccess
    function quotaOf(address organisation) external view returns (uint32 quota, uint32 used) {
        Quota memory entry = _quotas[organisation];
        return (entry.quota, entry.week == EmergencyTerms.weekOf(_now()) ? entry.used : 0);
    }

    /// @inheritdoc IEmergencyAccess
    function suspendedAt(address account) external view returns (uint48) {
        return _suspendedAt[account];
    }

    /// @inheritdoc IEmergencyAccess
    function commitmentOf(Declaration calldata declaration) external pure returns (bytes32) {
        return EmergencyHash.commitmentOf(declaration);
    }

    /// @inheritdoc IEmergencyAccess
    function isOpen(address declarant, bytes32 commitment) public view returns (bool) {
        Slot storage emergency = _emergencies[declarant][commitment];
        return _now() < emergency.endsAt && roleStatus(emergency.organisation, declarant) == RoleStatus.Held;
    }

    /// @inheritdoc IEmergencyAccess
    function roleStatus(address organisation, address clinician) public view returns (RoleStatus status) {
        status = _organisationStatus(organisation);
        if (status == RoleStatus.Held) status = _clinicianStatus(organisation, clinician);
    }

    function _suspend(address account) private {
        if (_suspendedAt[account] != 0) return;

        _suspendedAt[account] = _now();

        emit RoleSuspended(account);
    }

    /// @dev One more emergency of the organisation this week.
    function _useQuota(address organisation) private {
        Quota memory entry = _quotas[organisation];
        uint32 week = EmergencyTerms.weekOf(_now());
        uint32 used = entry.week == week ? entry.used : 0;
        if (used >= entry.quota) revert EmergencyQuotaUsed(organisation, entry.quota);

        _quotas[organisation] = Quota({quota: entry.quota, used: used + 1, week: week});
    }

    /// @dev One more emergency of the declarant; gives how many there were before.
    function _count(address declarant) private returns (uint32 number) {
        Tally memory tally = _tallies[declarant];
        number = tally.declared;
        uint48 oldest = tally.oldest == 0 ? _now() : tally.oldest;
        _tallies[declarant] = Tally({declared: number + 1, reviewed: tally.reviewed, oldest: oldest});
    }

    function _known(address declarant, bytes32 commitment) private view returns (Slot storage emergency) {
        emergency = _emergencies[declarant][commitment];
        if (emergency.declaredAt == 0) revert EmergencyUnknown(declarant, commitment);
    }

    /// @dev When the declarant's emergency of this number was declared, which must be the one named; zero when there is none.
    function _declaredAt(
        address declarant,
        bytes32 commitment,
        uint32 number,
        uint32 declared
    ) private view returns (uint48) {
        if (number == declared && commitment == bytes32(0)) return 0;
        Slot storage emergency = _emergencies[declarant][commitment];
        // One that does not exist has number 0, which is never next.
        if (emergency.number != number) revert EmergencyNextMismatch(commitment);
        return emergency.declaredAt;
    }

    function _organisationStatus(address organisation) private view returns (RoleStatus) {
        if (_suspendedAt[organisation] != 0) return RoleStatus.OrganisationSuspended;
        bool accredited = _PARTIES.isAccredited(organisation, IPartyRegistry.Kind.Organisation);
        return accredited ? RoleStatus.Held : RoleStatus.OrganisationNotAccredited;
    }

    /// @dev What is in the way of a clinician, the organisation's own standing apart.
    function _clinicianStatus(address organisation, address clinician) private view returns (RoleStatus) {
        if (!_teams[organisation][clinician]) return RoleStatus.NotOnTeam;
        if (_suspendedAt[clinician] != 0) return RoleStatus.ClinicianSuspended;
        if (EmergencyTerms.isOverdue(_tallies[clinician].oldest, _now())) return RoleStatus.ReviewOverdue;
        bool accredited = _PARTIES.isAccredited(clinician, IPartyRegistry.Kind.Clinician);
        return accredited ? RoleStatus.Held : RoleStatus.ClinicianNotAccredited;
    }

    function _now() private view returns (uint48) {
        return uint48(block.timestamp);
    }

    function _requireHeld(address organisation, address clinician, RoleStatus status) private pure {
        if (status != RoleStatus.Held) revert EmergencyRoleNotHeld(organisation, clinician, status);
    }
}
