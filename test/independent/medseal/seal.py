"""Sealed block, context, padding: formats.md, sections 7 and 8."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .crypto import expand, extract, hmac, sha256
from .reader import Reader, Refused, need

KINDS = {"batch": 1, "header": 2}
BATCH_SIZES = (1024, 4096, 16384, 65536, 262144, 1048576)
HEADER_SIZE = 1024


def context(place, kind):
    return (
        b"medseal/v1\x01"
        + int(place["chainId"]).to_bytes(8, "big")
        + bytes.fromhex(place["anchor"])
        + bytes.fromhex(place["gateway"])
        + bytes.fromhex(place["stream"])
        + place["generation"].to_bytes(4, "big")
        + place["epoch"].to_bytes(4, "big")
        + place["n"].to_bytes(4, "big")
        + bytes([KINDS[kind]])
    )


def open_sealed(key, ctx, block):
    """The padded content of a sealed block, and its message key."""
    need(len(block) >= 80, "a sealed block below 80 bytes")
    message_key = extract(block[:32], key)
    plain = open_alone(message_key, ctx, block)
    expected = hmac(expand(key, b"medseal/v1/salt"), ctx + sha256(plain))
    need(expected == block[:32], "another salt than the rule's", "ERR_SEAL_ALTERED")
    return plain, message_key


def open_alone(message_key, ctx, block):
    """The padded content of a sealed block, from the second step on."""
    need(len(block) >= 80, "a sealed block below 80 bytes")
    salt, commitment, ciphertext = block[:32], block[32:64], block[64:]
    base = expand(message_key, ctx)
    need(expand(base, b"medseal/v1/commit") == commitment, "another commitment", "ERR_SEAL_COMMITMENT")
    cipher = AESGCM(expand(base, b"medseal/v1/aead"))
    try:
        return cipher.decrypt(bytes(12), ciphertext, ctx + salt + commitment)
    except InvalidTag:
        raise Refused("ERR_SEAL_ALTERED", "another GCM tag") from None


def unpad(plain):
    reader = Reader(plain)
    content = reader.sized32()
    need(not any(reader.rest()), "padding that is not zero")
    return content


def open_content(key, ctx, block):
    return unpad(open_sealed(key, ctx, block)[0])


def open_content_alone(message_key, ctx, block):
    return unpad(open_alone(message_key, ctx, block))
