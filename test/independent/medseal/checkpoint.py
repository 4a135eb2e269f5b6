"""Checkpoint, page, pinset and mail row: formats.md, sections 13, 16 and 17."""

import base64

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from .crypto import sha256
from .merkle import leaf_hash, root
from .reader import Reader, Refused, need

PAGE = 4096


def read_entry(reader):
    return {"tag": reader.hex(32), "header": reader.hex(32), "batch": reader.hex(32)}


def ascending(tags):
    return all(a < b for a, b in zip(tags, tags[1:]))


def read_checkpoint(block):
    """A checkpoint block; its entries are None, and its pages digests, when it has more than 4,096."""
    reader = Reader(block)
    reader.name("medseal/checkpoint/1\n")
    out = {
        "chainId": str(reader.u64()),
        "anchor": reader.hex(20),
        "gateway": reader.hex(20),
        "index": reader.u48(),
        "headBefore": reader.hex(32),
        "previous": reader.hex(32),
    }
    size = reader.u32()
    need(1 <= size <= 4_194_304, "no entries, or too many")
    if size <= PAGE:
        out["entries"] = [read_entry(reader) for _ in range(size)]
        need(ascending([entry["tag"] for entry in out["entries"]]), "tags that do not ascend")
    else:
        out["entries"] = None
        out["pages"] = [reader.hex(32) for _ in range(-(-size // PAGE))]
    many = reader.u16()
    need(many <= 16384, "too many mail rows")
    out["mail"] = [read_mail_row(reader) for _ in range(many)]
    many = reader.u16()
    need(many <= 16384, "too many erased digests")
    out["erased"] = [reader.hex(32) for _ in range(many)]
    need(ascending(out["erased"]), "erased digests that do not ascend")
    reader.end()
    return out | {"size": size}


def read_mail_row(reader):
    return {"envelope": reader.hex(32), "ephemeral": reader.hex(32), "viewTag": reader.u8()}


def read_page(block, size, number):
    """Page `number`, from 0, of a checkpoint of `size` entries."""
    reader = Reader(block)
    reader.name("medseal/page/1\n")
    count = reader.u32()
    need(count == min(PAGE, size - number * PAGE), "another number of entries than a page has")
    entries = [read_entry(reader) for _ in range(count)]
    reader.end()
    need(ascending([entry["tag"] for entry in entries]), "tags that do not ascend")
    return entries


def join_pages(pages, size):
    """The entries of a checkpoint of `size` entries, on its pages."""
    entries = sum((read_page(page, size, number) for number, page in enumerate(pages)), [])
    need(ascending([entry["tag"] for entry in entries]), "tags that do not ascend")
    return entries


def write_entry(entry):
    return bytes.fromhex(entry["tag"] + entry["header"] + entry["batch"])


def entries_root(entries):
    return root([leaf_hash(write_entry(entry)) for entry in entries]).hex()


def view_tag(shared, ephemeral, envelope):
    return sha256(b"medseal/v1/view", shared, ephemeral, envelope)[0]


def agree(secret, public):
    """X25519; None when the result is all zero."""
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None


def make_row(envelope, view_key, secret):
    shared = agree(secret, view_key)
    if shared is None:
        raise Refused("ERR_X25519_KEY", "a key of small order")
    ephemeral = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    return {"envelope": envelope.hex(), "ephemeral": ephemeral.hex(), "viewTag": view_tag(shared, ephemeral, envelope)}


def is_mine(row, secret):
    ephemeral, envelope = bytes.fromhex(row["ephemeral"]), bytes.fromhex(row["envelope"])
    shared = agree(secret, ephemeral)
    return shared is not None and view_tag(shared, ephemeral, envelope) == row["viewTag"]


def read_pinset(block):
    """A pinset; DAG-CBOR has one encoding of it, so every byte but the digests and their number is known."""
    reader = Reader(block)
    need(reader.u8() == 0xA4, "no map of four keys")
    reader.name("elinks")
    links = [_link(reader) for _ in range(_head(reader, 0x80))]
    reader.name("fformatnmedseal-pinset")
    reader.name("gversion")
    need(reader.u8() == 1, "another version")
    reader.name("jcheckpoint")
    checkpoint = _link(reader)
    reader.end()
    need(ascending(links), "links that do not ascend")
    need(checkpoint not in links, "the checkpoint among its links")
    cid = base64.b32encode(b"\x01\x71\x12\x20" + sha256(block)).decode().lower().rstrip("=")
    return {"checkpoint": checkpoint, "blocks": links, "cid": "b" + cid}


def _head(reader, major):
    """The count of a CBOR head in its shortest form."""
    first = reader.u8()
    need(first & 0xE0 == major, "another type")
    short = first & 0x1F
    if short < 24:
        return short
    need(short <= 27, "an indefinite length")
    size = 1 << (short - 24)
    value = reader.number(size)
    need(value >= (24 if size == 1 else 1 << 4 * size), "an integer longer than it must be")
    return value


def _link(reader):
    need(reader.bytes(9) == bytes.fromhex("d82a58250001551220"), "no link to a raw block")
    return reader.hex(32)
