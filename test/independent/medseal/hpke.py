"""HPKE, base mode, single shot: formats.md, section 18; RFC 9180."""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from .crypto import expand, extract
from .reader import Refused

X_WING, X25519 = 0x647A, 0x0020
ENC_SIZES = {X_WING: 1120, X25519: 32}


def _labeled_extract(suite, salt, label, data):
    return extract(salt, b"HPKE-v1" + suite + label + data)


def _labeled_expand(suite, key, label, info, size):
    return expand(key, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, size)


def _dh(private_key, enc):
    own = X25519PrivateKey.from_private_bytes(private_key)
    public = own.public_key().public_bytes_raw()
    return own.exchange(X25519PublicKey.from_public_bytes(enc)), public


def _decap_x25519(private_key, enc):
    suite = b"KEM" + X25519.to_bytes(2, "big")
    shared, public = _dh(private_key, enc)
    pseudo = _labeled_extract(suite, b"", b"eae_prk", shared)
    return _labeled_expand(suite, pseudo, b"shared_secret", enc + public, 32)


def _decap_x_wing(seed, enc):
    expanded = hashlib.shake_256(seed).digest(96)
    from_lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).decapsulate(enc[:1088])
    from_curve, public = _dh(expanded[64:], enc[1088:])
    return hashlib.sha3_256(from_lattice + from_curve + enc[1088:] + public + bytes.fromhex("5c2e2f2f5e5c")).digest()


def hpke_open(kem, private_key, enc, info, aad, ciphertext):
    try:
        shared = (_decap_x_wing if kem == X_WING else _decap_x25519)(private_key, enc)
        suite = b"HPKE" + kem.to_bytes(2, "big") + b"\x00\x01\x00\x03"
        hashes = _labeled_extract(suite, b"", b"psk_id_hash", b"") + _labeled_extract(suite, b"", b"info_hash", info)
        secret = _labeled_extract(suite, shared, b"secret", b"")
        key = _labeled_expand(suite, secret, b"key", b"\x00" + hashes, 32)
        nonce = _labeled_expand(suite, secret, b"base_nonce", b"\x00" + hashes, 12)
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, aad)
    except (InvalidTag, ValueError):
        raise Refused("ERR_HPKE_OPEN", "HPKE does not open") from None
