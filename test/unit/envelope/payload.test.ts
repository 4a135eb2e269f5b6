import { expect } from "chai";
import fc from "fast-check";
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
