"""Chunk, statement and header: formats.md, sections 10 and 12."""

from .batch import read_batch
from .crypto import p256_key, p256_verify, sha256, uncompressed
from .keys import batch_key, header_key, tag
from .merkle import root
from .observation import leaves, seconds, write_observation
from .reader import Reader, need
from .seal import BATCH_SIZES, HEADER_SIZE, context, open_content, open_content_alone

ZEROS = "00" * 32


def item(stream, epoch, count, chunk_root):
    number = epoch.to_bytes(4, "big") + count.to_bytes(4, "big")
    return sha256(b"medseal/v1/item", bytes.fromhex(stream), number, bytes.fromhex(chunk_root)).hex()


def device_id(key):
    return sha256(b"medseal/v1/device", uncompressed(key))


def statement_digest(statement, key):
    numbers = statement["firmware"].to_bytes(4, "big") + int(statement["counter"]).to_bytes(8, "big")
    items = b"".join(map(bytes.fromhex, statement["items"]))
    many = bytes([len(statement["items"])])
    return sha256(b"medseal/v1/chunk", device_id(key), numbers, bytes.fromhex(statement["previous"]), many, items)


def signed(statement):
    key = p256_key(bytes.fromhex(statement["deviceKey"]))
    return key is not None and p256_verify(key, statement_digest(statement, key), bytes.fromhex(statement["signature"]))


def read_chunk(reader):
    key, firmware, counter, previous = reader.hex(33), reader.u32(), reader.u64(), reader.hex(32)
    items = [reader.hex(32) for _ in range(reader.u8())]
    need(1 <= len(items) <= 16, "a statement of no item, or of more than 16")
    index, count, missing, chunk_root = reader.u8(), reader.u32(), reader.u32(), reader.hex(32)
    need(index < len(items), "an index outside its statement")
    need(missing <= count, "more missing than leaves")
    statement = {
        "deviceKey": key,
        "firmware": firmware,
        "counter": str(counter),
        "previous": previous,
        "items": items,
        "signature": reader.hex(64),
    }
    return {"statement": statement, "index": index, "count": count, "missing": missing, "root": chunk_root}


def read_header(data):
    need(len(data) <= 940, "more than 940 bytes")
    reader = Reader(data)
    reader.name("medseal/header/1\n")
    header = {
        "stream": reader.hex(32),
        "generation": reader.u32(),
        "epoch": reader.u32(),
        "n": reader.u32(),
        "sequence": reader.u48(),
        "previous": reader.hex(32),
        "continues": reader.hex(32),
    }
    first = header["sequence"] == 0
    need(not first or header["previous"] == ZEROS, "a first header with one before it")
    need(first or header["continues"] == ZEROS, "continues a generation, and is not its first header")
    flags = reader.u8()
    need(flags < 4, "an unknown flag")
    header |= {"last": bool(flags & 1), "late": bool(flags & 2)}
    header |= {"earliest": reader.u48(), "latest": reader.u48(), "batch": reader.hex(32)}
    header["chunks"] = [read_chunk(reader) for _ in range(reader.u8())]
    reader.end()
    return header


def mismatch(condition, why):
    need(condition, why, "ERR_MISMATCH")


def open_header(place, audit_key, entry, block):
    """The header behind an entry: the checks of section 12, in their order."""
    named(entry, block)
    mismatch(tag(audit_key, place["n"]).hex() == entry["tag"], "an entry of another tag")
    return fitting(place, entry, open_content(header_key(audit_key), context(place, "header"), block))


def open_header_alone(place, message_key, entry, block):
    """The same with the single-use key of this header: without the check of the tag."""
    named(entry, block)
    return fitting(place, entry, open_content_alone(message_key, context(place, "header"), block))


def named(entry, block):
    need(len(block) == HEADER_SIZE, "a header block of another size")
    mismatch(sha256(block).hex() == entry["header"], "another header block than the entry's")


def fitting(place, entry, content):
    header = read_header(content)
    for name in ("stream", "generation", "epoch", "n"):
        mismatch(header[name] == place[name], f"another {name} than looked for")
    mismatch(header["batch"] == entry["batch"], "another batch than the entry's")
    for chunk in header["chunks"]:
        item_named = chunk["statement"]["items"][chunk["index"]]
        own = item(header["stream"], header["epoch"], chunk["count"], chunk["root"])
        mismatch(item_named == own, "a chunk that its statement does not name")
        mismatch(signed(chunk["statement"]), "a statement that its key did not sign")
    return header


def open_batch(place, data_key, epoch_length, header, block):
    """The chunks behind a header: the checks of section 12, in their order. The block was fetched by its digest."""
    need(len(block) in BATCH_SIZES, "a batch block of another size")
    return as_stated(place, epoch_length, header, open_content(batch_key(data_key), context(place, "batch"), block))


def open_batch_alone(place, message_key, epoch_length, header, block):
    """The same with the single-use key of this batch."""
    need(len(block) in BATCH_SIZES, "a batch block of another size")
    return as_stated(place, epoch_length, header, open_content_alone(message_key, context(place, "batch"), block))


def as_stated(place, epoch_length, header, content):
    base = place["epoch"] * epoch_length
    chunks = read_batch(content, base)
    mismatch(len(chunks) == len(header["chunks"]), "another number of chunks than the header's")
    times = []
    for chunk, stated in zip(chunks, header["chunks"]):
        rows = chunk["observations"]
        missing = sum(row["value"]["kind"] == "missing" for row in rows)
        mismatch((len(rows), missing) == (stated["count"], stated["missing"]), "another number of rows than the header's")
        hashes = leaves(bytes.fromhex(chunk["seed"]), [write_observation(row) for row in rows])
        mismatch(root(hashes).hex() == stated["root"], "another root than the header's")
        for time in (seconds(row["time"]) for row in rows):
            need(base <= time < base + epoch_length, "an observation outside its epoch", "ERR_CHUNK_OUTSIDE_EPOCH")
            times.append(time)
    earliest, latest = (min(times), max(times)) if times else (0, 0)
    mismatch((earliest, latest) == (header["earliest"], header["latest"]), "other times than the header's")
    return chunks
