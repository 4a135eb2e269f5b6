"""Signed messages: formats.md, section 22."""

import json
import re

from .consent import LATEST, TYPE, word
from .crypto import address_bytes, keccak, recover
from .reader import need

CODE = "ERR_SIGNED_MESSAGE"
FIELDS = {
    "medseal-signed-grant": ("consentId", "issuedAt", "deadline"),
    "medseal-signed-revoke": ("consentId",),
    "medseal-signed-revoke-all": ("issuedAt",),
}
TYPES = {
    "medseal-signed-grant": b"Grant(Consent consent,uint48 issuedAt,uint48 deadline)" + TYPE,
    "medseal-signed-revoke": b"Revoke(Consent consent)" + TYPE,
    "medseal-signed-revoke-all": b"RevokeAll(address grantor,uint48 issuedAt)",
}
DOMAIN = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


def typed_digest(chain_id, registry, type_text, words):
    separator = keccak(
        DOMAIN, keccak(b"MedSeal ConsentRegistry"), keccak(b"1"), word(chain_id), registry.rjust(32, b"\x00")
    )
    return keccak(b"\x19\x01", separator, keccak(keccak(type_text), *words))


def is_integer(value):
    """A whole number in whatever form JSON has for it."""
    return type(value) is int or (type(value) is float and value.is_integer())


def is_hex(value, least, most):
    found = isinstance(value, str) and re.fullmatch(r"0x((?:[0-9a-f]{2})*)", value, re.ASCII)
    return bool(found) and least <= len(found.group(1)) // 2 <= most


def once(pairs):
    need(len({key for key, _ in pairs}) == len(pairs), "a key twice", CODE)
    return dict(pairs)


def refuse_constant(_):
    need(False, "no JSON", CODE)


def read_message(text):
    try:
        message = json.loads(text, object_pairs_hook=once, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        message = None
    need(isinstance(message, dict), "no JSON object", CODE)
    name = message.get("format")
    need(isinstance(name, str) and name in FIELDS, "an unknown format", CODE)
    fields = FIELDS[name]
    need(set(message) == {"format", "version", "chainId", "registry", "grantor", "signature", *fields}, "other keys", CODE)
    need(is_integer(message["version"]) and message["version"] == 1, "another version", CODE)
    need(is_integer(message["chainId"]) and 1 <= message["chainId"] < 2**53, "no chain id", CODE)
    address_bytes(message["registry"], CODE)
    address_bytes(message["grantor"], CODE)
    for time, least in (("issuedAt", 1), ("deadline", 0)):
        if time in fields:
            need(is_integer(message[time]) and least <= message[time] <= LATEST, "no time", CODE)
    if "consentId" in fields:
        need(is_hex(message["consentId"], 32, 32), "no consent id", CODE)
    need(is_hex(message["signature"], 1, 4096), "no signature", CODE)
    return {key: int(value) if type(value) is float else value for key, value in message.items()}


def open_message(text, chain_id, registry):
    """A message for this place that its grantor signed with an address's own key, and its digest."""
    message = read_message(text)
    need((message["chainId"], message["registry"]) == (chain_id, registry), "for another place", CODE)
    name = message["format"]
    values = {
        "consentId": lambda: bytes.fromhex(message["consentId"][2:]),
        "issuedAt": lambda: word(message["issuedAt"]),
        "deadline": lambda: word(message["deadline"]),
    }
    words = [values[field]() for field in FIELDS[name]]
    grantor = address_bytes(message["grantor"], CODE)
    if name == "medseal-signed-revoke-all":
        words.insert(0, grantor.rjust(32, b"\x00"))
    digest = typed_digest(chain_id, address_bytes(registry, CODE), TYPES[name], words)
    signer = recover(digest, bytes.fromhex(message["signature"][2:]))
    need(signer == grantor, "not signed by its grantor", CODE)
    return {"message": message, "digest": "0x" + digest.hex()}
