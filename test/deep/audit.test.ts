import { expect } from "chai";
import { deepAudit, type AuditFigures } from "../../scripts/deep/audit.ts";
import { freshSeed } from "../../scripts/deep/chance.ts";

/** About a hundredth of `npm run test:deep -- audit`. */
const SCALE = 0.01;

describe("an audit, against everything that can be done to an archive", function () {
  this.timeout(300_000);
  let figures: AuditFigures;

  before(async () => {
    const seed = process.env["MEDSEAL_SEED"] ?? freshSeed();
    console.log(`      seed ${seed}: MEDSEAL_SEED=${seed} runs it again`);
    figures = await deepAudit(seed, SCALE, (what) => console.log(`      ${what}`));
  });

  it("finds every flipped bit and names its block", () => {
    expect(figures.flips).to.be.greaterThan(17_000);
    expect(figures.found).to.equal(figures.flips);
  });

  it("finds what was removed, duplicated, reordered, swapped between patients, replayed or forked, and names it", () => {
    for (const [name, { cases, found }] of Object.entries(figures.tampered)) {
      expect(cases, name).to.be.greaterThan(0);
      expect(found, name).to.equal(cases);
    }
  });

  it("finds nothing in what nobody touched, and blames no neighbour", () => {
    expect(figures.cleanReadings).to.be.greaterThan(10_000);
    expect(figures.falseFindings).to.equal(0);
  });

  it("answers every mutated input with its content or a typed error, in time", () => {
    expect(figures).to.include({ malformed: 10_000 * SCALE, crashes: 0 });
  });

  it("comes to the verdict of the independent verifier", function () {
    // Its absence was told above.
    if (figures.verifiersAgree === null) this.skip();
    expect(figures.compared).to.equal(2 * 5 * Math.ceil((1000 * SCALE) / 5));
    expect(figures).to.include({ agreed: figures.compared, differing: 0, verifiersAgree: true });
  });
});
