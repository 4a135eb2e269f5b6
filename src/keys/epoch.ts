import { utf8 } from "../bytes/bytes.ts";
import { hkdfExpand, hmac } from "../bytes/hash.ts";
import { ByteWriter } from "../bytes/writer.ts";

const BATCH = utf8("medseal/v1/batch");
const HEADER = utf8("medseal/v1/header");
const TAG = utf8("medseal/v1/tag");

/** The sealing key of the epoch's batches. @param dataEpochKey - From the data tree: READ only. */
export const batchKey = (dataEpochKey: Uint8Array): Uint8Array => hkdfExpand(dataEpochKey, BATCH);

/** The sealing key of the epoch's headers. @param auditEpochKey - From the audit tree: READ and AUDIT. */
export const headerKey = (auditEpochKey: Uint8Array): Uint8Array => hkdfExpand(auditEpochKey, HEADER);

/**
 * The tag under which batch `n` of an epoch stands in a checkpoint: 32 bytes, pseudorandom to who lacks the audit key.
 *
 * @param n - 0 to 2^32 - 1, counted inside the epoch.
 */
export const tagOf = (auditEpochKey: Uint8Array, n: number): Uint8Array =>
  hmac(hkdfExpand(auditEpochKey, TAG), new ByteWriter().uint(n, 4).finish());
