// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IVaultRecovery} from "./interfaces/IVaultRecovery.sol";
import {ConsentSignature} from "./libraries/ConsentSignature.sol";

/// @title Recovery of a patient's vault
/// @dev Immutable and without an owner: what a patient's address may veto, nobody else can touch.
contract VaultRecovery is IVaultRecovery, EIP712 {
    struct Times {
        uint48 declaredAt;
        uint48 vetoedAt;
    }

    /// @dev How long a patient has to veto a recovery before it opens, and how long it then stays open.
    uint48 private constant DELAY = 7 days;
    uint48 private constant TERM = 14 days;

    bytes32 private constant RECOVERY_TYPEHASH = keccak256(
        "Recovery(address patient,bytes32 hpkeKey,uint32 keyVersion,bytes32 salt,string statement)"
    );
    bytes32 private constant VETO_TYPEHASH = keccak256("Veto(address patient,bytes32 recoveryId)");

    mapping(address patient => mapping(bytes32 recoveryId => Times times)) private _recoveries;

    constructor() EIP712("MedSeal VaultRecovery", "1") {}

    /// @inheritdoc IVaultRecovery
    function declareRecovery(address patient, bytes32 recoveryId) external {
        Times storage times = _recoveries[patient][recoveryId];
        if (times.vetoedAt != 0) revert RecoveryVetoedAlready(recoveryId, times.vetoedAt);
        if (times.declaredAt != 0) revert RecoveryDeclaredAlready(recoveryId, times.declaredAt);

        uint48 declaredAt = _now();
        times.declaredAt = declaredAt;

        emit RecoveryDeclared(patient, recoveryId, msg.sender, declaredAt + DELAY, declaredAt + DELAY + TERM);
    }

    /// @inheritdoc IVaultRecovery
    function vetoRecovery(bytes32 recoveryId) external {
        _vetoRecovery(msg.sender, recoveryId);
    }

    /// @inheritdoc IVaultRecovery
    function vetoRecoveryBySig(address patient, bytes32 recoveryId, bytes calldata signature) external {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(VETO_TYPEHASH, patient, recoveryId)));
        if (!ConsentSignature.isValid(patient, digest, signature)) revert RecoverySignatureInvalid();

        _vetoRecovery(patient, recoveryId);
    }

    /// @inheritdoc IVaultRecovery
    function isRecoveryOpen(address patient, bytes32 recoveryId) external view returns (bool) {
        Times memory times = _recoveries[patient][recoveryId];
        if (times.declaredAt == 0 || times.vetoedAt != 0) return false;
        uint48 opensAt = times.declaredAt + DELAY;
        return _now() >= opensAt && _now() < opensAt + TERM;
    }

    /// @inheritdoc IVaultRecovery
    function recoveryOf(
        address patient,
        bytes32 recoveryId
    ) external view returns (uint48 declaredAt, uint48 vetoedAt) {
        Times memory times = _recoveries[patient][recoveryId];
        return (times.declaredAt, times.vetoedAt);
    }

    /// @inheritdoc IVaultRecovery
    function recoveryIdOf(Recovery calldata recovery) external pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    RECOVERY_TYPEHASH,
                    recovery.patient,
                    recovery.hpkeKey,
                    recovery.keyVersion,
                    recovery.salt,
                    keccak256(bytes(recovery.statement))
                )
            );
    }

    /// @dev Shared by `vetoRecovery` and `vetoRecoveryBySig`, which differ only in how they establish `patient`.
    function _vetoRecovery(address patient, bytes32 recoveryId) private {
        Times storage times = _recoveries[patient][recoveryId];
        if (times.vetoedAt != 0) return;

        times.vetoedAt = _now();

        emit RecoveryVetoed(patient, recoveryId);
    }

    function _now() private view returns (uint48) {
        return uint48(block.timestamp);
    }
}
