import { expect } from "chai";
import { openAnswer } from "../../scripts/cli/answers.ts";
import { sealLetter } from "../../scripts/cli/letter.ts";
import { openPlan } from "../../scripts/cli/plan.ts";
import { concat, utf8 } from "../../src/bytes/bytes.ts";
import { MedSealError } from "../../src/errors.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { generateKeyPair, sealTo } from "../../src/seal/hpke.ts";
import { pad } from "../../src/seal/padding.ts";

const ANSWER = { name: "answer", sizes: [1024] };
const PLAN = { name: "plan", sizes: [16_384] };

/** What opening came to; anything but a MedSealError is a crash. */
async function refusal(opening: Promise<unknown>): Promise<string> {
  try {
    await opening;
  } catch (error) {
    if (error instanceof MedSealError) return error.code;
    throw error;
  }
  return "opened";
}

describe("a letter of somebody who means harm", () => {
  for (const text of ["null", "7", '"text"', "[]", "{}", '{"answer":null}', '{"answer":{}}', '{"plan":null}', "{"])
    it(`is refused when it holds ${text}`, async () => {
      const keys = await generateKeyPair();
      const recipient = { recipient: { ...keys, hpkeKey: keys.publicKey, viewKey: new Uint8Array(32) } };
      expect(await refusal(openAnswer(await sealLetter(ANSWER, text, recipient), keys))).to.equal("ERR_MALFORMED");
      expect(await refusal(openPlan(await sealLetter(PLAN, text, recipient), keys))).to.equal("ERR_MALFORMED");
    });

  it("is refused when it holds no text", async () => {
    const keys = await generateKeyPair();
    const magic = utf8("medseal/answer/1\n");
    const head = new ByteWriter().raw(magic).uint(keys.kem, 2).finish();
    const plain = pad(Uint8Array.of(0xc0, 0x80), [1024]);
    const { enc, ciphertext } = await sealTo(keys.kem, keys.publicKey, magic, head, plain);
    const letter = concat(head, new ByteWriter().sized(enc, 2).raw(ciphertext).finish());
    expect(await refusal(openAnswer(letter, keys))).to.equal("ERR_LETTER");
  });
});
