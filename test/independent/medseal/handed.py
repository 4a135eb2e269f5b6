"""Contact card, mail file and consent request: formats.md, section 23."""

import json
import re

from .consent import word
from .crypto import address, address_bytes, keccak, recover, sha256
from .hpke import ENC_SIZES, hpke_open
from .reader import Reader, Refused, need
from .seal import unpad

PUBLIC_SIZES = {0x647A: 1216, 0x0020: 32}
CARD_KEYS = {"format", "version", "name", "holder", "kem", "hpkeKey", "viewKey", "signature"}
DOMAIN = keccak(b"EIP712Domain(string name,string version)")
CARD = keccak(b"Card(string name,address holder,uint16 kem,bytes hpkeKey,bytes32 viewKey)")
REQUEST = keccak(
    b"Request(address patient,string[] streams,uint64 dataStart,uint64 dataEnd,uint64 periodEnd,string purpose,string reason)"
)


def signer_of(domain, type_hash, words, signature):
    separator = keccak(DOMAIN, keccak(domain), keccak(b"1"))
    return recover(keccak(b"\x19\x01", separator, keccak(type_hash, *words)), signature)


def parse_object(text, code):
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    need(isinstance(value, dict), "no JSON object", code)
    return value


def hex_bytes(value, code):
    need(isinstance(value, str) and re.fullmatch(r"0x(?:[0-9a-f]{2})+", value, re.ASCII), "no bytes in hex", code)
    return bytes.fromhex(value[2:])


def is_unicode(text):
    """JSON can escape half a character, which no encoding has."""
    return not any(0xD800 <= ord(letter) < 0xE000 for letter in text)


def read_card(text):
    code = "ERR_CARD"
    card = parse_object(text, code)
    need(set(card) == CARD_KEYS, "other keys", code)
    need((card["format"], card["version"]) == ("medseal-card", 1), "another format", code)
    name, kem = card["name"], card["kem"]
    need(isinstance(name, str) and name.strip() and is_unicode(name), "no name", code)
    need(len(name.encode("utf-16-le")) <= 128, "a name that is too long", code)
    need(type(kem) is int and kem in PUBLIC_SIZES, "an unknown KEM", code)
    holder = address_bytes(card["holder"], code)
    key, view, signature = (hex_bytes(card[field], code) for field in ("hpkeKey", "viewKey", "signature"))
    need(len(key) == PUBLIC_SIZES[kem] and len(view) == 32, "a key of another size", code)
    words = [keccak(name.encode()), holder.rjust(32, b"\0"), word(kem), keccak(key), view]
    need(signer_of(b"MedSeal card", CARD, words, signature) == holder, "not signed by its holder", code)
    return {"name": name, "address": card["holder"], "kem": kem, "hpkeKey": key.hex(), "viewKey": view.hex()}


def read_mail_file(data):
    reader = Reader(data)
    reader.name("medseal/mail/1\n")
    rows = []
    while reader.at < len(data):
        size = reader.u32()
        need(size > 0 and size % 16384 == 0, "no size of an envelope")
        ephemeral, view_tag = reader.hex(32), reader.u8()
        rows.append({"envelope": sha256(reader.bytes(size)).hex(), "ephemeral": ephemeral, "viewTag": view_tag})
    return rows


def open_request(data, kem, private_key, patient):
    code = "ERR_REQUEST"
    reader = Reader(data)
    reader.name("medseal/request/1\n")
    need(reader.u16() == kem and kem in ENC_SIZES, "sealed to a key of another kind", code)
    head = data[: reader.at]
    enc, ciphertext = reader.sized16(), reader.rest()
    try:
        plain = hpke_open(kem, private_key, enc, b"medseal/request/1\n", head, ciphertext)
    except Refused as refused:
        raise Refused(code, str(refused)) from None
    try:
        return checked_request(parse_object(unpad(plain).decode("utf-8"), code), patient, code)
    except (KeyError, TypeError, AttributeError, UnicodeError, OverflowError):
        raise Refused(code, "a field that is missing or of another kind") from None


def checked_request(content, patient, code):
    request = content["request"]
    need(request["patient"] == patient, "for somebody else", code)
    words = [
        address_bytes(request["patient"], code).rjust(32, b"\0"),
        keccak(*(keccak(stream.encode()) for stream in request["streams"])),
        *(word(request[name]) for name in ("dataStart", "dataEnd", "periodEnd")),
        *(keccak(request[name].encode()) for name in ("purpose", "reason")),
    ]
    signer = signer_of(b"MedSeal request", REQUEST, words, hex_bytes(content["signature"], code))
    need(signer is not None, "signed by nobody", code)
    return {"request": request, "card": content["card"], "signer": address(signer)}
