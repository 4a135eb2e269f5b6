"""Runs every case of test/vectors: formats.md, section 24."""

import json
from pathlib import Path

from . import bundle, checkpoint, consent, crypto, evidence, files, handed, header, keys, late, merkle, observation
from . import proof, receipt, release, seal, signed
from .batch import read_batch
from .reader import Refused

h = bytes.fromhex


def cover(case):
    nodes = keys.read_cover(h(case["bytes"]))
    if "root" in case:
        made = keys.cover_of((0, 0, h(case["root"])), case["from"], case["to"])
        assert keys.write_cover(made) == h(case["bytes"]), "the cover of a window"
    return keys.epoch_key(nodes, case["epoch"]).hex() if "epoch" in case else keys.show_cover(nodes)


def epoch_keys(case):
    data, audit = h(case["data"]), h(case["audit"])
    tag = keys.tag(audit, case["n"]).hex()
    return {"batchKey": keys.batch_key(data).hex(), "headerKey": keys.header_key(audit).hex(), "tag": tag}


def sealed(case):
    if "place" in case:
        return {"context": seal.context(case["place"], case["place"]["kind"]).hex()}
    plain, message_key = seal.open_sealed(h(case["key"]), h(case["context"]), h(case["block"]))
    content = {"content": seal.unpad(plain).hex()}
    wanted = case.get("expected", {})
    return content | ({"messageKey": message_key.hex()} if "messageKey" in wanted else {})


def one_observation(case):
    out = observation.read_observation(h(case["bytes"]))
    assert observation.write_observation(out) == h(case["bytes"]), "one byte string for each content"
    return out


def chunk(case):
    if "observations" in case:
        seed, encoded = h(case["seed"]), [h(one) for one in case["observations"]]
        hashes = observation.leaves(seed, encoded)
        salts = [salt.hex() for salt in observation.salts(seed, len(encoded))]
        return {"salts": salts, "leaves": [one.hex() for one in hashes], "root": merkle.root(hashes).hex()}
    if "privateKey" in case:
        # How a signer draws its nonce is its own affair: the signature is checked, not made.
        key, signature = crypto.p256_public(h(case["privateKey"])), case["expected"]["signature"]
        return {"signature": signature if crypto.p256_verify(key, h(case["digest"]), h(signature)) else None}
    if "statement" not in case:
        item = case["item"]
        return {"digest": header.item(item["stream"], item["epoch"], item["count"], item["root"])}
    statement = case["statement"]
    if "index" in case:
        item = case["item"]
        own = header.item(item["stream"], item["epoch"], item["count"], item["root"])
        named = case["index"] < len(statement["items"]) and statement["items"][case["index"]] == own
        return {"valid": named and header.signed(statement)}
    key = crypto.p256_key(h(statement["deviceKey"]))
    assert header.signed(statement)
    return {"deviceId": header.device_id(key).hex(), "digest": header.statement_digest(statement, key).hex()}


def sealed_batch(case):
    place, data, audit = case["place"], h(case["keys"]["data"]), h(case["keys"]["audit"])
    opened = header.open_header(place, audit, case["entry"], h(case["header"]))
    chunks = header.open_batch(place, data, case["epochLength"], opened, h(case["batch"]))
    return {"header": opened, "chunks": chunks}


def one_checkpoint(case):
    if "block" not in case:
        return paged(case)
    out = checkpoint.read_checkpoint(h(case["block"]))
    return out | {"root": checkpoint.entries_root(out["entries"])}


def paged(case):
    """A checkpoint on pages, written as section 13 has it."""
    entries = [
        {"tag": i.to_bytes(4, "big").ljust(32, b"\0").hex()}
        | {name: crypto.sha256(i.to_bytes(4, "big"), bytes([mark])).hex() for name, mark in (("header", 1), ("batch", 2))}
        for i in range(case["entries"])
    ]
    pages = []
    for at in range(0, len(entries), checkpoint.PAGE):
        part = entries[at : at + checkpoint.PAGE]
        page = b"medseal/page/1\n" + len(part).to_bytes(4, "big") + b"".join(map(checkpoint.write_entry, part))
        assert checkpoint.read_page(page, len(entries), len(pages)) == part
        pages.append(crypto.sha256(page))
    block = b"medseal/checkpoint/1\n" + int(case["chainId"]).to_bytes(8, "big") + h(case["anchor"]) + h(case["gateway"])
    block += case["index"].to_bytes(6, "big") + h(case["headBefore"]) + h(case["previous"])
    block += len(entries).to_bytes(4, "big") + b"".join(pages) + bytes(4)
    digests = [page.hex() for page in pages]
    assert checkpoint.read_checkpoint(block)["pages"] == digests
    return {"pages": digests, "digest": crypto.sha256(block).hex(), "root": checkpoint.entries_root(entries)}


