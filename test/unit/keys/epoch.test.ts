import { createHmac } from "node:crypto";
import { expect } from "chai";
import { hex } from "../../../src/bytes/bytes.ts";
import { coverOf, epochKey } from "../../../src/keys/cover.ts";
import { batchKey, headerKey, tagOf } from "../../../src/keys/epoch.ts";

const DATA_ROOT = new Uint8Array(32).fill(0xd0);
const AUDIT_ROOT = new Uint8Array(32).fill(0xa0);
const EPOCH = 495_000;
const keyOf = (root: Uint8Array, epoch = EPOCH): Uint8Array => epochKey(coverOf(root, epoch, epoch + 1), epoch);

describe("keys of an epoch", () => {
  it("are different for data, audit, batch, header and tag, and for each epoch", () => {
    const keys = [EPOCH, EPOCH + 1].flatMap((epoch) => {
      const [data, audit] = [keyOf(DATA_ROOT, epoch), keyOf(AUDIT_ROOT, epoch)];
      return [data, audit, batchKey(data), batchKey(audit), headerKey(audit), headerKey(data), tagOf(audit, 0)];
    });
    expect(new Set(keys.map(hex)).size).to.equal(14);
  });

  it("an audit cover gives no batch key, a data cover no header key", () => {
    const [data, audit] = [keyOf(DATA_ROOT), keyOf(AUDIT_ROOT)];
    const from = (key: Uint8Array): string[] => [key, batchKey(key), headerKey(key), tagOf(key, 0)].map(hex);
    expect(from(audit)).not.to.include(hex(batchKey(data)));
    expect(from(data)).not.to.include(hex(headerKey(audit)));
    expect(from(data)).not.to.include(hex(tagOf(audit, 0)));
  });

  it("follow the documented derivations", () => {
    const key = new Uint8Array(32).fill(7);
    const mac = (by: Uint8Array, ...parts: (string | Uint8Array)[]): Buffer =>
      parts.reduce((all, part) => all.update(part), createHmac("sha256", by)).digest();
    const one = Uint8Array.of(1);
    expect(hex(batchKey(key))).to.equal(mac(key, "medseal/v1/batch", one).toString("hex"));
    expect(hex(headerKey(key))).to.equal(mac(key, "medseal/v1/header", one).toString("hex"));
    const tagKey = mac(key, "medseal/v1/tag", one);
    expect(hex(tagOf(key, 0x01020304))).to.equal(mac(tagKey, Uint8Array.of(1, 2, 3, 4)).toString("hex"));
  });

  it("a tag has 32 bytes and is another for each n", () => {
    const tags = Array.from({ length: 200 }, (_, n) => tagOf(keyOf(AUDIT_ROOT), n));
    expect(new Set(tags.map(hex)).size).to.equal(200);
    expect(tags.every(({ length }) => length === 32)).to.equal(true);
    for (const n of [-1, 2 ** 32, 0.5]) expect(() => tagOf(keyOf(AUDIT_ROOT), n)).to.throw(RangeError);
  });
});
