// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {ConsentLedger} from "../../../contracts/ConsentLedger.sol";

/// @dev For the SMTChecker (`npm run smt`), not for the chain: the ledger without signatures, every message of every grantor possible
/// at any time. Each `assert` is proven for all arguments and all states that can be reached, or reported.
/// @dev `grantor` and `consentId` name the entry that is watched, `other…` the one that the message is about: the same or another.
contract LedgerProof is ConsentLedger {
    /// @dev Revoked, ended by `revokeAll`, or never granted: not active.
    function activeMeansGrantedAndNotEnded(address grantor, bytes32 consentId) external view {
        (uint48 issuedAt, uint48 grantedAt, uint48 revokedAt) = entryOf(grantor, consentId);
        if (!isActive(grantor, consentId)) return;
        assert(grantedAt != 0);
        assert(revokedAt == 0);
        assert(issuedAt > endedBefore(grantor));
    }

    function grantKeepsWhatHasEnded(
        address grantor,
        bytes32 consentId,
        address otherGrantor,
        bytes32 otherId,
        uint48 otherIssuedAt
    ) external {
        uint48 ended = endedBefore(grantor);
        (uint48 issuedAt, uint48 grantedAt, uint48 revokedAt) = entryOf(grantor, consentId);
        _tryGrant(otherGrantor, otherId, otherIssuedAt);
        (uint48 issuedAfter, uint48 grantedAfter, uint48 revokedAfter) = entryOf(grantor, consentId);
        assert(endedBefore(grantor) == ended);
        assert(revokedAfter == revokedAt);
        assert(issuedAfter >= issuedAt);
        if (revokedAt != 0) assert(issuedAfter == issuedAt && grantedAfter == grantedAt);
    }

    function revokeKeepsWhatHasEnded(
        address grantor,
        bytes32 consentId,
        address otherGrantor,
        bytes32 otherId
    ) external {
        uint48 ended = endedBefore(grantor);
        (uint48 issuedAt, uint48 grantedAt, uint48 revokedAt) = entryOf(grantor, consentId);
        _revoke(otherGrantor, otherId);
        (uint48 issuedAfter, uint48 grantedAfter, uint48 revokedAfter) = entryOf(grantor, consentId);
        assert(endedBefore(grantor) == ended);
        assert(issuedAfter == issuedAt && grantedAfter == grantedAt);
        if (revokedAt != 0) assert(revokedAfter == revokedAt);
    }

    function revokeAllOnlyRises(
        address grantor,
        bytes32 consentId,
        address otherGrantor,
        uint48 otherIssuedAt
    ) external {
        uint48 ended = endedBefore(grantor);
        (uint48 issuedAt, uint48 grantedAt, uint48 revokedAt) = entryOf(grantor, consentId);
        _revokeAll(otherGrantor, otherIssuedAt);
        (uint48 issuedAfter, uint48 grantedAfter, uint48 revokedAfter) = entryOf(grantor, consentId);
        assert(endedBefore(grantor) >= ended);
        assert(issuedAfter == issuedAt && grantedAfter == grantedAt && revokedAfter == revokedAt);
    }

    // What ConsentLedger leaves to ConsentRegistry; here nobody calls it.

    function grant(bytes32) external pure {
        revert();
    }

    function grantBySig(address, bytes32, uint48, uint48, bytes calldata) external pure {
        revert();
    }

    function grantManyBySig(SignedGrant[] calldata) external pure returns (bytes4[] memory) {
        revert();
    }

    function revoke(bytes32) external pure {
        revert();
    }

    function revokeBySig(address, bytes32, bytes calldata) external pure {
        revert();
    }

    function revokeManyBySig(SignedRevoke[] calldata) external pure returns (bytes4[] memory) {
        revert();
    }

    function revokeAll() external pure {
        revert();
    }

    function revokeAllBySig(address, uint48, bytes calldata) external pure {
        revert();
    }

    function consentIdOf(Consent calldata) external pure returns (bytes32) {
        revert();
    }

    function isPermitted(
        Link[] calldata,
        address,
        uint16,
        string calldata,
        bytes32,
        uint48
    ) external pure returns (bool) {
        revert();
    }

    function eip712Domain()
        external
        pure
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        revert();
    }
}
