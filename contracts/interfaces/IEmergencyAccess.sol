// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title Emergency access ("break the glass"): who declared an emergency, who vouched for it, and whether it was reviewed
/// @notice A clinician who cannot ask the patient declares an emergency with a colleague's signature. Custodians release their shares
/// of the patient's break-glass key against it, for 4 hours at most, each after a notice to the patient. Everything is reviewed within
/// 14 days, or the clinician loses the role.
/// @dev The chain sees a commitment and who declared it, never for whom. It is opened to each custodian, who checks every field.
/// @dev A clinician holds the role for an organisation iff both are accredited in the PartyRegistry, the organisation has them on its
/// team, neither is suspended here, and no review of theirs is overdue.
/// @dev The EIP-712 domain is ("MedSeal EmergencyAccess", "1", chain id, this).
/// @dev Warning: what was released stays readable. The term bounds what custodians release, not what was read.
interface IEmergencyAccess is IERC5267 {
    /// @notice Whether a clinician may act for an organisation, or the first thing that stands in the way.
    enum RoleStatus {
        Held,
        OrganisationSuspended,
        OrganisationNotAccredited,
        NotOnTeam,
        ClinicianSuspended,
        ReviewOverdue,
        ClinicianNotAccredited
    }

    /// @notice What a clinician declares; sealed to each custodian.
    /// @param grantor Address of the patient's consents, as the custodians know it.
    /// @param scope A stream id, or the RFC 9162 SHA-256 Merkle tree hash of the sorted list of them.
    /// @param dataStart First instant of the data asked for.
    /// @param dataEnd First instant after the data asked for.
    /// @param declarant The clinician who asks.
    /// @param hpkeKey SHA-256 of the declarant's HPKE public key, to which custodians seal.
    /// @param coSigner The colleague who vouches for it.
    /// @param reason One sentence, for custodians, patient and reviewer.
    /// @param salt 32 random bytes; without them the commitment would be guessable.
    struct Declaration {
        address grantor;
        bytes32 scope;
        uint48 dataStart;
        uint48 dataEnd;
        address declarant;
        bytes32 hpkeKey;
        address coSigner;
        string reason;
        bytes32 salt;
    }

    /// @notice The public state of one emergency; all zero when there is none.
    /// @param organisation For which the declarant acted.
    /// @param declaredAt Block time of the declaration.
    /// @param endsAt First instant at which nothing may be released for it.
    /// @param coSigner Who vouched for it.
    /// @param number How many the declarant had declared before.
    /// @param reviewed Whether its review is on record.
    struct Emergency {
        address organisation;
        uint48 declaredAt;
        uint48 endsAt;
        address coSigner;
        uint32 number;
        bool reviewed;
    }

    /// @notice What a clinician has declared and what is still to be reviewed.
    /// @param declared Number of emergencies declared.
    /// @param reviewed Number of them that were reviewed; the oldest come first.
    /// @param reviewDueAt From when on the role is lost unless the oldest one without a review has got one; zero when there is none.
    struct Record {
        uint32 declared;
        uint32 reviewed;
        uint48 reviewDueAt;
    }

    /// @notice Thrown when a term is zero or longer than 4 hours.
    error EmergencyTermInvalid(uint48 term, uint48 longest);

    /// @notice Thrown when the co-signature has come too late.
    error EmergencyDeadlinePassed(uint48 deadline);

    /// @notice Thrown when the declarant vouches for themselves.
    error EmergencyCoSignerIsDeclarant();

    /// @notice Thrown when the signature is not the co-signer's for this declaration, organisation, term, contract and chain.
    error EmergencyCoSignatureInvalid();

    /// @notice Thrown when this declarant has declared this commitment before.
    error EmergencyDeclaredAlready(bytes32 commitment, uint48 declaredAt);

    /// @notice Thrown when a clinician may not declare or co-sign for the organisation, and why.
    error EmergencyRoleNotHeld(address organisation, address clinician, RoleStatus status);

    /// @notice Thrown when the organisation has declared as many emergencies this week as it may.
    error EmergencyQuotaUsed(address organisation, uint32 quota);

    /// @notice Thrown when the declarant has not declared this commitment.
    error EmergencyUnknown(address declarant, bytes32 commitment);

    /// @notice Thrown when an emergency is over.
    error EmergencyNotOpen(address declarant, bytes32 commitment);

    /// @notice Thrown when an emergency is reviewed before it is over.
    error EmergencyNotOver(uint48 endsAt);

    /// @notice Thrown when the declarant or the co-signer reviews their own emergency, or the authority does for somebody unseen.
    error EmergencyReviewOfOwn(address reviewer);

    /// @notice Thrown when a review is not of the declarant's oldest emergency without one.
    error EmergencyReviewOutOfOrder(uint32 number, uint32 expected);

    /// @notice Thrown when what is named as the declarant's next emergency is not, or one is named and there is none.
    error EmergencyNextMismatch(bytes32 next);

    /// @notice Thrown when an account is reinstated that is not suspended.
    error EmergencyNotSuspended(address account);

    /// @notice An emergency is declared; custodians may release until `endsAt`.
    event EmergencyDeclared(
        address indexed declarant,
        address indexed organisation,
        bytes32 indexed commitment,
        address coSigner,
        uint48 endsAt
    );

