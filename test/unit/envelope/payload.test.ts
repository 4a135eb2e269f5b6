import { expect } from "chai";
import fc from "fast-check";
import { concat, fromHex } from "../../../src/bytes/bytes.ts";
import { ByteWriter } from "../../../src/bytes/writer.ts";
import { encodeConsent } from "../../../src/consent/encoding.ts";
import { MalformedError, MedSealError } from "../../../src/errors.ts";
import { ConsentInvalidError } from "../../../src/consent/errors.ts";
import { decodeRelease, encodeRelease } from "../../../src/envelope/payload.ts";
import { anyRelease, release, twoLinks } from "./samples.ts";

describe("a release's bytes", () => {
  it("come back as the release or lease", () => {
    fc.assert(
      fc.property(anyRelease, (any) => {
        expect(decodeRelease(encodeRelease(any))).to.deep.equal(any);
      }),
      { numRuns: 100 },
    );
  });

  it("are refused when the streams of a link are not those of its scope, in order", () => {
    const { both, one, ids } = twoLinks;
    const withStreams = (link: typeof both, streams: readonly `0x${string}`[]): Uint8Array =>
      encodeRelease({ ...release, chain: [{ ...link, streams }] });
    expect(decodeRelease(withStreams(both, ids)).chain[0]?.streams).to.deep.equal(ids);
    expect(() => decodeRelease(withStreams(both, [...ids].reverse())), "turned").to.throw(MalformedError);
    expect(() => decodeRelease(withStreams(one, one.streams.concat(one.consent.scope))), "listed").to.throw(
      MalformedError,
    );
    expect(() => decodeRelease(withStreams(both, ids.slice(1))), "one missing").to.throw(ConsentInvalidError);
    expect(() => decodeRelease(withStreams(one, ids)), "one too many").to.throw(ConsentInvalidError);
  });

  it("are refused with a leave to write that is not listed, listed for nothing or out of order, and with a generation twice", () => {
    const [keys] = release.keys as [(typeof release.keys)[0]];
    const { both, one } = twoLinks;
    const two = [
      { ...keys, write: one },
      { ...keys, generation: 1, write: both },
    ];
    const bytes = encodeRelease({ ...release, keys: two });
    expect(decodeRelease(bytes).keys.map(({ write }) => write)).to.deep.equal([one, both]);
    expect(() => decodeRelease(encodeRelease({ ...release, keys: [keys, keys] })), "twice").to.throw(MalformedError);
    // The index of the second generation's leave, behind its descriptor, number and role.
    const name = new TextEncoder().encode(keys.stream.name);
    const descriptor = [...keys.stream.id, name.length, ...name];
    const at = Buffer.from(bytes).lastIndexOf(Buffer.from(descriptor)) + descriptor.length + 1 + 5 + 4 + 1;
    expect(bytes.subarray(at, at + 2)).to.deep.equal(Uint8Array.of(0, 1));
    expect(() => decodeRelease(bytes.with(at + 1, 2)), "not listed").to.throw(MalformedError, "not listed");
    expect(() => decodeRelease(bytes.with(at + 1, 0)), "listed for nothing").to.throw(MalformedError, "for nothing");
    const first = Buffer.from(bytes).indexOf(Buffer.from(descriptor)) + descriptor.length + 1 + 5 + 4 + 1;
    expect(() => decodeRelease(bytes.with(at + 1, 0).with(first + 1, 1)), "turned").to.throw(
      MalformedError,
      "as they come up",
    );
    const linkTo = ({ consent, streams }: typeof one): Buffer => {
      const writer = new ByteWriter().sized(encodeConsent(consent), 2).uint(streams.length, 2);
      for (const id of streams) writer.raw(fromHex(id));
      return Buffer.from(writer.finish());
    };
    const second = Buffer.from(bytes).indexOf(linkTo(both));
    const behind = bytes.subarray(second + linkTo(both).length);
    const twice = concat(bytes.subarray(0, second), linkTo(one), behind);
    expect(() => decodeRelease(twice), "listed twice").to.throw(MalformedError, "listed twice");
  });

  it("are refused with more or fewer consents than a chain has, and when a release retires", () => {
    const { one } = twoLinks;
    for (const count of [0, 5])
      expect(() =>
        decodeRelease(encodeRelease({ ...release, chain: new Array<typeof one>(count).fill(one) })),
      ).to.throw(MedSealError);
    const retiredBy = [{ grantor: one.consent.grantor, id: one.consent.scope }];
    expect(() => decodeRelease(encodeRelease({ ...release, retiredBy }))).to.throw(MalformedError);
    expect(() => decodeRelease(encodeRelease({ ...release, kind: "lease", retiredBy }))).to.not.throw();
  });

  it("are refused when an epoch does not divide a day, or the class of batches is unknown", () => {
    const [keys] = release.keys as [(typeof release.keys)[0]];
    for (const wrong of [{ epochLength: 0 }, { epochLength: 7 }, { epochLength: 172_800 }, { batchClass: 6 }]) {
      const stream = { ...keys.stream, ...wrong };
      expect(() => decodeRelease(encodeRelease({ ...release, keys: [{ ...keys, stream }] }))).to.throw(MalformedError);
    }
  });
});
