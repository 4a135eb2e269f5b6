import { utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { ByteReader } from "../../src/bytes/reader.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { ENVELOPE_CLASS } from "../../src/envelope/envelope.ts";
import type { MailRow } from "../../src/log/checkpoint.ts";
import { mailRow } from "../../src/log/mail.ts";

const MAGIC = utf8("medseal/mail/1\n");

export interface Mail {
  readonly envelope: Uint8Array;
  readonly row: MailRow;
}

/** A release as a file: name ‖ for each envelope its size u32, the row's key (32) and view tag (1), the envelope. Anybody may carry it. */
export function writeMail(envelopes: readonly Uint8Array[], viewKey: Uint8Array): Uint8Array {
  const writer = new ByteWriter().raw(MAGIC);
  for (const envelope of envelopes) {
    const { ephemeral, viewTag } = mailRow(sha256(envelope), viewKey);
    writer.uint(envelope.length, 4).fixed(ephemeral, 32).uint(viewTag, 1).raw(envelope);
  }
  return writer.finish();
}

/** @throws MalformedError. */
export function readMail(bytes: Uint8Array): Mail[] {
  const reader = new ByteReader(bytes, "mail").expect(MAGIC, "name and version 1");
  const mail: Mail[] = [];
  while (reader.left > 0) {
    const size = reader.uint(4);
    if (size === 0 || size % ENVELOPE_CLASS !== 0) reader.fail("no size of an envelope");
    const made = { ephemeral: reader.fixed(32), viewTag: reader.uint(1) };
    const envelope = reader.fixed(size);
    mail.push({ envelope, row: { ...made, envelope: sha256(envelope) } });
  }
  return mail;
}
