"""Files that stay with a person: formats.md, section 23."""

import hashlib
import unicodedata

from .hpke import hpke_open
from .reader import Reader, Refused, need
from .seal import open_sealed

MOST_MEMORY = 268_435_456


def open_recovery(box, kem, private_key):
    reader = Reader(box)
    reader.name("medseal/recovery/1\n")
    reader.bytes(6)  # Version and KEM: another one than the key's does not open, as they are authenticated.
    enc, ciphertext = reader.sized16(), reader.rest()
    plain = Reader(hpke_open(kem, private_key, enc, b"medseal/recovery/1\n", box[:25], ciphertext))
    out = {"stream": plain.hex(32), "generation": plain.u32(), "dataRoot": plain.hex(32), "auditRoot": plain.hex(32)}
    plain.end()
    return out


def open_passphrase(file, passphrase, purpose):
    reader = Reader(file)
    reader.name("medseal/passphrase/1\n")
    need(reader.text8() == purpose, "another purpose")
    log_n, r, p = reader.u8(), reader.u8(), reader.u8()
    need(10 <= log_n <= 20 and 1 <= r <= 32 and 1 <= p <= 4, "a cost out of bounds")
    need(128 * 2**log_n * r <= MOST_MEMORY, "more memory than allowed")
    salt = reader.bytes(32)
    context, block = file[: reader.at], reader.rest()
    need(len(block) >= 80, "a sealed block below 80 bytes")
    secret = unicodedata.normalize("NFC", passphrase).encode()
    key = hashlib.scrypt(secret, salt=salt, n=2**log_n, r=r, p=p, maxmem=2 * MOST_MEMORY, dklen=32)
    try:
        return open_sealed(key, context, block)[0]
    except Refused as refused:
        raise Refused("ERR_PASSPHRASE" if refused.code == "ERR_SEAL_COMMITMENT" else refused.code, str(refused)) from None
