// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title Record anchor: one rolling head per gateway
/// @notice A gateway anchors any number of readings of any number of patients with one hash. What was anchored cannot be altered,
/// removed, reordered or anchored twice without the head showing it.
/// @dev `inner = keccak256(root ‖ checkpointDigest ‖ size)` over 32 + 32 + 8 = 72 bytes, `size` big-endian;
/// `head' = keccak256(head ‖ inner)` over 64 bytes; the first head of a gateway is 32 zero bytes.
interface IRecordAnchor {
    /// @notice Says that an entry is in a checkpoint of a gateway; everything in it is public.
    /// @param tag Pseudorandom tag of the batch.
    /// @param headerDigest SHA-256 of the sealed header block.
    /// @param batchDigest SHA-256 of the sealed batch block.
    /// @param index Position of the entry in the checkpoint, from 0.
    /// @param proof RFC 9162 inclusion proof, from the leaf up: no hash more, none less.
    /// @param root Merkle root of the checkpoint.
    /// @param checkpointDigest SHA-256 of the checkpoint block.
    /// @param size Number of entries in the checkpoint, padding included.
    /// @param headBefore The gateway's head before this checkpoint.
    /// @param laterInners The inner hashes of the checkpoints anchored after it, oldest first.
    struct Inclusion {
        bytes32 tag;
        bytes32 headerDigest;
        bytes32 batchDigest;
        uint64 index;
        bytes32[] proof;
        bytes32 root;
        bytes32 checkpointDigest;
        uint64 size;
        bytes32 headBefore;
        bytes32[] laterInners;
    }

    /// @notice Thrown when a checkpoint does not follow the caller's head: it is anchored already, or another one came first.
    error CheckpointHeadMismatch(bytes32 expectedHead, bytes32 head);

    /// @notice Thrown when a checkpoint has no entries.
    error CheckpointEmpty();

    /// @notice A gateway's head has moved on to `head` by this checkpoint.
    event CheckpointAnchored(
        address indexed gateway,
        bytes32 root,
        bytes32 checkpointDigest,
        uint64 size,
        bytes32 head
    );

    /// @notice Moves the caller's head on by one checkpoint.
    /// @dev A retried transaction cannot anchor twice, and a fork cannot hide: `expectedHead` must be the caller's head.
    /// @dev Warning: nobody checks that `root` belongs to the checkpoint; an auditor does, from the checkpoint block.
    /// @param root RFC 9162 SHA-256 Merkle root over the checkpoint's entries.
    /// @param checkpointDigest SHA-256 of the checkpoint block.
    /// @param size Number of entries, at least 1.
    /// @param expectedHead The head that this checkpoint follows; zero for a gateway's first.
    function anchor(bytes32 root, bytes32 checkpointDigest, uint64 size, bytes32 expectedHead) external;

    /// @notice The head of a gateway; zero when it has not anchored yet.
    function headOf(address gateway) external view returns (bytes32);

    /// @notice Whether an entry is in a checkpoint that the gateway has anchored.
    /// @dev The leaf is `SHA-256(0x00 ‖ tag ‖ headerDigest ‖ batchDigest)` over 97 bytes. Each later checkpoint costs about 1,370 gas of
    /// calldata and hashing; older entries are shown against the head of an old block by a storage proof.
    /// @dev Warning: asking a remote node for an entry tells its operator which batch matters.
    function verifyInclusion(address gateway, Inclusion calldata inclusion) external view returns (bool);
}
