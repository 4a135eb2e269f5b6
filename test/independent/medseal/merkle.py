"""Merkle trees and the rolling head: formats.md, sections 14 and 15."""

from .crypto import keccak, sha256


def leaf_hash(leaf):
    return sha256(b"\x00", leaf)


def root(hashes):
    """The root over hashes of leaves."""
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha256(b"\x01", root(hashes[:split]), root(hashes[split:]))


def included(leaf, index, size, path, expected):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, node = index, size - 1, leaf
    for part in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            node = sha256(b"\x01", part, node)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            node = sha256(b"\x01", node, part)
        fn >>= 1
        sn >>= 1
    return sn == 0 and node == expected


def inner(checkpoint_root, digest, size):
    return keccak(checkpoint_root, digest, size.to_bytes(8, "big"))


def next_head(head, inner_hash):
    return keccak(head, inner_hash)
