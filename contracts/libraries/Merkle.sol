// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title SHA-256 Merkle trees of RFC 9162
/// @dev Positional: a proof says at which index of how many leaves. Leaves and nodes have different prefixes.
library Merkle {
    /// @dev RFC 9162, section 2.1.1: `SHA-256(0x00 ‖ entry)`.
    function leafHash(bytes memory entry) internal pure returns (bytes32) {
        return sha256(bytes.concat(bytes1(0x00), entry));
    }

    /// @dev RFC 9162, section 2.1.1: `SHA-256(0x01 ‖ left ‖ right)`.
    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(bytes.concat(bytes1(0x01), left, right));
    }

    /// @dev Merkle tree hash (RFC 9162, section 2.1.1) over entries of 32 bytes; at least one. A last node without a sibling goes up
    /// unchanged, which gives the same tree as splitting at the largest power of two.
    function rootOf(bytes32[] calldata entries) internal pure returns (bytes32) {
        uint256 width = entries.length;
        bytes32[] memory level = new bytes32[](width);
        for (uint256 i = 0; i < width; ++i) level[i] = leafHash(bytes.concat(entries[i]));
        while (width > 1) {
            uint256 pairs = width / 2;
            for (uint256 i = 0; i < pairs; ++i) level[i] = nodeHash(level[2 * i], level[2 * i + 1]);
            if (width % 2 == 1) level[pairs] = level[width - 1];
            width = pairs + (width % 2);
        }
        return level[0];
    }

    /// @dev RFC 9162, section 2.1.3.2. Refuses an index outside the tree and a proof of any other length than the position demands.
    function isIncluded(
        bytes32 leaf,
        uint64 index,
        uint64 size,
        bytes32[] calldata proof,
        bytes32 root
    ) internal pure returns (bool) {
        if (index >= size) return false;
        uint64 position = index;
        uint64 last = size - 1;
        bytes32 node = leaf;
        for (uint256 i = 0; i < proof.length; ++i) {
            if (last == 0) return false;
            if (position % 2 == 1 || position == last) {
                node = nodeHash(proof[i], node);
                while (position % 2 == 0 && position != 0) {
                    position >>= 1;
                    last >>= 1;
                }
            } else {
                node = nodeHash(node, proof[i]);
            }
            position >>= 1;
            last >>= 1;
        }
        return last == 0 && node == root;
    }
}
