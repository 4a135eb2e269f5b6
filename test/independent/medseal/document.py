"""JSON in its one form, as proofs and bundles have it: formats.md, section 26."""

import json
import re

from .reader import malformed, need

MOST_NODES = 65
MOST_HASHES = 53
U32 = 2**32 - 1
SAFE = 2**53 - 1


def parse(text, most):
    """One object on one line in its one form. Keys that come twice and white space do not come out again."""
    need(len(text) <= most, "a longer text than any")
    try:
        value = json.loads(text)
        need(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n" == text, "JSON in another form")
    except (ValueError, RecursionError):
        raise malformed("no JSON") from None
    return value


def members(value, *names):
    """The values of just these members in this order; one that may be absent ends in `?`."""
    need(isinstance(value, dict), "no object")
    keys = [name.rstrip("?") for name in names if not name.endswith("?") or name[:-1] in value]
    need(list(value) == keys, "other members, or in another order")
    need(None not in value.values(), "null")
    return [value.get(name.rstrip("?")) for name in names]


def named(value, names):
    """The same by their names."""
    names = names.split()
    return dict(zip((name.rstrip("?") for name in names), members(value, *names)))


def form(at, name):
    """A document names its format, and version 1."""
    need(at["format"] == name and type(at["version"]) is int and at["version"] == 1, "another format")


def data(value, size=None):
    need(isinstance(value, str) and re.fullmatch(r"0x(?:[0-9a-f]{2})*", value, re.ASCII), "no bytes in hex")
    found = bytes.fromhex(value[2:])
    need(size is None or len(found) == size, "bytes of another size")
    return found


def count(value, most):
    need(type(value) is int and 0 <= value <= most, "no number, or one that is too large")
    return value


def items(value, most):
    need(isinstance(value, list) and len(value) <= most, "no list, or one that is too long")
    return value


def hashes(value, most=MOST_HASHES):
    return [data(one, 32) for one in items(value, most)]


def nodes(value):
    return [data(one) for one in items(value, MOST_NODES)]
