// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title Consent registry: the public state of sealed consents
/// @notice The chain sees an opaque id, the grantor's address, and when a consent was granted and ended. What it says stays
/// in the sealed document; whoever holds the document can prove what it says and that it was in force.
/// @dev An id is the EIP-712 `hashStruct(Consent)`. Because EIP-712 nests a struct by its hash, a wallet shows the whole consent
/// while this contract verifies the signature from the id alone. The domain is ("MedSeal ConsentRegistry", "1", chain id, this).
/// @dev There are no nonces: messages commute. Whatever relayer sends which message first, after all of them the same consents
/// are active.
/// @dev Warning: take the grantor from the document only. Anybody can put an id in force under their own address.
interface IConsentRegistry is IERC5267 {
    /// @notice What a grantor allows a grantee; all periods are half-open, in unix seconds.
    /// @param grantor Who allows it, and signs.
    /// @param grantee Who may act.
    /// @param scope A stream id, or the RFC 9162 SHA-256 Merkle tree hash of the sorted list of them.
    /// @param purpose HL7 PurposeOfUse code, such as `TREAT`.
    /// @param dataStart First instant of the data it covers.
    /// @param dataEnd First instant after the data it covers.
    /// @param periodStart First instant at which it may be used.
    /// @param periodEnd First instant at which it may no longer be used.
    /// @param actions READ 1, AUDIT 2, WRITE 4, MANAGE_ALERTS 8, RESPOND 16, SHARE 32, DELEGATE 64, or'ed.
    /// @param parent Id of the consent under which it is passed on; zero when the grantor is the patient.
    /// @param salt 32 random bytes; without them the id would be guessable.
    /// @param statement One sentence rendered from the other fields, so that nobody signs blind.
    struct Consent {
        address grantor;
        address grantee;
        bytes32 scope;
        string purpose;
        uint48 dataStart;
        uint48 dataEnd;
        uint48 periodStart;
        uint48 periodEnd;
        uint16 actions;
        bytes32 parent;
        bytes32 salt;
        string statement;
    }

    /// @notice One consent of a chain with the streams behind its scope.
    /// @param consent The whole document.
    /// @param streams The list whose root is `consent.scope`, strictly ascending; empty when the scope is one stream id.
    struct Link {
        Consent consent;
        bytes32[] streams;
    }

    /// @notice The public state of one consent; a time of zero means "not".
    /// @param issuedAt When the grantor says they granted it.
    /// @param grantedAt Block time at which the latest grant was accepted.
    /// @param revokedAt Block time at which it was revoked, for good.
    struct Entry {
        uint48 issuedAt;
        uint48 grantedAt;
        uint48 revokedAt;
    }

    /// @notice A signed grant on its way in a batch; the arguments of `grantBySig`.
    struct SignedGrant {
        address grantor;
        bytes32 consentId;
        uint48 issuedAt;
        uint48 deadline;
        bytes signature;
    }

    /// @notice A signed revocation on its way in a batch; the arguments of `revokeBySig`.
    struct SignedRevoke {
        address grantor;
        bytes32 consentId;
        bytes signature;
    }

    /// @notice Thrown when a grant carries an issue time that this consent already has, or an older one.
    error ConsentGrantedAlready(bytes32 consentId, uint48 issuedAt);

    /// @notice Thrown when a consent is granted that was revoked before, even before it was ever granted.
    error ConsentRevokedAlready(bytes32 consentId, uint48 revokedAt);

    /// @notice Thrown when a grant is not newer than the grantor's `revokeAll`; a tie counts as older.
    error ConsentIssuedBeforeRevokeAll(uint48 issuedAt, uint48 endedBefore);

    /// @notice Thrown when a message claims to be issued more than 15 minutes after this block.
    error ConsentIssuedInFuture(uint48 issuedAt, uint48 latestIssuedAt);

    /// @notice Thrown when a signed grant comes after its deadline.
    error ConsentDeadlinePassed(uint48 deadline);

    /// @notice Thrown when a signed grant could be held back for more than 7 days after its issue.
    error ConsentDeadlineTooLate(uint48 deadline, uint48 latestDeadline);

    /// @notice Thrown when the signature is not the grantor's for this message, this contract and this chain.
    error ConsentSignatureInvalid();

    /// @notice A consent is in force from this block; its entry is now (`issuedAt`, block time, not revoked).
    event ConsentGranted(address indexed grantor, bytes32 indexed consentId, uint48 issuedAt);

    /// @notice A consent, granted before or not, is revoked from this block for good.
    event ConsentRevoked(address indexed grantor, bytes32 indexed consentId);

    /// @notice Every consent of the grantor issued at or before `endedBefore` has ended, granted before or not.
    event AllConsentsRevoked(address indexed grantor, uint48 endedBefore);

    /// @notice Puts the caller's sealed consent in force from this block, issued at its time.
    /// @dev A consent that was revoked, even before it was ever granted, stays revoked.
    /// @dev Warning: the caller's wallet shows an opaque id. Use it only with a tool that shows the document.
    /// @dev Warning: a consent governs future reads. It cannot recall what a grantee has already decrypted.
    function grant(bytes32 consentId) external;

