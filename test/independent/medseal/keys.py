"""Key trees, covers and the keys of an epoch: formats.md, sections 4 to 6."""

from .crypto import expand, hmac
from .reader import Reader, Refused, need


def span(level):
    return 1 << (32 - level)


def children(node):
    level, first, key = node
    left = (level + 1, first, hmac(key, b"medseal/v1/left"))
    right = (level + 1, first + span(level) // 2, hmac(key, b"medseal/v1/right"))
    return left, right


def cover_of(node, start, end):
    """The smallest set of nodes below `node` whose leaves are exactly the epochs from start to before end."""
    level, first, _ = node
    if end <= first or first + span(level) <= start:
        return []
    if start <= first and first + span(level) <= end:
        return [node]
    left, right = children(node)
    return cover_of(left, start, end) + cover_of(right, start, end)


def read_cover(data):
    reader = Reader(data)
    reader.name("medseal/cover/1\n")
    nodes = []
    for _ in range(reader.u16()):
        level, first, key = reader.u8(), reader.u32(), reader.bytes(32)
        need(level <= 32, "a level above 32")
        need(first % span(level) == 0, "a first epoch off its level")
        if nodes:
            before, begin, _ = nodes[-1]
            need(first >= begin + span(before), "a node before the end of the one before it")
            siblings = before == level and begin + span(level) == first and begin % (2 * span(level)) == 0
            need(not siblings, "two children in place of their parent")
        nodes.append((level, first, key))
    reader.end()
    return nodes


def write_cover(nodes):
    rows = b"".join(bytes([level]) + first.to_bytes(4, "big") + key for level, first, key in nodes)
    return b"medseal/cover/1\n" + len(nodes).to_bytes(2, "big") + rows


def show_cover(nodes):
    return [{"level": level, "first": first, "key": key.hex()} for level, first, key in nodes]


def epoch_key(nodes, epoch):
    for node in nodes:
        if node[1] <= epoch < node[1] + span(node[0]):
            while node[0] < 32:
                left, right = children(node)
                node = left if epoch < right[1] else right
            return hmac(node[2], b"medseal/v1/epoch")
    raise Refused("ERR_OUTSIDE_COVER", "no node of the cover holds this epoch")


def batch_key(data_key):
    return expand(data_key, b"medseal/v1/batch")


def header_key(audit_key):
    return expand(audit_key, b"medseal/v1/header")


def tag(audit_key, n):
    return hmac(expand(audit_key, b"medseal/v1/tag"), n.to_bytes(4, "big"))
