// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {EmergencyAccess} from "../../contracts/EmergencyAccess.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";

/// @dev For the SMTChecker (`npm run smt`), not for the chain, and not for the compiler alone: EmergencyAccess as `opened.ts` gives it.
/// By induction over all calls: what is declared ends within four hours, neither the declaration nor a later end ever changes, and
/// hence nothing is open four hours after it was declared.
/// @dev `declarant` and `commitment` name the emergency that is watched, `other…` the one that the call is about: the same or another.
contract EmergencyProof is EmergencyAccess {
    constructor(address authority, IPartyRegistry parties) EmergencyAccess(authority, parties) {}

    /// @dev Block times stay far below 2^48.
    modifier inTime() {
        require(block.timestamp < 2 ** 40);
        _;
    }

    function openMeansWithinTerm(address declarant, bytes32 commitment) external view inTime {
        (uint48 declaredAt, uint48 endsAt) = _timesOf(declarant, commitment);
        require(endsAt <= uint256(declaredAt) + 4 hours);
        if (!isOpen(declarant, commitment)) return;
        assert(block.timestamp < uint256(declaredAt) + 4 hours);
    }

    function declareKeepsTerms(
        address declarant,
        bytes32 commitment,
        address organisation,
        bytes32 otherCommitment,
        uint48 term,
        address coSigner,
        uint48 deadline,
        bytes calldata coSignature
    ) external inTime {
        (uint48 declaredAt, uint48 endsAt) = _timesOf(declarant, commitment);
        declare(organisation, otherCommitment, term, coSigner, deadline, coSignature);
        (uint48 declaredAfter, uint48 endsAfter) = _timesOf(declarant, commitment);
        if (declaredAt != 0) assert(declaredAfter == declaredAt && endsAfter == endsAt);
        if (declaredAt == 0 && declaredAfter != 0) assert(endsAfter <= uint256(declaredAfter) + 4 hours);
    }

    /// @dev Part of a declaration, which is proven without it: that takes a fifth of the time.
    function quotaKeepsTerms(address declarant, bytes32 commitment, address organisation) external inTime {
        (uint48 declaredAt, uint48 endsAt) = _timesOf(declarant, commitment);
        _useQuota(organisation);
        (uint48 declaredAfter, uint48 endsAfter) = _timesOf(declarant, commitment);
        assert(declaredAfter == declaredAt && endsAfter == endsAt);
    }

    function endKeepsTerms(address declarant, bytes32 commitment, bytes32 otherCommitment) external inTime {
        (uint48 declaredAt, uint48 endsAt) = _timesOf(declarant, commitment);
        end(otherCommitment);
        (uint48 declaredAfter, uint48 endsAfter) = _timesOf(declarant, commitment);
        assert(declaredAfter == declaredAt);
        assert(endsAfter <= endsAt);
    }

    /// @dev The rest of the calls, of which the organisation's and the reviewers' write elsewhere.
    function othersKeepTerms(
        address declarant,
        bytes32 commitment,
        address account,
        bytes32 otherCommitment,
        uint32 quota
    ) external inTime {
        (uint48 declaredAt, uint48 endsAt) = _timesOf(declarant, commitment);
        review(account, otherCommitment, bytes32(uint256(quota)), quota != 0, bytes32(0));
        admit(account);
        dismiss(account);
        setQuota(account, quota);
        suspend(account);
        reinstate(account);
        (uint48 declaredAfter, uint48 endsAfter) = _timesOf(declarant, commitment);
        assert(declaredAfter == declaredAt && endsAfter == endsAt);
    }

    function eip712Domain()
        external
        pure
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        revert();
    }

    function _timesOf(address declarant, bytes32 commitment) private view returns (uint48, uint48) {
        return (_emergencies[declarant][commitment].declaredAt, _emergencies[declarant][commitment].endsAt);
    }
}
