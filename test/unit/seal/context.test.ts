import { expect } from "chai";
import { hex } from "../../../src/bytes/bytes.ts";
import { CONTEXT_SIZE, encodeContext } from "../../../src/seal/context.ts";
import { OTHER_PLACES, PLACE } from "./places.ts";

describe("a sealed block's context", () => {
  it("has the documented 104 bytes", () => {
    const fields = [
      Buffer.from("medseal/v1").toString("hex"),
      "01",
      "0000000000007a69",
      "a1".repeat(20),
      "b2".repeat(20),
      "c3".repeat(32),
      "00000004",
      "00078d98",
      "00000006",
      "01",
    ];
    expect(hex(encodeContext(PLACE))).to.equal(fields.join(""));
    expect(encodeContext(PLACE).length).to.equal(CONTEXT_SIZE);
  });

  it("differs when any field does", () => {
    const encodings = [PLACE, ...Object.values(OTHER_PLACES)].map((place) => hex(encodeContext(place)));
    expect(new Set(encodings).size).to.equal(encodings.length);
  });

  it("refuses values that do not fit their field", () => {
    for (const wrong of [
      { chainId: 1n << 64n },
      { chainId: -1n },
      { anchor: new Uint8Array(19) },
      { gateway: new Uint8Array(32) },
      { stream: new Uint8Array(31) },
      { generation: 2 ** 32 },
      { epoch: -1 },
      { n: 1.5 },
    ]) {
      expect(() => encodeContext({ ...PLACE, ...wrong }), Object.keys(wrong)[0]).to.throw(RangeError);
    }
  });
});
