import { expect } from "chai";
import { CID } from "multiformats/cid";
import { base58btc } from "multiformats/bases/base58";
import { create as multihash } from "multiformats/hashes/digest";
import { sha256 } from "../../../src/bytes/hash.ts";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { MalformedError } from "../../../src/errors.ts";
import { cidOf, cidWith, digestOf, rawCid } from "../../../src/ipfs/cid.ts";

describe("CID", () => {
  const digest = sha256(utf8("hello"));

  it("is what `ipfs block put` prints for the same bytes", () => {
    // The CID of "hello" as a raw leaf, as the IPFS documentation and `ipfs add --cid-version=1` have it.
    expect(cidOf(digest)).to.equal("bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
  });

  it("is written as the library of the format writes it", () => {
    for (let i = 0; i < 1000; i++) {
      const one = sha256(utf8(`digest ${i}`));
      expect(cidOf(one)).to.equal(rawCid(one).toString());
    }
  });

  it("gives its digest back", () => {
    expect(hex(digestOf(cidOf(digest)))).to.equal(hex(digest));
  });

  it("is made from 32 bytes only", () => {
    expect(() => cidOf(digest.subarray(1))).to.throw(RangeError);
  });

  const others: Record<string, string> = {
    CIDv0: "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKU9vP",
    "another base": rawCid(digest).toString(base58btc),
    "another codec": cidWith(0x71, digest).toString(),
    "another hash": CID.createV1(0x55, multihash(0x16, digest)).toString(),
    "upper case": cidOf(digest).toUpperCase(),
    "a path": `/ipfs/${cidOf(digest)}`,
    "a cut end": cidOf(digest).slice(0, -1),
    "a space": `${cidOf(digest)} `,
    "other bits in the last character": cidOf(digest).slice(0, -1) + "r",
    nothing: "",
  };
  for (const [name, text] of Object.entries(others)) {
    it(`is refused with ${name}`, () => {
      expect(() => digestOf(text)).to.throw(MalformedError);
    });
  }
});
