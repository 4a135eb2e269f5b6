import { expect } from "chai";
import { visible } from "../../../src/bytes/visible.ts";

describe("text from outside, shown to people", () => {
  it("keeps what is written, in every script", () => {
    for (const text of ["Zoë Müller", "心拍数 72 /min", "نبض", "a\tb", "😀", ""]) expect(visible(text)).to.equal(text);
  });

  it("cannot begin a line of its own", () => {
    for (const end of ["\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029", "\v", "\f"])
      expect(visible(`bpm${end}The proof holds`)).to.match(/^bpm\uFFFD+The proof holds$/);
  });

  it("cannot command a terminal", () => {
    for (const escape of ["\u001b[2J", "\u009b2J", "\u001b]0;title\u0007", "\b\b\b", "\u007f"])
      expect(visible(escape))
        .to.match(/^[\uFFFD\x20-\x7e]*$/)
        .and.include("\uFFFD");
  });

  it("cannot hide or turn around", () => {
    for (const unseen of ["\u202e", "\u2066", "\u200b", "\u00ad", "\ufeff", "\u061c", "\u{e0041}"])
      expect(visible(`a${unseen}b`)).to.equal("a\uFFFDb");
  });
});
