import * as dagCbor from "@ipld/dag-cbor";
import { expect } from "chai";
import fc from "fast-check";
import { compare, hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { MalformedError } from "../../../src/errors.ts";
import { cidWith, rawCid } from "../../../src/ipfs/cid.ts";
import { decodePinset, encodePinset } from "../../../src/ipfs/pinset.ts";
import { bytesOf } from "./support.ts";

const [checkpoint, a, b] = ["checkpoint", "a", "b"].map((label) => bytesOf(32, label)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const sorted = [a, b].sort(compare);

const node = (change: object): Uint8Array =>
  dagCbor.encode({
    format: "medseal-pinset",
    version: 1,
    checkpoint: rawCid(checkpoint),
    links: sorted.map(rawCid),
    ...change,
  });

describe("pinset", () => {
  it("decodes to the blocks that were encoded, sorted and each once", () => {
    fc.assert(
      fc.property(digest, fc.array(digest, { maxLength: 20 }), (checkpoint, blocks) => {
        const decoded = decodePinset(encodePinset({ checkpoint, blocks: [...blocks, ...blocks, checkpoint] }).bytes);
        const expected = new Set(blocks.map(hex).filter((text) => text !== hex(checkpoint)));
        expect(decoded.blocks.map(hex)).to.deep.equal([...expected].sort());
        expect(hex(decoded.checkpoint)).to.equal(hex(checkpoint));
      }),
    );
  });

  it("has one CID, whatever the order of its blocks", () => {
    const one = encodePinset({ checkpoint, blocks: [a, b] });
    expect(encodePinset({ checkpoint, blocks: [b, a, b] }).cid.toString()).to.equal(one.cid.toString());
    expect(one.cid.toString()).to.equal(cidWith(dagCbor.code, sha256(one.bytes)).toString());
  });

  it("links to its blocks so that any IPFS tool can follow", () => {
    const { links } = dagCbor.decode<{ links: { toString(): string }[] }>(
      encodePinset({ checkpoint, blocks: [a] }).bytes,
    );
    expect(links.map(String)).to.deep.equal([rawCid(a).toString()]);
  });

  it("decodes the node as any tool would write it", () => {
    expect(decodePinset(node({})).blocks.map(hex)).to.deep.equal(sorted.map(hex));
  });

  const wrong: Record<string, Uint8Array> = {
    "another format": node({ format: "medseal-pinsets" }),
    "another version": node({ version: 2 }),
    "a further key": node({ extra: 1 }),
    "no checkpoint": dagCbor.encode({ format: "medseal-pinset", version: 1, links: [] }),
    "links that are no list": node({ links: {} }),
    "a link that is no CID": node({ links: [a] }),
    "a link of another codec": node({ links: [cidWith(dagCbor.code, a)] }),
    "links out of order": node({ links: [...sorted].reverse().map(rawCid) }),
    "a link twice": node({ links: [rawCid(a), rawCid(a)] }),
    "the checkpoint among its links": node({ links: [rawCid(checkpoint)] }),
    "a list for a map": dagCbor.encode([]),
    "null for a map": dagCbor.encode(null),
    "bytes after it": new Uint8Array([...node({}), 0]),
    "its end cut off": node({}).subarray(0, -1),
    "no bytes": new Uint8Array(0),
  };
  for (const [name, bytes] of Object.entries(wrong)) {
    it(`is refused with ${name}`, () => {
      expect(() => decodePinset(bytes)).to.throw(MalformedError, "medseal-pinset");
    });
  }

  it("is refused, or another pinset, when any byte changed", () => {
    const { bytes } = encodePinset({ checkpoint, blocks: [a, b] });
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.map((byte, j) => (j === i ? byte ^ 1 : byte));
      let again: Uint8Array | undefined;
      try {
        again = encodePinset(decodePinset(changed)).bytes;
      } catch (error) {
        expect(error).to.be.instanceOf(MalformedError);
      }
      if (again !== undefined) expect(hex(again)).to.equal(hex(changed));
    }
  });
});
