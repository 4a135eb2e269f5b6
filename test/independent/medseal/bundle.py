"""The file of a bundle and its manifest: formats.md, section 27."""

import base64
import binascii
import re
import struct
import zlib

from .consent import LATEST
from .document import SAFE, U32, count, data, form, hashes, items, members, named, nodes, parse
from .reader import need

MANIFEST = "evidence.json"
BLOCKS = "blocks/"
LONGEST = 2**29
MOST = 2**20
DAY = 86400


def read_files(file):
    """Names and contents, of an archive in its one form."""
    need(len(file) <= 2**31 - 1, "more than 2 GiB")
    found, at = [], 0
    while file[at : at + 4] == b"PK\x03\x04":
        need(at + 30 <= len(file), "a file that is cut off")
        crc, size, _, length = struct.unpack_from("<IIIH", file, at + 14)
        begin = at + 30 + length
        need(begin + size <= len(file), "a file that is cut off")
        name, content = file[at + 30 : begin], file[begin : begin + size]
        need(re.fullmatch(rb"[a-z0-9][a-z0-9./]{0,99}", name), "a name of another form")
        need(zlib.crc32(content) == crc, "an altered file")
        found.append((name.decode(), content))
        at = begin + size
    need(0 < len(found) <= 65535, "no file, or too many")
    need(len({name for name, _ in found}) == len(found), "a file twice")
    need(write_files(found) == file, "an archive in another form")
    return [{"name": name, "content": content.hex()} for name, content in found]


def write_files(files):
    out, directory = bytearray(), bytearray()
    for name, content in files:
        size = len(content)
        facts = struct.pack("<HHHHIIIHH", 0, 0, 0, 0x21, zlib.crc32(content), size, size, len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<HH", 10, 10) + facts + struct.pack("<HHHII", 0, 0, 0, 0, len(out))
        directory += name.encode()
        out += b"PK\x03\x04" + struct.pack("<H", 10) + facts + name.encode() + content
    many = len(files)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, many, many, len(directory), len(out), 0)
    return bytes(out + directory + end)


def digest_named(name):
    """The digest in the name of a block: a CID of section 17, in base32."""
    need(name.startswith(BLOCKS + "b"), "no block")
    text = name[len(BLOCKS) + 1 :]
    try:
        cid = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (ValueError, binascii.Error):
        cid = b""
    need(len(cid) == 36 and cid[:4] == b"\x01\x55\x12\x20", "no CID of a raw block")
    need(base64.b32encode(cid).decode().lower().rstrip("=") == text, "a CID in another form")
    return cid[4:].hex()


def open_file(file):
    """Manifest and blocks of a bundle."""
    (first, *rest) = read_files(file)
    need(first["name"] == MANIFEST, "no manifest first")
    names = [one["name"] for one in rest]
    need(all(a < b for a, b in zip(names, names[1:])), "blocks out of order")
    blocks = {digest_named(one["name"]): bytes.fromhex(one["content"]) for one in rest}
    return bytes.fromhex(first["content"]), blocks


def read_manifest(content):
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        need(False, "text that is not UTF-8")
    at = named(
        parse(text, LONGEST),
        "format version software chainId consentRegistry recordAnchor stream epochLength shows from to block"
        " anchorAccount registryAccount? gateways consents generations",
    )
    form(at, "medseal-evidence")
    software, shows = at["software"], at["shows"]
    need(isinstance(software, str) and re.fullmatch(r"[\x20-\x7e]{0,100}", software, re.ASCII), "no name of a software")
    length, start, end = count(at["epochLength"], DAY), count(at["from"], LATEST), count(at["to"], LATEST)
    need(length > 0 and DAY % length == 0, "no length of an epoch")
    need(start % length == 0 and end % length == 0 and start < end, "no window of whole epochs")
    need(shows in ("readings", "headers"), "shows neither readings nor headers")
    consents = [read_consent(one) for one in items(at["consents"], MOST)]
    registry = at["registryAccount"]
    bundle = {
        "chainId": str(count(at["chainId"], SAFE)),
        "registry": data(at["consentRegistry"], 20),
        "anchor": data(at["recordAnchor"], 20).hex(),
        "stream": data(at["stream"], 32).hex(),
        **{"epochLength": length, "shows": shows, "from": start, "to": end},
        "block": data(at["block"]),
        "anchorAccount": nodes(at["anchorAccount"]),
        "registryAccount": None if registry is None else nodes(registry),
        "gateways": [read_gateway(one) for one in items(at["gateways"], MOST)],
        "consents": consents,
        "generations": [read_generation(one, len(consents)) for one in items(at["generations"], MOST)],
    }
    batches = [batch for one in bundle["generations"] for batch in one["batches"]]
    need(shows == "readings" or not any(batch["batchKey"] for batch in batches), "a key of a batch beside headers")
    return bundle


def read_gateway(value):
    address, storage, anchors = members(value, "address", "storage", "checkpoints")
    return {
        "address": data(address, 20),
        "storage": nodes(storage),
        "checkpoints": [read_anchor(one) for one in items(anchors, MOST)],
    }


def read_anchor(value):
    root, digest, size, block, time = members(value, "root", "digest", "size", "block", "time")
    numbers = {"size": count(size, SAFE), "block": count(block, SAFE), "time": count(time, LATEST)}
    return {"root": data(root, 32), "digest": data(digest, 32)} | numbers


def read_consent(value):
    text, scope, slots = members(value, "consent", "scope", "state?")
    index, size, path = members(scope, "index", "size", "path")
    entry, ended = (None, None) if slots is None else members(slots, "entry", "endedBefore")
    return {
        "bytes": data(text),
        "scope": (count(index, U32), count(size, U32), hashes(path)),
        "state": None if slots is None else (nodes(entry), nodes(ended)),
    }


def read_generation(value, many):
    generation, write, filed, batches = members(value, "generation", "write", "filed?", "batches")
    need(filed is None or filed is True, "filed is true, or not there")
    return {
        "generation": count(generation, U32),
        "write": count(write, many - 1),
        "filed": filed is True,
        "batches": [read_batch(one) for one in items(batches, MOST)],
    }


def read_batch(value):
    epoch, n, tag, header_key, batch_key = members(value, "epoch", "n", "tag", "headerKey?", "batchKey?")
    keys = {
        name: None if key is None else data(key, 32) for name, key in (("headerKey", header_key), ("batchKey", batch_key))
    }
    return {"epoch": count(epoch, U32), "n": count(n, U32), "tag": data(tag, 32).hex()} | keys
