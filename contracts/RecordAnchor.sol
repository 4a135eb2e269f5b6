// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRecordAnchor} from "./interfaces/IRecordAnchor.sol";
import {Merkle} from "./libraries/Merkle.sol";

/// @title Record anchor
/// @dev Immutable and without an owner. One storage slot a gateway, whatever the number of checkpoints.
contract RecordAnchor is IRecordAnchor {
    mapping(address gateway => bytes32 head) private _heads;

    /// @inheritdoc IRecordAnchor
    function anchor(bytes32 root, bytes32 checkpointDigest, uint64 size, bytes32 expectedHead) external {
        if (size == 0) revert CheckpointEmpty();
        bytes32 head = _heads[msg.sender];
        if (head != expectedHead) revert CheckpointHeadMismatch(expectedHead, head);

        head = _next(head, _inner(root, checkpointDigest, size));
        _heads[msg.sender] = head;

        emit CheckpointAnchored(msg.sender, root, checkpointDigest, size, head);
    }

    /// @inheritdoc IRecordAnchor
    function headOf(address gateway) external view returns (bytes32) {
        return _heads[gateway];
    }

    /// @inheritdoc IRecordAnchor
    function verifyInclusion(address gateway, Inclusion calldata inclusion) external view returns (bool) {
        bytes32 head = _next(inclusion.headBefore, _inner(inclusion.root, inclusion.checkpointDigest, inclusion.size));
        for (uint256 i = 0; i < inclusion.laterInners.length; ++i) head = _next(head, inclusion.laterInners[i]);
        if (head != _heads[gateway]) return false;

        bytes32 leaf = Merkle.leafHash(bytes.concat(inclusion.tag, inclusion.headerDigest, inclusion.batchDigest));
        return Merkle.isIncluded(leaf, inclusion.index, inclusion.size, inclusion.proof, inclusion.root);
    }

    function _inner(bytes32 root, bytes32 checkpointDigest, uint64 size) private pure returns (bytes32) {
        return keccak256(bytes.concat(root, checkpointDigest, bytes8(size)));
    }

    function _next(bytes32 head, bytes32 inner) private pure returns (bytes32) {
        return keccak256(bytes.concat(head, inner));
    }
}
