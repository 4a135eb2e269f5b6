"""Late readings, and what a patient filed of them: formats.md, section 29."""

from .batch import read_batch
from .crypto import sha256
from .header import item, signed
from .merkle import root
from .observation import leaves, seconds, write_observation
from .reader import Reader, need
from .seal import BATCH_SIZES


def read_letter(data, epoch_length, start, end):
    """Late readings as the gateway signed them: section 29. Signed by the gateway as a whole, which is checked elsewhere."""
    reader = Reader(data)
    reader.name("medseal/late/1\n")
    write, stream, key = reader.hex(32), reader.hex(32), reader.hex(33)
    firmware, counter, previous = reader.u32(), reader.u64(), reader.hex(32)
    count = reader.u8()
    need(1 <= count <= 16, "no chunk, or more than 16")
    chunks = [late_chunk(reader, epoch_length) for _ in range(count)]
    statement = {
        "deviceKey": key,
        "firmware": firmware,
        "counter": str(counter),
        "previous": previous,
        "items": [item(stream, one["epoch"], len(one["chunk"]["observations"]), one["root"]) for one in chunks],
        "signature": reader.hex(64),
    }
    reader.end()
    inside = all(start <= one["epoch"] * epoch_length < end for one in chunks)
    need(inside and signed(statement), "not signed, or outside the leave to write", "ERR_LATE_FORGED")
    return {"write": write, "stream": stream, "statement": statement, "chunks": chunks}


def late_chunk(reader, epoch_length):
    epoch, batch = reader.u32(), reader.sized32()
    base = epoch * epoch_length
    chunks = read_batch(batch, base)
    need(len(chunks) == 1, "not one chunk")
    rows = chunks[0]["observations"]
    inside = all(base <= seconds(row["time"]) < base + epoch_length for row in rows)
    need(inside, "an observation outside its epoch", "ERR_CHUNK_OUTSIDE_EPOCH")
    hashes = leaves(bytes.fromhex(chunks[0]["seed"]), [write_observation(row) for row in rows])
    return {"epoch": epoch, "root": root(hashes).hex(), "chunk": chunks[0]}


def read_filed(data):
    reader = Reader(data)
    reader.name("medseal/filed/1\n")
    entries = []
    while reader.at < len(data):
        tag, header, batch = reader.hex(32), reader.bytes(1024), reader.sized32()
        need(len(batch) in BATCH_SIZES, "no size of a batch")
        entries.append({"tag": tag, "header": sha256(header).hex(), "batch": sha256(batch).hex()})
    return entries
