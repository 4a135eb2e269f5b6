import { expect } from "chai";
import { benchVerify, VERIFY, type VerifyReport } from "../../scripts/bench/verify.ts";
import { EPOCH_LENGTH } from "../../scripts/deep/sample.ts";

const SCALE = 0.01;
const scaled = (size: number): number => Math.ceil(SCALE * size);

/** `npm run bench -- verify` measures; here only that it checks all it says, at a hundredth. */
describe("the measure of verifying", function () {
  this.timeout(300_000);
  let report: VerifyReport;

  before(async () => {
    const sizes = VERIFY.sizes.map(scaled);
    report = await benchVerify({ sizes, rounds: 1, blocks: scaled(VERIFY.blocks), bytes: scaled(VERIFY.bytes) });
  });

  it("checks all readings of every archive", () => {
    const whole = VERIFY.sizes.map(scaled).map((size) => {
      const perBatch = Math.min(EPOCH_LENGTH, size);
      return Math.ceil(size / perBatch) * perBatch;
    });
    expect(report.memory.map(({ readings }) => readings)).to.deep.equal(whole);
    expect(report.verify.readings).to.equal(whole.at(-1));
  });

  it("gives every figure", () => {
    expect(report.verify).to.have.all.keys(
      ...["readings", "perSecond", "bound", "blocksPerSecond1k", "mbPerSecond64k", "peakRssMiB"],
    );
    for (const [name, figure] of Object.entries(report.verify)) expect(figure, name).to.be.greaterThan(0);
    expect(report.boundBy).to.not.equal("");
  });
});
