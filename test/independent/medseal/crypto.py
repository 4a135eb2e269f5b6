"""Hashes, key derivation, signatures: formats.md, sections 1, 10 and 22."""

import hashlib
import hmac as standard_hmac

from Crypto.Hash import keccak as standard_keccak
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from .reader import need


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hmac(key, data):
    return standard_hmac.new(key, data, hashlib.sha256).digest()


def extract(salt, key):
    return hmac(salt, key)


def expand(key, info, size=32):
    """HKDF-Expand of RFC 5869."""
    out, block, count = b"", b"", 1
    while len(out) < size:
        block = hmac(key, block + info + bytes([count]))
        out += block
        count += 1
    return out[:size]


def keccak(*parts):
    return standard_keccak.new(data=b"".join(parts), digest_bits=256).digest()


P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def p256_key(compressed):
    """The public key behind a compressed point; None when it is none."""
    if len(compressed) != 33 or compressed[0] not in (2, 3):
        return None
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), compressed)
    except ValueError:
        return None


def p256_public(private_key):
    return ec.derive_private_key(int.from_bytes(private_key, "big"), ec.SECP256R1()).public_key()


def uncompressed(key):
    numbers = key.public_numbers()
    return b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def p256_verify(key, digest, signature):
    """ECDSA over a digest that is not hashed again; r || s with s in the lower half."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < P256_ORDER and 0 < s <= (P256_ORDER - 1) // 2):
        return False
    try:
        key.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        return True
    except InvalidSignature:
        return False


# secp256k1, for the addresses behind EIP-712 signatures.
FIELD = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
BASE = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def _add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % FIELD == 0:
            return None
        slope = 3 * p[0] * p[0] * pow(2 * p[1], -1, FIELD)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, FIELD)
    x = (slope * slope - p[0] - q[0]) % FIELD
    return x, (slope * (p[0] - x) - p[1]) % FIELD


def _times(k, p):
    out = None
    while k:
        if k & 1:
            out = _add(out, p)
        p = _add(p, p)
        k >>= 1
    return out


def recover(digest, signature):
    """The address (20 bytes) that signed a digest: r || s || v, low s; None for a signature of nobody."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not (0 < r < ORDER and 0 < s <= ORDER // 2):
        return None
    y = pow(pow(r, 3, FIELD) + 7, (FIELD + 1) // 4, FIELD)
    if (y * y - r**3 - 7) % FIELD:
        return None
    if y % 2 != signature[64] - 27:
        y = FIELD - y
    inverse = pow(r, -1, ORDER)
    message = int.from_bytes(digest, "big")
    point = _add(_times(-message * inverse % ORDER, BASE), _times(s * inverse % ORDER, (r, y)))
    return None if point is None else keccak(point[0].to_bytes(32, "big"), point[1].to_bytes(32, "big"))[12:]


def address(data):
    """The EIP-55 text of an address of 20 bytes."""
    text = data.hex()
    marks = keccak(text.encode()).hex()
    return "0x" + "".join(c.upper() if int(m, 16) > 7 else c for c, m in zip(text, marks))


def address_bytes(text, code):
    need(isinstance(text, str) and len(text) == 42 and text[:2] == "0x", "no address", code)
    try:
        data = bytes.fromhex(text[2:])
    except ValueError:
        data = b""
    need(len(data) == 20 and address(data) == text, "an address without its checksum", code)
    return data