    /// @notice Puts the grantor's sealed consent in force from this block; anybody may relay it.
    /// @dev A second grant of one consent is accepted when issued later than the first, so that the order of relaying is of no account.
    /// @param grantor Account that signed `Grant(Consent consent,uint48 issuedAt,uint48 deadline)`.
    /// @param consentId `hashStruct` of the consent inside the signed message.
    /// @param issuedAt Time of the signer's own clock, at most 15 minutes after this block.
    /// @param deadline Last second at which it may be relayed, at most 7 days after `issuedAt`.
    /// @param signature 65 bytes `r ‖ s ‖ v` of the grantor's own key with low s, or what the grantor's ERC-1271 contract takes.
    function grantBySig(
        address grantor,
        bytes32 consentId,
        uint48 issuedAt,
        uint48 deadline,
        bytes calldata signature
    ) external;

    /// @notice Puts many sealed consents in force, each as by `grantBySig`; what is refused is skipped.
    /// @dev No item can stop the others or make them dearer. No code of a signer runs, so the word of an ERC-1271 contract is not taken
    /// here. Only calldata that does not encode a list of grants reverts.
    /// @dev Nothing is emitted for a skipped item: the events are the state. To know beforehand, call it statically.
    /// @return refusals For each item, zero when it was done, else the selector of the error that `grantBySig` would have thrown.
    function grantManyBySig(SignedGrant[] calldata grants) external returns (bytes4[] memory refusals);

    /// @notice Ends the caller's consent from this block for good; one never granted can then never be granted.
    /// @dev Revoking twice does nothing.
    function revoke(bytes32 consentId) external;

    /// @notice Ends the grantor's consent from this block for good; anybody may relay it, at any time.
    /// @param signature The grantor's over `Revoke(Consent consent)`.
    function revokeBySig(address grantor, bytes32 consentId, bytes calldata signature) external;

    /// @notice Ends many consents for good, each as by `revokeBySig`; what is refused is skipped, as in `grantManyBySig`.
    /// @return refusals For each item, zero when the consent has ended now or before, else the selector of `ConsentSignatureInvalid`.
    function revokeManyBySig(SignedRevoke[] calldata revocations) external returns (bytes4[] memory refusals);

    /// @notice Ends every consent of the caller issued up to this block, granted or still out.
    /// @dev Warning: a grant whose signer's clock runs ahead of this block, by 15 minutes at most, is not older and survives;
    /// revoke it by its id.
    function revokeAll() external;

    /// @notice Ends every consent of the grantor issued at or before `issuedAt`, granted or still out; anybody may relay it.
    /// @dev Does nothing when a later `revokeAll` is known.
    /// @param issuedAt Time of the signer's own clock, at most 15 minutes after this block.
    /// @param signature The grantor's over `RevokeAll(address grantor,uint48 issuedAt)`.
    function revokeAllBySig(address grantor, uint48 issuedAt, bytes calldata signature) external;

    /// @notice The public state of one consent.
    /// @dev Warning: asking a remote node for an id tells its operator who cares about whom. Sync the events instead.
    function entryOf(
        address grantor,
        bytes32 consentId
    ) external view returns (uint48 issuedAt, uint48 grantedAt, uint48 revokedAt);

    /// @notice Consents of the grantor issued at or before this time have ended.
    function endedBefore(address grantor) external view returns (uint48);

    /// @notice Whether a consent is granted, not revoked, and newer than the grantor's `revokeAll`.
    /// @dev Says nothing about its period, which only the document knows.
    /// @dev Warning: asking a remote node for an id tells its operator who cares about whom. Sync the events instead.
    function isActive(address grantor, bytes32 consentId) external view returns (bool);

    /// @notice The id of a consent: its EIP-712 `hashStruct`.
    /// @dev Warning: the argument is clear text. Call it in an in-process EVM only, never over a remote RPC, never in a transaction.
    function consentIdOf(Consent calldata consent) external pure returns (bytes32);

    /// @notice Whether a chain of consents allows `grantee` to do `action` for `purpose` on data of `stream` at `dataTime`, now.
    /// @dev True iff there are one to four links; the first has no parent; every link is active and within its period at the block's
    /// time; each later link names the one before as its parent, is granted by that one's grantee, who holds SHARE or DELEGATE, and has
    /// scope, data window, period and actions within that one's and the same purpose; and the last link has this grantee and purpose and
    /// covers every asked action, the stream and the time. A request without action, purpose, stream or grantee is never permitted.
    /// @dev Warning: the arguments are clear text. Over a remote RPC they are disclosed to its operator, in a transaction to everybody
    /// for ever. Call it in an in-process EVM with the code from the chain and the state rebuilt from this contract's events.
    /// @param chain The patient's consent first, the one whose grantee asks last.
    /// @param action One or more action bits, all of which must be allowed.
    function isPermitted(
        Link[] calldata chain,
        address grantee,
        uint16 action,
        string calldata purpose,
        bytes32 stream,
        uint48 dataTime
    ) external view returns (bool);
}
