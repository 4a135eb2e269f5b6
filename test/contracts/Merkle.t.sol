// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {Merkle} from "../../contracts/libraries/Merkle.sol";
import {Draw, vm} from "./Vm.sol";

/// @dev RFC 9162, sections 2.1.1 and 2.1.3.1, word for word: recursive and wasteful, so that it shares nothing with the library.
library PlainMerkle {
    function root(bytes32[] memory entries) internal pure returns (bytes32) {
        if (entries.length == 0) return sha256("");
        if (entries.length == 1) return sha256(abi.encodePacked(uint8(0), entries[0]));
        uint256 k = split(entries.length);
        return sha256(abi.encodePacked(uint8(1), root(slice(entries, 0, k)), root(slice(entries, k, entries.length))));
    }

    function path(uint256 m, bytes32[] memory entries) internal pure returns (bytes32[] memory) {
        if (entries.length == 1) return new bytes32[](0);
        uint256 k = split(entries.length);
        bytes32[] memory left = slice(entries, 0, k);
        bytes32[] memory right = slice(entries, k, entries.length);
        return m < k ? append(path(m, left), root(right)) : append(path(m - k, right), root(left));
    }

    /// @dev The largest power of two smaller than n.
    function split(uint256 n) internal pure returns (uint256 k) {
        for (k = 1; k * 2 < n; k *= 2) {}
    }

    function slice(bytes32[] memory all, uint256 from, uint256 to) internal pure returns (bytes32[] memory part) {
        part = new bytes32[](to - from);
        for (uint256 i = from; i < to; i++) part[i - from] = all[i];
    }

    function append(bytes32[] memory list, bytes32 one) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; i++) longer[i] = list[i];
        longer[list.length] = one;
    }
}

contract MerkleTest {
    using Draw for Draw.Source;

    function rootOf(bytes32[] calldata entries) external pure returns (bytes32) {
        return Merkle.rootOf(entries);
    }

    function isIncluded(
        bytes32 entry,
        uint64 index,
        uint64 size,
        bytes32[] calldata proof,
        bytes32 root
    ) public pure returns (bool) {
        return Merkle.isIncluded(Merkle.leafHash(bytes.concat(entry)), index, size, proof, root);
    }

    function test_rootOf_everySizeTo40() external view {
        for (uint256 size = 1; size <= 40; size++) {
            bytes32[] memory entries = _entries(Draw.Source(size, 0), size);
            require(this.rootOf(entries) == PlainMerkle.root(entries), "root differs from RFC 9162");
        }
    }

    function testFuzz_isIncluded_everyEntry(uint256 seed) external view {
        Draw.Source memory source = Draw.Source(seed, 0);
        bytes32[] memory entries = _entries(source, source.between(1, 40));
        bytes32 root = PlainMerkle.root(entries);
        for (uint256 i = 0; i < entries.length; i++) {
            bytes32[] memory proof = PlainMerkle.path(i, entries);
            require(this.isIncluded(entries[i], uint64(i), uint64(entries.length), proof, root), "refused");
        }
    }

    function testFuzz_isIncluded_nothingElse(uint256 seed) external view {
        Draw.Source memory source = Draw.Source(seed, 0);
        bytes32[] memory entries = _entries(source, source.between(2, 40));
        uint64 size = uint64(entries.length);
        uint64 index = uint64(source.between(0, size - 1));
        bytes32 entry = entries[index];
        bytes32[] memory proof = PlainMerkle.path(index, entries);
        bytes32 root = PlainMerkle.root(entries);

        uint64 other = uint64((index + source.between(1, size - 1)) % size);
        require(!this.isIncluded(entry, other, size, proof, root), "another index");
        require(!this.isIncluded(entries[other], index, size, proof, root), "another entry");
        require(!this.isIncluded(entry, index + size, size, proof, root), "an index outside the tree");
        require(!this.isIncluded(entry, index, size, PlainMerkle.append(proof, source.word()), root), "a longer proof");
        require(
            !this.isIncluded(entry, index, size, PlainMerkle.slice(proof, 0, proof.length - 1), root),
            "a shorter one"
        );
        require(!this.isIncluded(entry, index, size, proof, source.word()), "another root");
        bytes32 extra = source.word();
        bytes32 above = sha256(abi.encodePacked(uint8(1), extra, root));
        require(!this.isIncluded(entry, index, size, PlainMerkle.append(proof, extra), above), "a root above the tree");
        uint256 altered = source.between(0, proof.length - 1);
        proof[altered] ^= bytes32(1 << source.between(0, 255));
        require(!this.isIncluded(entry, index, size, proof, root), "an altered proof");
    }

    function test_isIncluded_refusesAnEmptyTree() external view {
        require(!this.isIncluded(0, 0, 0, new bytes32[](0), sha256("")), "an entry of an empty tree");
    }

    function _entries(Draw.Source memory source, uint256 size) private pure returns (bytes32[] memory entries) {
        entries = new bytes32[](size);
        for (uint256 i = 0; i < size; i++) entries[i] = source.word();
    }
}
