// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {VaultRecovery} from "../../contracts/VaultRecovery.sol";

/// @dev For the SMTChecker (`npm run smt`), not for the chain, and not for the compiler alone: VaultRecovery as `opened.ts` gives it.
/// By induction over all calls: a recovery is open from 7 to 21 days after its one declaration and never once it is vetoed, which stays.
/// @dev `patient` and `recoveryId` name the recovery that is watched, `other…` the one that the call is about: the same or another.
contract RecoveryProof is VaultRecovery {
    /// @dev Block times stay far below 2^48.
    modifier inTime() {
        require(block.timestamp > 0 && block.timestamp < 2 ** 40);
        _;
    }

    function openMeansInItsTime(address patient, bytes32 recoveryId) external view inTime {
        (uint48 declaredAt, uint48 vetoedAt) = recoveryOf(patient, recoveryId);
        require(declaredAt <= block.timestamp);
        if (!isRecoveryOpen(patient, recoveryId)) return;
        assert(declaredAt != 0);
        assert(vetoedAt == 0);
        assert(block.timestamp >= uint256(declaredAt) + 7 days);
        assert(block.timestamp < uint256(declaredAt) + 21 days);
    }

    function declareKeepsTimes(
        address patient,
        bytes32 recoveryId,
        address otherPatient,
        bytes32 otherId
    ) external inTime {
        (uint48 declaredAt, uint48 vetoedAt) = recoveryOf(patient, recoveryId);
        declareRecovery(otherPatient, otherId);
        (uint48 declaredAfter, uint48 vetoedAfter) = recoveryOf(patient, recoveryId);
        assert(vetoedAfter == vetoedAt);
        if (declaredAt != 0 || vetoedAt != 0) assert(declaredAfter == declaredAt);
    }

    function vetoIsForGood(address patient, bytes32 recoveryId, address otherPatient, bytes32 otherId) external inTime {
        (uint48 declaredAt, uint48 vetoedAt) = recoveryOf(patient, recoveryId);
        _vetoRecovery(otherPatient, otherId);
        (uint48 declaredAfter, uint48 vetoedAfter) = recoveryOf(patient, recoveryId);
        assert(declaredAfter == declaredAt);
        if (vetoedAt != 0) assert(vetoedAfter == vetoedAt);
    }

    function eip712Domain()
        external
        pure
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        revert();
    }
}
