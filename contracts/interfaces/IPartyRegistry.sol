// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title Party registry: who is accredited as what, and under which keys to write to them
/// @notice Registrars accredit addresses of organisations and professionals for a period. A party's keys are its own affair: no role
/// can set, cancel or retire them.
/// @dev Roles are those of an OpenZeppelin AccessManager; docs/contracts.md has the table. All periods are half-open, in unix seconds.
/// @dev Warning: this is about parties who act in public. Patients have no entry here.
interface IPartyRegistry {
    /// @notice As what a party is accredited; it never changes for an address.
    enum Kind {
        None,
        Organisation,
        Clinician,
        Researcher,
        Insurer,
        Auditor,
        Gateway
    }

    /// @notice How a party stood at a time. When several apply, the last named counts.
    enum Status {
        None,
        Accredited,
        Expired,
        Suspended,
        Revoked
    }

    /// @notice Digests of a party's two public keys, and when they come into force.
    /// @param hpkeKey SHA-256 of the HPKE public key, to which envelopes are sealed.
    /// @param viewKey SHA-256 of the X25519 view key, by which a party finds its mail.
    /// @param activeFrom First instant at which to use them.
    struct Keys {
        bytes32 hpkeKey;
        bytes32 viewKey;
        uint48 activeFrom;
    }

    /// @notice Thrown when a party is accredited as nothing.
    error PartyKindMissing();

    /// @notice Thrown when a party is accredited as something else than before.
    error PartyKindDiffers(Kind kind);

    /// @notice Thrown when an accreditation would end now or earlier, or after more than 3 years.
    error PartyTermInvalid(uint48 validUntil, uint48 latestValidUntil);

    /// @notice Thrown when an accreditation names no credential.
    error PartyCredentialMissing();

    /// @notice Thrown when the party was never accredited.
    error PartyUnknown(address party);

    /// @notice Thrown when a party is accredited that must be resumed first.
    error PartyIsSuspended(address party);

    /// @notice Thrown when a party is resumed that is not suspended.
    error PartyNotSuspended(address party);

    /// @notice Thrown when a party is accredited or resumed that was revoked, which is for good.
    error PartyRevokedAlready(address party);

    /// @notice Thrown when keys are proposed without both digests.
    error PartyKeyMissing();

    /// @notice Thrown when there is no proposal that could be cancelled; one that came into force is retired instead.
    error PartyKeysNotProposed();

    /// @notice Thrown when the key to retire is not the one in force.
    error PartyKeyNotInForce(bytes32 hpkeKey, bytes32 inForce);

    /// @notice A party is accredited from this block until `validUntil`.
    event PartyAccredited(
        address indexed party,
        address indexed registrar,
        Kind indexed kind,
        uint48 validUntil,
        bytes32 credentialDigest
    );

    /// @notice A party is suspended from this block.
    event PartySuspended(address indexed party);

    /// @notice A party is no longer suspended from this block.
    event PartyResumed(address indexed party);

    /// @notice A party is revoked from this block for good.
    event PartyRevoked(address indexed party);

    /// @notice A party's keys will be these from `activeFrom`, unless it cancels.
    event KeysProposed(address indexed party, bytes32 indexed hpkeKey, bytes32 viewKey, uint48 activeFrom);

    /// @notice A proposal was withdrawn before it came into force.
    event KeysProposalCancelled(address indexed party, bytes32 indexed hpkeKey);

    /// @notice A party's keys are void from this block.
    event KeysRetired(address indexed party, bytes32 indexed hpkeKey);

    /// @notice Accredits a party from this block until `validUntil`, or renews its accreditation.
    /// @dev For registrars. What was true of the time before this block stays so.
    /// @param party Address of the party, which alone can set its keys.
    /// @param kind As what; the same as before for a renewal.
    /// @param validUntil First instant at which it is accredited no longer, at most 3 years after this block.
    /// @param credentialDigest SHA-256 of the credential with its salt: registers are public, an unsalted digest is guessed.
    function accredit(address party, Kind kind, uint48 validUntil, bytes32 credentialDigest) external;

    /// @notice Suspends a party from this block; does nothing when it is suspended or revoked.
    /// @dev For protectors, at once.
    function suspend(address party) external;

    /// @notice Ends a suspension from this block; the accreditation runs on as it was.
    /// @dev For officers, after their delay.
    function resume(address party) external;

    /// @notice Revokes a party from this block; the address can never be accredited again. Does nothing the second time.
    /// @dev For protectors, at once.
    function revoke(address party) external;

    /// @notice Proposes the caller's keys; they come into force in 2 days, in place of those before.
    /// @dev Takes the place of an earlier proposal, and the delay begins anew. Whoever stole the caller's account cannot change its keys
    /// unseen. The first keys wait as well: after `retireKeys` there are none until a delay is over.
    function proposeKeys(bytes32 hpkeKey, bytes32 viewKey) external;

    /// @notice Withdraws the caller's proposal, which has not come into force.
    function cancelKeys() external;

    /// @notice Voids the caller's keys from this block; a proposal stays and comes into force at its time.
    /// @dev Warning: what was sealed to the key before stays readable for whoever has it.
    /// @param hpkeKey The key in force, so that a transaction that comes late cannot retire the next one.
    function retireKeys(bytes32 hpkeKey) external;

    /// @notice The keys of a party that are in force now; all zero when there are none.
    /// @dev Says nothing about its accreditation. Keep the fingerprint you know and show a change to people.
    /// @dev Warning: asking a remote node for a party's keys tells its operator who writes to whom. Sync the events instead.
    function keysOf(address party) external view returns (Keys memory);

    /// @notice The keys of a party that are proposed and not yet in force; all zero when there are none.
    function proposedKeysOf(address party) external view returns (Keys memory);

    /// @notice How a party stood at a time; for a time to come, how it will stand if nothing changes.
    /// @dev The past does not change: batches of a gateway that is suspended today still were its own.
    function statusAt(address party, uint48 time) external view returns (Status);

    /// @notice Whether a party is accredited as `kind` now.
    function isAccredited(address party, Kind kind) external view returns (bool);

    /// @notice What the latest accreditation of a party says, whether in force or not.
    function accreditationOf(
        address party
    ) external view returns (Kind kind, uint48 validUntil, bytes32 credentialDigest);
}