def entry_proof(case):
    proof = case["proof"]
    leaf = merkle.leaf_hash(checkpoint.write_entry(proof["entry"]))
    path = [h(part) for part in proof["path"]]
    return {"valid": merkle.included(leaf, proof["index"], proof["size"], path, h(case["root"]))}


def heads(case):
    head, inners, all_heads = bytes(32), [], []
    for one in case["checkpoints"]:
        inner = merkle.inner(h(one["root"]), h(one["digest"]), one["size"])
        head = merkle.next_head(head, inner)
        inners.append(inner.hex())
        all_heads.append(head.hex())
    return {"inners": inners, "heads": all_heads}


def mail_row(case):
    if "secret" in case:
        return checkpoint.make_row(h(case["envelope"]), h(case["viewKey"]), h(case["secret"]))
    return {"mine": checkpoint.is_mine(case["row"], h(case["viewSecret"]))}


def one_consent(case):
    out = consent.read_consent(h(case["bytes"]))
    return out | {"id": "0x" + consent.consent_id(out).hex()}


def one_bundle(case):
    blocks = {bundle.digest_named(f"blocks/{name}"): h(block) for name, block in case["blocks"].items()}
    trusted = [h(case[name][2:]) for name in ("blockHash", "registryCode", "anchorCode")]
    return evidence.verify(case["manifest"].encode(), blocks, *trusted)


FORMATS = {
    "observation": one_observation,
    "chunk": chunk,
    "header": lambda case: header.read_header(h(case["bytes"])),
    "checkpoint": one_checkpoint,
    "page": lambda case: checkpoint.read_page(h(case["block"]), case["entries"], 0),
    "entry-proof": entry_proof,
    "head": heads,
    "mail-row": mail_row,
    "pinset": lambda case: checkpoint.read_pinset(h(case["block"])),
    "batch": lambda case: read_batch(h(case["bytes"]), case["base"]),
    "sealed-batch": sealed_batch,
    "cover": cover,
    "epoch-keys": epoch_keys,
    "seal": sealed,
    "passphrase": lambda case: files.open_passphrase(h(case["file"]), case["passphrase"], case["purpose"]).hex(),
    "consent": one_consent,
    "scope": lambda case: "0x" + consent.scope_of([h(stream[2:]) for stream in case["streams"]]).hex(),
    "signed-message": lambda case: signed.open_message(case["text"], case["chainId"], case["registry"]),
    "release": lambda case: release.read_release(h(case["bytes"])),
    "envelope": lambda case: release.open_envelope(
        h(case["block"]), case["kem"], h(case["privateKey"]), case["chainId"], case["registry"]
    ),
    "card": lambda case: handed.read_card(case["text"]),
    "mail-file": lambda case: handed.read_mail_file(h(case["head"]) + b"\7" * case["sevens"]),
    "late-letter": lambda case: late.read_letter(h(case["bytes"]), 3600, case["dataStart"], case["dataEnd"]),
    "filed": lambda case: late.read_filed(h(case["bytes"])),
    "request": lambda case: handed.open_request(h(case["bytes"]), case["kem"], h(case["privateKey"]), case["patient"]),
    "proof": lambda case: proof.open_proof(case["text"], *(h(case[name][2:]) for name in ("blockHash", "codeHash"))),
    "receipt": lambda case: receipt.read_receipt(case["text"]),
    "evidence": one_bundle,
    "evidence-file": lambda case: bundle.read_files(h(case["file"])),
    "recovery": lambda case: files.open_recovery(h(case["box"]), case["kem"], h(case["privateKey"])),
}


def outcome(format_name, case):
    """The content, or the code of the refusal."""
    if format_name not in FORMATS:
        return {"unknown": format_name}
    try:
        return {"expected": FORMATS[format_name](case)}
    except Refused as refused:
        return {"error": refused.code}


def run(folder):
    """Every case, and those on which this reader and the vectors disagree."""
    manifest = json.loads((Path(folder) / "manifest.json").read_text())
    cases, differ = 0, []
    for entry in manifest["files"]:
        for case in json.loads((Path(folder) / entry["file"]).read_text())["cases"]:
            cases += 1
            wanted = {key: case[key] for key in ("expected", "error") if key in case}
            got = outcome(entry["format"], case)
            if got != wanted:
                differ.append({"format": entry["format"], "case": case["name"], "wanted": wanted, "got": got})
    return {"cases": cases, "differ": differ}
