import { expect } from "chai";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { MalformedError, UsageError } from "../../../src/errors.ts";
import {
  openWithPassphrase,
  PassphraseError,
  sealWithPassphrase,
  type ScryptCost,
} from "../../../src/seal/passphrase.ts";
import { SealAlteredError } from "../../../src/seal/seal.ts";
import { refusal } from "./places.ts";

const CHEAP: ScryptCost = { logN: 10, r: 1, p: 1 };
const CONTENT = utf8("roots");
const PASSPHRASE = "correct horse battery staple";
/** name 21, length and text of "vault" 6: there the cost begins. */
const COST_AT = 27;

const sealed = (): Promise<Uint8Array> => sealWithPassphrase(PASSPHRASE, "vault", CONTENT, { cost: CHEAP });
const opened = (file: Uint8Array, passphrase = PASSPHRASE): Promise<Uint8Array> =>
  openWithPassphrase(passphrase, "vault", file);

describe("sealing under a passphrase", () => {
  it("opens with the passphrase, at the default cost", async () => {
    const file = await sealWithPassphrase(PASSPHRASE, "vault", CONTENT);
    expect(hex(file.subarray(COST_AT, COST_AT + 3))).to.equal("110801");
    expect(await opened(file)).to.deep.equal(CONTENT);
  });

  it("begins with name, version, purpose, cost and salt", async () => {
    const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(0xab);
    const file = await sealWithPassphrase(PASSPHRASE, "vault", CONTENT, { cost: CHEAP, bytes });
    expect(hex(file.subarray(0, 62))).to.equal(
      `${hex(utf8("medseal/passphrase/1\n"))}05${hex(utf8("vault"))}0a0101${"ab".repeat(32)}`,
    );
    expect(file.length).to.equal(62 + 80 + CONTENT.length);
  });

  it("refuses another passphrase, as not permitted", async () => {
    const error = await refusal(opened(await sealed(), "Correct horse battery staple"));
    expect(error).to.be.instanceOf(PassphraseError).and.to.have.property("exit", 3);
  });

  it("takes a passphrase however its accents are composed", async () => {
    const file = await sealWithPassphrase("Zu\u0308rich", "vault", CONTENT, { cost: CHEAP });
    expect(await opened(file, "Z\u00fcrich")).to.deep.equal(CONTENT);
  });

  it("refuses an empty passphrase", async () => {
    expect(await refusal(sealWithPassphrase("", "vault", CONTENT, { cost: CHEAP }))).to.be.instanceOf(UsageError);
  });

  it("refuses a file of another purpose", async () => {
    const file = await sealWithPassphrase(PASSPHRASE, "vault", CONTENT, { cost: CHEAP });
    expect(await refusal(openWithPassphrase(PASSPHRASE, "other", file))).to.be.instanceOf(MalformedError);
  });

  it("refuses every altered byte and every shorter file", async () => {
    const file = await sealed();
    for (let i = 0; i < file.length; i++) {
      const error = await refusal(opened(file.with(i, (file[i] as number) ^ 1)));
      const expected = i < COST_AT ? MalformedError : i < 62 + 64 ? PassphraseError : SealAlteredError;
      // A cost out of bounds is told as such before anything is computed.
      if (i >= COST_AT && i < COST_AT + 3 && error instanceof MalformedError) continue;
      expect(error, `byte ${i}`).to.be.instanceOf(expected);
      const cut = await refusal(opened(file.subarray(0, i)));
      expect(cut, `${i} bytes`).to.be.instanceOf(i < 62 + 80 ? MalformedError : SealAlteredError);
    }
  });

  it("does not spend more than 256 MiB or four lanes because a file says so", async () => {
    const file = await sealed();
    for (const cost of [
      [63, 8, 1],
      [21, 1, 1],
      [20, 32, 1],
      [19, 8, 1],
      [18, 9, 1],
      [17, 33, 1],
      [17, 8, 5],
      [9, 8, 1],
      [17, 0, 1],
      [17, 8, 0],
    ]) {
      const hostile = file.slice();
      hostile.set(cost, COST_AT);
      expect(await refusal(opened(hostile)), cost.join()).to.be.instanceOf(MalformedError);
    }
  });
});