    /// @notice The declarant needs nothing more; nothing may be released from this block.
    event EmergencyEnded(address indexed declarant, bytes32 indexed commitment);

    /// @notice A custodian has stored a notice sealed to the patient, and may release now.
    event NoticePosted(
        address indexed custodian,
        address indexed declarant,
        bytes32 indexed commitment,
        bytes32 noticeDigest
    );

    /// @notice An emergency was reviewed.
    event EmergencyReviewed(
        address indexed declarant,
        bytes32 indexed commitment,
        address indexed reviewer,
        bool justified,
        bytes32 reportDigest
    );

    /// @notice A clinician is on an organisation's team from this block.
    event TeamMemberAdmitted(address indexed organisation, address indexed clinician);

    /// @notice A clinician is no longer on an organisation's team from this block.
    event TeamMemberDismissed(address indexed organisation, address indexed clinician);

    /// @notice An organisation may declare `quota` emergencies a week.
    event QuotaSet(address indexed organisation, uint32 quota);

    /// @notice A clinician or an organisation is suspended from emergency access from this block.
    event RoleSuspended(address indexed account);

    /// @notice A clinician or an organisation is no longer suspended from emergency access from this block.
    event RoleReinstated(address indexed account);

    /// @notice Declares an emergency of the caller, who needs an answer now: it counts at `latest`.
    /// @dev Warning: the caller's and co-signer's wallets must show the whole declaration. Reuse of a commitment is refused; another
    /// clinician who declares a copy of it opens nothing, as the commitment names its declarant.
    /// @param organisation For which the caller and the co-signer act; its weekly quota is used.
    /// @param commitment `hashStruct` of the declaration.
    /// @param term Seconds for which custodians may release, 1 to 14,400.
    /// @param coSigner Another clinician of the organisation who holds the role.
    /// @param deadline Last second at which the co-signature counts.
    /// @param coSignature The co-signer's over `CoSign(Declaration declaration,address organisation,uint48 term,uint48 deadline)`.
    function declare(
        address organisation,
        bytes32 commitment,
        uint48 term,
        address coSigner,
        uint48 deadline,
        bytes calldata coSignature
    ) external;

    /// @notice Ends an emergency of the caller before its term.
    function end(bytes32 commitment) external;

    /// @notice Says in public that a notice sealed to the patient is stored, which a custodian does before releasing anything.
    /// @dev Anybody can post for any emergency that is open; count only those of the custodians you know. It changes no state.
    /// @param noticeDigest SHA-256 of the sealed notice.
    function postNotice(address declarant, bytes32 commitment, bytes32 noticeDigest) external;

    /// @notice Records the review of a declarant's oldest emergency without one; not justified suspends the declarant.
    /// @dev For reviewers other than declarant and co-signer, once the emergency is over; not through the authority's `execute`.
    /// @param next Commitment of the declarant's next emergency, zero when there is none: so the next date due is known without a list.
    /// @param justified Whether the emergency was one.
    /// @param reportDigest SHA-256 of the report with its salt.
    function review(address declarant, bytes32 commitment, bytes32 next, bool justified, bytes32 reportDigest) external;

    /// @notice Puts a clinician on the caller's team; does nothing when they are on it.
    function admit(address clinician) external;

    /// @notice Takes a clinician from the caller's team from this block; their open emergencies for it are closed.
    function dismiss(address clinician) external;

    /// @notice Sets how many emergencies an organisation may declare a week, from Thursday 00:00 UTC as the unix epoch has it.
    /// @dev For officers, after their delay. To stop an organisation at once, suspend it.
    function setQuota(address organisation, uint32 quota) external;

    /// @notice Takes the role from a clinician or a whole organisation from this block; their open emergencies are closed.
    /// @dev For protectors, at once. Does nothing the second time.
    function suspend(address account) external;

    /// @notice Ends a suspension from this block. A review that is overdue still stands in the way.
    /// @dev For officers, after their delay.
    function reinstate(address account) external;

    /// @notice Whether custodians may release for this emergency now: within its term, and the declarant still holds the role.
    /// @dev Warning: it says nothing of what the commitment hides. Have it opened and check every field.
    function isOpen(address declarant, bytes32 commitment) external view returns (bool);

    /// @notice Whether a clinician may declare and co-sign for an organisation now, its quota apart.
    function roleStatus(address organisation, address clinician) external view returns (RoleStatus);

    /// @notice The public state of one emergency.
    function emergencyOf(address declarant, bytes32 commitment) external view returns (Emergency memory);

    /// @notice What a clinician has declared and what is still to be reviewed.
    function recordOf(address clinician) external view returns (Record memory);

    /// @notice How many emergencies an organisation may declare a week, and how many it has this week.
    function quotaOf(address organisation) external view returns (uint32 quota, uint32 used);

    /// @notice When a clinician or an organisation was suspended from emergency access; zero is "not".
    function suspendedAt(address account) external view returns (uint48);

    /// @notice The commitment to a declaration: its EIP-712 `hashStruct`.
    /// @dev Warning: the argument is clear text. Call it in an in-process EVM only, never over a remote RPC, never in a transaction.
    function commitmentOf(Declaration calldata declaration) external pure returns (bytes32);
}
