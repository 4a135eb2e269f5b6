import { concat, utf8 } from "../../src/bytes/bytes.ts";
import { hkdfExpand, hkdfExtract } from "../../src/bytes/hash.ts";

/**
 * The exporter secret of base mode with HKDF-SHA-256, ChaCha20-Poly1305 and empty info, from a KEM's shared secret: RFC 9180, section 5.1,
 * written a second time, so that vectors of a KEM alone can be checked through the contexts that we hand out.
 */
export function exportedSecret(kem: number, sharedSecret: Uint8Array): Uint8Array {
  const suite = concat(utf8("HPKE"), Uint8Array.of(kem >> 8, kem & 0xff, 0, 1, 0, 3));
  const labeled = (label: string, input: Uint8Array): Uint8Array => concat(utf8("HPKE-v1"), suite, utf8(label), input);
  const none = new Uint8Array(0);
  const extract = (salt: Uint8Array, label: string): Uint8Array => hkdfExtract(salt, labeled(label, none));
  const expand = (key: Uint8Array, label: string, info: Uint8Array): Uint8Array =>
    hkdfExpand(key, concat(Uint8Array.of(0, 32), labeled(label, info)));

  const schedule = concat(Uint8Array.of(0), extract(none, "psk_id_hash"), extract(none, "info_hash"));
  return expand(expand(extract(sharedSecret, "secret"), "exp", schedule), "sec", none);
}
