import { utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { encodeRelease, type Release } from "./payload.ts";

/**
 * What a gateway hands back once it has stored a lease: SHA-256("medseal/v1/lease-receipt" ‖ the encoded lease), 32 bytes. Nobody but the
 * patient and the gateway can tell it, as the lease holds secret keys; it gives none of them away.
 */
export const receiptOf = (lease: Release): Uint8Array => sha256(utf8("medseal/v1/lease-receipt"), encodeRelease(lease));
