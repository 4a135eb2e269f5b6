"""Proof: formats.md, section 26."""

from . import checkpoint, merkle, state
from .crypto import sha256
from .document import SAFE, U32, count, data, form, hashes, members, named, nodes, parse
from .header import open_header_alone
from .observation import read_observation, seconds
from .reader import need

LONGEST = 64 * 2**20
MOST_LATER = 2**20


def read_proof(text):
    at = named(
        parse(text, LONGEST),
        "format version chainId recordAnchor gateway stream generation epoch n header headerKey entry checkpoint reading? state",
    )
    form(at, "medseal-proof")
    place = {
        "chainId": str(count(at["chainId"], SAFE)),
        "anchor": data(at["recordAnchor"], 20).hex(),
        "gateway": data(at["gateway"], 20).hex(),
        "stream": data(at["stream"], 32).hex(),
        **{name: count(at[name], U32) for name in ("generation", "epoch", "n")},
    }
    tag, batch, index, path = members(at["entry"], "tag", "batch", "index", "path")
    root, digest, size, before, later = members(at["checkpoint"], "root", "digest", "size", "headBefore", "later")
    block, account, storage = members(at["state"], "block", "account", "storage")
    return {
        "place": place,
        "header": data(at["header"], 1024),
        "key": data(at["headerKey"], 32),
        "entry": {"tag": data(tag, 32).hex(), "batch": data(batch, 32).hex()},
        "index": count(index, U32),
        "path": hashes(path),
        "root": data(root, 32),
        "digest": data(digest, 32),
        "size": count(size, U32),
        "before": data(before, 32),
        "later": hashes(later, MOST_LATER),
        "reading": None if at["reading"] is None else read_reading(at["reading"]),
        "block": data(block),
        "account": nodes(account),
        "storage": nodes(storage),
    }


def read_reading(value):
    chunk, index, salt, observation, path = members(value, "chunk", "index", "salt", "observation", "path")
    return {
        "chunk": count(chunk, 255),
        "index": count(index, U32),
        "salt": data(salt, 16),
        "observation": data(observation),
        "path": hashes(path),
    }


def holds(condition, why):
    need(condition, why, "ERR_PROOF")


def open_proof(text, block_hash, code_hash):
    """What a proof shows to whoever trusts the hash of its block and that of RecordAnchor's code."""
    proof = read_proof(text)
    place = proof["place"]
    entry = proof["entry"] | {"header": sha256(proof["header"]).hex()}
    leaf = merkle.leaf_hash(checkpoint.write_entry(entry))
    holds(merkle.included(leaf, proof["index"], proof["size"], proof["path"], proof["root"]), "no entry of its checkpoint")
    head = merkle.next_head(proof["before"], merkle.inner(proof["root"], proof["digest"], proof["size"]))
    for inner in proof["later"]:
        head = merkle.next_head(head, inner)
    block = state.read_block(proof["block"])
    storage, code = state.account(block["stateRoot"], bytes.fromhex(place["anchor"]), proof["account"])
    found = state.slot(storage, state.mapped(bytes.fromhex(place["gateway"]), state.HEADS), proof["storage"])
    state.must(found == head, "another head")
    header = open_header_alone(place, proof["key"], entry, proof["header"])
    shown = {"header": header}
    if proof["reading"] is not None:
        shown["reading"] = checked_reading(proof["reading"], header)
    holds(block["hash"] == block_hash, "another block than the given one")
    holds(code == code_hash, "a contract of other code")
    fields = {name: "0x" + block[name].hex() for name in ("hash", "stateRoot")}
    return shown | {"block": block | fields, "codeHash": "0x" + code.hex()}


def checked_reading(reading, header):
    holds(reading["chunk"] < len(header["chunks"]), "no such chunk")
    signed = header["chunks"][reading["chunk"]]
    shown = read_observation(reading["observation"])
    leaf = merkle.leaf_hash(reading["salt"] + reading["observation"])
    root = bytes.fromhex(signed["root"])
    holds(merkle.included(leaf, reading["index"], signed["count"], reading["path"], root), "no leaf of its chunk")
    holds(header["earliest"] <= seconds(shown["time"]) <= header["latest"], "outside the times of its header")
    return shown
