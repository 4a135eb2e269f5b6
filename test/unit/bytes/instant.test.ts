import { expect } from "chai";
import fc from "fast-check";
import { formatInstant, parseInstant } from "../../../src/observation/instant.ts";
import { instantWithin } from "../log/arbitrary.ts";

describe("an instant", () => {
  it("comes back character for character, with 0 to 9 digits and any offset", () => {
    fc.assert(
      fc.property(instantWithin(0, 253_402_200_000), (text) => {
        const instant = parseInstant(text);
        expect(instant, text).to.not.equal(undefined);
        if (instant) expect(formatInstant(instant)).to.equal(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("counts the seconds that the platform counts", () => {
    fc.assert(
      fc.property(instantWithin(0, 253_402_200_000), (text) => {
        expect(parseInstant(text)?.seconds).to.equal(Math.floor(Date.parse(text) / 1000));
      }),
      { numRuns: 2000 },
    );
  });

  it("is the same when it is asked for again, among others that are kept in its place", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(instantWithin(0, 100_000), fc.string({ maxLength: 30 })), { maxLength: 50 }),
        (texts) => {
          const first = texts.map(parseInstant);
          expect(texts.map(parseInstant)).to.deep.equal(first);
          for (const [i, text] of texts.entries())
            expect(first[i] && formatInstant(first[i]), text).to.be.oneOf([text, undefined]);
        },
      ),
    );
  });

  it("is the same behind another of its minute", () => {
    const offset = fc.constantFrom("Z", "+00:00", "-05:30", "+14:00", "+05:60", "+00:0", "z", "");
    const second = fc.integer({ min: 0, max: 99 }).map((value) => String(value).padStart(2, "0"));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("00", "01"), second, offset), { maxLength: 20 }), (parts) => {
        for (const [minute, second, offset] of parts) {
          const text = `2026-03-01T08:${minute}:${second}${offset}`;
          const right = /^(Z|[+-]\d\d:[0-5]\d)$/.test(offset) && second < "60";
          const expected = right ? { seconds: Date.parse(text) / 1000, fraction: "", offset } : undefined;
          expect(parseInstant(text), text).to.deep.equal(expected);
        }
      }),
    );
  });

  it("is no other text", () => {
    for (const wrong of [
      "2026-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-01-00T00:00:00Z",
      "2026-01-01T24:00:00Z",
      "2026-01-01T00:60:00Z",
      "2026-01-01T00:00:60Z",
      "2026-01-01T00:00:00",
      "2026-01-01T00:00:00z",
      "2026-01-01t00:00:00Z",
      "2026-01-01 00:00:00Z",
      "2026-01-01T00:00:00.Z",
      "2026-01-01T00:00:00.1234567890Z",
      "2026-01-01T00:00:00+14:01",
      "2026-01-01T00:00:00-15:00",
      "2026-01-01T00:00:00+05:60",
      "2026-01-01T00:00:00+0500",
      "+002026-01-01T00:00:00Z",
      " 2026-01-01T00:00:00Z",
      "2026-01-01T00:00:00Z\n",
      "२०२६-01-01T00:00:00Z",
    ])
      expect(parseInstant(wrong), wrong).to.equal(undefined);
    expect(parseInstant("2000-02-29T23:59:59.999999999+14:00")?.seconds).to.equal(951_818_399);
  });
});
