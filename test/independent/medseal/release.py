"""Release, lease and their envelope: formats.md, sections 19 and 20."""

from .consent import TYPE, consent_id, invalid, read_consent, scope_of, word
from .crypto import address, address_bytes, recover, sha256
from .hpke import ENC_SIZES, hpke_open
from .keys import read_cover, show_cover
from .observation import read_channel
from .reader import Reader, need
from .signed import typed_digest

ROLES = ("current", "retired", "spare", "filed")
RELEASE_TYPE = b"Release(Consent consent,uint48 issuedAt,bytes32 digest)" + TYPE


def read_link(reader):
    consent = read_consent(reader.sized16())
    streams = [reader.bytes(32) for _ in range(reader.u16())]
    if streams:
        invalid("0x" + scope_of(streams).hex() == consent["scope"], "streams of another scope")
        need(len(streams) > 1, "a list of one stream")
        need(all(a < b for a, b in zip(streams, streams[1:])), "streams that do not ascend")
    return {"consent": consent, "streams": ["0x" + stream.hex() for stream in streams]}


def read_stream(reader):
    stream = {"id": reader.hex(32), "name": reader.text8()}
    stream["channels"] = [read_channel(reader) for _ in range(reader.u8())]
    stream |= {"epochLength": reader.u32(), "batchClass": reader.u8()}
    need(stream["epochLength"] and 86400 % stream["epochLength"] == 0, "an epoch length that divides no day")
    need(stream["batchClass"] <= 5, "no such class")
    return stream


def read_generation(reader, leaves):
    out = {"stream": read_stream(reader), "generation": reader.u32(), "role": reader.choice(ROLES)}
    index = reader.u16()
    need(index < len(leaves), "a leave to write that is not listed")
    data = show_cover(read_cover(reader.sized32())) if reader.flag() else None
    audit = show_cover(read_cover(reader.sized32()))
    out |= {"write": leaves[index], **({} if data is None else {"data": data}), "audit": audit}
    return index, out


def read_release(data):
    reader = Reader(data)
    reader.name("medseal/release/1\n")
    out = {"kind": reader.choice(("release", "lease")), "issuedAt": reader.u48(), "from": reader.text8()}
    introduction = reader.u8()
    need(introduction in (0, 65), "an introduction of another size")
    if introduction:
        out["introduction"] = reader.hex(introduction)
    links = reader.u8()
    need(1 <= links <= 4, "no link, or more than four")
    out["chain"] = [read_link(reader) for _ in range(links)]
    leaves = [read_link(reader) for _ in range(reader.u16())]
    named, keys = [], []
    for _ in range(reader.u16()):
        index, generation = read_generation(reader, leaves)
        if index not in named:
            named.append(index)
        keys.append(generation)
    need(named == list(range(len(leaves))), "leaves to write in another order than that of first use")
    unique = {(one["stream"]["id"], one["generation"]) for one in keys}
    need(len(unique) == len(keys), "a generation twice")
    out["keys"] = keys
    retiring = reader.u16()
    need(retiring == 0 or out["kind"] == "lease", "a release that retires")
    out["retiredBy"] = [{"grantor": address(reader.bytes(20)), "id": "0x" + reader.hex(32)} for _ in range(retiring)]
    reader.end()
    return out


def open_envelope(block, kem, private_key, chain_id, registry):
    need(block and len(block) % 16384 == 0, "no multiple of 16,384 bytes")
    reader = Reader(block)
    reader.name("medseal/envelope/1\n")
    need(reader.u16() == kem, "another KEM than the key's")
    need(reader.u16() == ENC_SIZES[kem], "another size of enc than the KEM's")
    enc, ciphertext = reader.bytes(ENC_SIZES[kem]), reader.rest()
    place = address_bytes(registry, "ERR_MALFORMED")
    info = b"medseal/v1/envelope" + chain_id.to_bytes(8, "big") + place
    inner = Reader(hpke_open(kem, private_key, enc, info, block[:23], ciphertext))
    content, signature = inner.sized32(), inner.bytes(65)
    need(not any(inner.rest()), "padding that is not zero")
    release = read_release(content)
    last = release["chain"][-1]["consent"]
    words = [consent_id(last), word(release["issuedAt"]), sha256(content)]
    signer = recover(typed_digest(chain_id, place, RELEASE_TYPE, words), signature)
    need(signer == bytes.fromhex(last["grantor"][2:]), "not signed by its grantor", "ERR_RELEASE_FORGED")
    return release
