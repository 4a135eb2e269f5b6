// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title Recovery of a patient's vault: declared, waited for, open for a while
/// @notice Guardians release their shares only against a recovery that is open here. It opens 7 days after it was declared and closes
/// 14 days later; a veto by the patient's address ends it at once and for good.
/// @dev The EIP-712 domain is ("MedSeal VaultRecovery", "1", chain id, this).
/// @dev There is no role in this, and no nonce: a veto commutes with the declaration and wins.
/// @dev Warning: a patient should keep an address for this alone. Its guardians know it, the chain ties it to nothing else.
interface IVaultRecovery is IERC5267 {
    /// @notice What a recovery is about; sealed to each guardian, who checks every field with people.
    /// @param patient Address that may veto it.
    /// @param hpkeKey SHA-256 of the HPKE public key to which guardians seal their shares.
    /// @param keyVersion Version of the recovery key whose shares are asked for.
    /// @param salt 32 random bytes; without them the id would be guessable.
    /// @param statement One sentence for the guardians: who asks, and how they were recognised.
    struct Recovery {
        address patient;
        bytes32 hpkeKey;
        uint32 keyVersion;
        bytes32 salt;
        string statement;
    }

    /// @notice Thrown when this recovery of this patient was declared before; its delay does not begin anew.
    error RecoveryDeclaredAlready(bytes32 recoveryId, uint48 declaredAt);

    /// @notice Thrown when a recovery is declared that the patient has vetoed, even before it was ever declared.
    error RecoveryVetoedAlready(bytes32 recoveryId, uint48 vetoedAt);

    /// @notice Thrown when the signature is not the patient's for this veto, this contract and this chain.
    error RecoverySignatureInvalid();

    /// @notice A recovery will be open from `opensAt` until `closesAt`, unless the patient's address vetoes it.
    event RecoveryDeclared(
        address indexed patient,
        bytes32 indexed recoveryId,
        address indexed sender,
        uint48 opensAt,
        uint48 closesAt
    );

    /// @notice A recovery is vetoed for good, declared before or not.
    event RecoveryVetoed(address indexed patient, bytes32 indexed recoveryId);

    /// @notice Begins the delay of a recovery; anybody may send it, who does is of no account.
    /// @dev Warning: it says nothing about who asks. A guardian who releases a share without having the id opened to them, and
    /// without having recognised the person, gives it to a thief.
    /// @param patient Address that may veto it.
    /// @param recoveryId `hashStruct` of the recovery.
    function declareRecovery(address patient, bytes32 recoveryId) external;

    /// @notice Ends a recovery of the caller's vault from this block for good, open or not; one never declared can then never be.
    /// @dev Does nothing the second time.
    /// @dev Warning: whoever has the patient's key can stop recoveries with it. They need none.
    function vetoRecovery(bytes32 recoveryId) external;

    /// @notice Ends a recovery of the patient's vault from this block for good; anybody may relay it, at any time.
    /// @param signature The patient's over `Veto(address patient,bytes32 recoveryId)`.
    function vetoRecoveryBySig(address patient, bytes32 recoveryId, bytes calldata signature) external;

    /// @notice Whether guardians may release shares now: declared 7 to 21 days ago and not vetoed.
    /// @dev Deny early, allow late: take a veto from `latest`, or as a signed message, and the declaration from `finalized`.
    function isRecoveryOpen(address patient, bytes32 recoveryId) external view returns (bool);

    /// @notice Block times at which a recovery was declared and vetoed; zero is "not".
    function recoveryOf(address patient, bytes32 recoveryId) external view returns (uint48 declaredAt, uint48 vetoedAt);

    /// @notice The id of a recovery: its EIP-712 `hashStruct`.
    /// @dev Warning: the argument is clear text. Call it in an in-process EVM only, never over a remote RPC, never in a transaction.
    function recoveryIdOf(Recovery calldata recovery) external pure returns (bytes32);
}
