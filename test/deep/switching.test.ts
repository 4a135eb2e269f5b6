import { expect } from "chai";
import { freshSeed } from "../../scripts/deep/chance.ts";
import { deepSwitching } from "../../scripts/deep/switching.ts";

/** A hundredth of `npm run test:deep -- switching`. */
const SCALE = 0.01;

describe("a gateway that heeds ends", () => {
  it("seals nothing for who was revoked, and never goes back, whatever comes in which order", async () => {
    const seed = process.env["MEDSEAL_SEED"] ?? freshSeed();
    console.log(`      seed ${seed}: MEDSEAL_SEED=${seed} runs it again`);
    const { wrong, schedules, pass: _pass, ...counts } = await deepSwitching(seed, SCALE);
    console.log(`      ${JSON.stringify({ schedules, ...counts })}`);
    expect(wrong).to.deep.equal([]);
    expect(Math.min(...Object.values(counts)), "so that the test can fail").to.be.greaterThan(schedules / 5);
  });
});
