// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";

/// @title The state of consents and the only ways it can change
/// @dev Says nothing about who may ask for a change: that is `ConsentRegistry`'s.
/// @dev First in the inheritance, so that its mappings lie in storage slots 0 and 1. Clients rebuild them from the events alone,
/// hence the layout is a promise: `Entry` is one slot with `issuedAt` in bits 0..47, `grantedAt` in 48..95, `revokedAt` in 96..143.
abstract contract ConsentLedger is IConsentRegistry {
    /// @dev How far a signer's clock may run ahead of the chain's.
    uint48 internal constant MAX_CLOCK_AHEAD = 15 minutes;

    /// @dev No refusal.
    bytes4 internal constant DONE = 0;

    mapping(address grantor => mapping(bytes32 consentId => Entry entry)) private _entries;
    mapping(address grantor => uint48 issuedAt) private _endedBefore;

    /// @inheritdoc IConsentRegistry
    function entryOf(
        address grantor,
        bytes32 consentId
    ) public view returns (uint48 issuedAt, uint48 grantedAt, uint48 revokedAt) {
        Entry memory entry = _entries[grantor][consentId];
        return (entry.issuedAt, entry.grantedAt, entry.revokedAt);
    }

    /// @inheritdoc IConsentRegistry
    function endedBefore(address grantor) public view returns (uint48) {
        return _endedBefore[grantor];
    }

    /// @inheritdoc IConsentRegistry
    function isActive(address grantor, bytes32 consentId) public view returns (bool) {
        Entry memory entry = _entries[grantor][consentId];
        return entry.grantedAt != 0 && entry.revokedAt == 0 && entry.issuedAt > _endedBefore[grantor];
    }

    function _grant(address grantor, bytes32 consentId, uint48 issuedAt) internal {
        bytes4 refusal = _tryGrant(grantor, consentId, issuedAt);
        if (refusal == DONE) return;
        if (refusal == ConsentIssuedInFuture.selector) revert ConsentIssuedInFuture(issuedAt, _latestIssue());
        if (refusal == ConsentIssuedBeforeRevokeAll.selector) {
            revert ConsentIssuedBeforeRevokeAll(issuedAt, _endedBefore[grantor]);
        }
        Entry storage entry = _entries[grantor][consentId];
        if (refusal == ConsentRevokedAlready.selector) revert ConsentRevokedAlready(consentId, entry.revokedAt);
        revert ConsentGrantedAlready(consentId, entry.issuedAt);
    }

    /// @dev Grants, or changes nothing and returns the selector of the error that says why.
    function _tryGrant(address grantor, bytes32 consentId, uint48 issuedAt) internal returns (bytes4 refusal) {
        if (issuedAt > _latestIssue()) return ConsentIssuedInFuture.selector;
        if (issuedAt <= _endedBefore[grantor]) return ConsentIssuedBeforeRevokeAll.selector;
        mapping(bytes32 consentId => Entry entry) storage entries = _entries[grantor];
        Entry memory entry = entries[consentId];
        if (entry.revokedAt != 0) return ConsentRevokedAlready.selector;
        // Taking the newest of several grants, whatever their order, keeps the outcome independent of who relays first.
        if (issuedAt <= entry.issuedAt) return ConsentGrantedAlready.selector;

        entry.issuedAt = issuedAt;
        entry.grantedAt = _now();
        entries[consentId] = entry;

        emit ConsentGranted(grantor, consentId, issuedAt);
        return DONE;
    }

    function _revoke(address grantor, bytes32 consentId) internal {
        Entry storage entry = _entries[grantor][consentId];
        if (entry.revokedAt != 0) return;

        entry.revokedAt = _now();

        emit ConsentRevoked(grantor, consentId);
    }

    function _revokeAll(address grantor, uint48 issuedAt) internal {
        uint48 latest = _latestIssue();
        if (issuedAt > latest) revert ConsentIssuedInFuture(issuedAt, latest);
        if (issuedAt <= _endedBefore[grantor]) return;

        _endedBefore[grantor] = issuedAt;

        emit AllConsentsRevoked(grantor, issuedAt);
    }

    function _now() internal view returns (uint48) {
        return uint48(block.timestamp);
    }

    function _latestIssue() private view returns (uint48) {
        unchecked {
            return _now() + MAX_CLOCK_AHEAD; // Block times stay far below 2^48.
        }
    }
}
