import { fromHex, hex0x, utf8 } from "../bytes/bytes.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { getAddress } from "ethers";
import type { Consent, Hex } from "./consent.ts";
import { checkStatement } from "./statement.ts";

const FORMAT = "consent";
/** Name and version. */
const MAGIC = utf8("medseal/consent/1\n");

/** The bytes of a consent, one sequence for each consent, see docs/formats.md. */
export function encodeConsent(consent: Consent): Uint8Array {
  checkStatement(consent);
  return new ByteWriter()
    .raw(MAGIC)
    .fixed(fromHex(consent.grantor), 20)
    .fixed(fromHex(consent.grantee), 20)
    .fixed(fromHex(consent.scope), 32)
    .text(consent.purpose, 1)
    .uint(consent.dataStart, 6)
    .uint(consent.dataEnd, 6)
    .uint(consent.periodStart, 6)
    .uint(consent.periodEnd, 6)
    .uint(consent.actions, 2)
    .fixed(fromHex(consent.parent), 32)
    .fixed(fromHex(consent.salt), 32)
    .text(consent.statement, 2)
    .finish();
}

/**
 * Inverse of `encodeConsent`.
 *
 * @throws MalformedError, ConsentInvalidError or StatementDiffersError: what comes back can be relied on.
 */
export function decodeConsent(bytes: Uint8Array): Consent {
  const reader = new ByteReader(bytes, FORMAT).expect(MAGIC, "name and version 1");
  const consent: Consent = {
    grantor: address(reader),
    grantee: address(reader),
    scope: hex0x(reader.fixed(32)),
    purpose: reader.text(1),
    dataStart: reader.uint(6),
    dataEnd: reader.uint(6),
    periodStart: reader.uint(6),
    periodEnd: reader.uint(6),
    actions: reader.uint(2),
    parent: hex0x(reader.fixed(32)),
    salt: hex0x(reader.fixed(32)),
    statement: reader.text(2),
  };
  reader.end();
  checkStatement(consent);
  return consent;
}

const address = (reader: ByteReader): Hex => getAddress(hex0x(reader.fixed(20))) as Hex;
