"""RLP, block headers and proofs of the chain's state: formats.md, section 26, "State"."""

from .crypto import keccak
from .reader import need

CODE = "ERR_STATE_PROOF"
EMPTY_ROOT = keccak(b"\x80")


def must(condition, why):
    need(condition, why, CODE)


def rlp(encoded):
    """Bytes or a list of items; only the shortest form."""
    try:
        item, end = _item(encoded, 0)
    except RecursionError:
        must(False, "lists in lists without end")
    must(end == len(encoded), "bytes behind the RLP")
    return item


def _item(encoded, at):
    must(at < len(encoded), "RLP that is cut off")
    first = encoded[at]
    if first < 0x80:
        return encoded[at : at + 1], at + 1
    is_list = first >= 0xC0
    short = first - (0xC0 if is_list else 0x80)
    start = at + 1
    size = short
    if short > 55:
        start += short - 55
        must(start <= len(encoded) and encoded[at + 1] != 0, "a length that is cut off, or longer than it must be")
        size = int.from_bytes(encoded[at + 1 : start], "big")
        must(size > 55, "a length longer than it must be")
    end = start + size
    must(end <= len(encoded), "RLP that is cut off")
    if not is_list:
        must(size != 1 or encoded[start] >= 0x80, "a byte longer than it must be")
        return encoded[start:end], end
    items = []
    while start < end:
        item, start = _item(encoded[:end], start)
        items.append(item)
    return items, end


def read_block(encoded):
    items = rlp(encoded)
    must(isinstance(items, list) and len(items) >= 15, "no block header")
    root, number, time = items[3], items[8], items[11]
    must(isinstance(root, bytes) and len(root) == 32, "no state root")
    for value in (number, time):
        must(isinstance(value, bytes) and len(value) <= 6, "no number")
    return {
        "number": int.from_bytes(number, "big"),
        "hash": keccak(encoded),
        "stateRoot": root,
        "timestamp": int.from_bytes(time, "big"),
    }


def value_at(root, key, nodes):
    """The value behind a hashed key in a Merkle Patricia trie; None when the nodes show that there is none."""
    if root == EMPTY_ROOT and not nodes:
        return None
    digits, depth, wanted = key.hex(), 0, root
    for number, encoded in enumerate(nodes):
        must(keccak(encoded) == wanted, "a node that its parent does not name")
        value, wanted, depth = _step(rlp(encoded), digits, depth)
        if wanted is None:
            must(number == len(nodes) - 1, "nodes behind the end")
            return value
    must(False, "no end")


def _step(node, digits, depth):
    """(value, None, …) at an end, (None, hash of the child, depth) on the way."""
    must(isinstance(node, list) and len(node) in (2, 17), "a node of neither 2 nor 17 items")
    if len(node) == 17:
        must(depth < 64, "a branch below all digits")
        child = node[int(digits[depth], 16)]
        if child == b"":
            return None, None, depth
        return None, _hash(child), depth + 1
    must(isinstance(node[0], bytes) and node[0], "a node without a path")
    flag, path = node[0][0] >> 4, node[0].hex()
    must(flag < 4 and (flag & 1 or path[1] == "0"), "a path without its flag")
    path = path[1:] if flag & 1 else path[2:]
    fits = digits.startswith(path, depth)
    if flag < 2:
        return (None, _hash(node[1]), depth + len(path)) if fits else (None, None, depth)
    must(len(path) == 64 - depth, "a leaf at another depth")
    must(not fits or isinstance(node[1], bytes), "a leaf with a list in it")
    return node[1] if fits else None, None, depth


def _hash(child):
    must(isinstance(child, bytes) and len(child) == 32, "a node inside its parent")
    return child


def account(root, address, nodes):
    """Storage root and code hash."""
    encoded = value_at(root, keccak(address), nodes)
    must(encoded is not None, "no such account")
    value = rlp(encoded)
    must(isinstance(value, list) and len(value) == 4, "no account")
    for part in value[2:]:
        must(isinstance(part, bytes) and len(part) == 32, "no account")
    return value[2], value[3]


def slot(storage_root, at, nodes):
    """The word in a slot, 32 bytes."""
    encoded = value_at(storage_root, keccak(at), nodes)
    value = b"" if encoded is None else rlp(encoded)
    must(isinstance(value, bytes) and len(value) <= 32, "no word")
    return value.rjust(32, b"\0")


def mapped(key, at):
    """The slot of a key in a mapping; both padded to words."""
    return keccak(key.rjust(32, b"\0"), at)


HEADS = bytes(32)
ENTRIES = bytes(32)
ENDED_BEFORE = (1).to_bytes(32, "big")
