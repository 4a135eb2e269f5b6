"""Receipts of an access ledger: formats.md, section 23."""

import re

from .consent import LATEST, word
from .crypto import address_bytes, keccak, recover
from .document import SAFE
from .handed import parse_object
from .reader import need
from .signed import DOMAIN, is_hex, is_integer

CODE = "ERR_RECEIPT"
NAMES = ("holder", "number", "previous", "at", "act", "consent", "grantee", "dataStart", "dataEnd", "envelopes", "reason")
TYPE = keccak(
    b"Receipt(address holder,uint48 number,bytes32 previous,uint48 at,string act,bytes32 consent,address grantee,"
    b"uint48 dataStart,uint48 dataEnd,bytes32[] envelopes,string reason)"
)


def must(condition, why):
    need(condition, why, CODE)


def read_receipt(text):
    """The digest of a receipt that its holder signed."""
    receipt = parse_object(text, CODE)
    must(set(receipt) == {"format", "version", "chainId", "registry", "signature", *NAMES}, "other keys")
    must(receipt["format"] == "medseal-receipt", "another format")
    must(is_integer(receipt["version"]) and receipt["version"] == 1, "another version")
    must(is_integer(receipt["chainId"]) and 1 <= receipt["chainId"] <= SAFE, "no chain id")
    registry, holder, grantee = (address_bytes(receipt[name], CODE) for name in ("registry", "holder", "grantee"))
    for name in ("number", "at", "dataStart", "dataEnd"):
        must(is_integer(receipt[name]) and 0 <= receipt[name] <= LATEST, "no time or number")
    envelopes = receipt["envelopes"]
    must(isinstance(envelopes, list), "no list of envelopes")
    for value in (receipt["previous"], receipt["consent"], *envelopes):
        must(is_hex(value, 32, 32), "no digest")
    must(receipt["act"] in ("released", "leased", "carried", "denied"), "an unknown act")
    reason = receipt["reason"]
    must(isinstance(reason, str) and re.fullmatch(r"(?:ERR_[A-Z0-9_]{1,60})?", reason, re.ASCII), "no code")
    must(is_hex(receipt["signature"], 65, 65), "no signature")
    words = {
        "holder": holder.rjust(32, b"\0"),
        "act": keccak(receipt["act"].encode()),
        "grantee": grantee.rjust(32, b"\0"),
        "envelopes": keccak(*(bytes.fromhex(one[2:]) for one in envelopes)),
        "reason": keccak(reason.encode()),
        **{name: bytes.fromhex(receipt[name][2:]) for name in ("previous", "consent")},
        **{name: word(int(receipt[name])) for name in ("number", "at", "dataStart", "dataEnd")},
    }
    chain = word(int(receipt["chainId"]))
    separator = keccak(DOMAIN, keccak(b"MedSeal disclosures"), keccak(b"1"), chain, registry.rjust(32, b"\0"))
    digest = keccak(b"\x19\x01", separator, keccak(TYPE, *(words[name] for name in NAMES)))
    must(recover(digest, bytes.fromhex(receipt["signature"][2:])) == holder, "not signed by its holder")
    return "0x" + digest.hex()
