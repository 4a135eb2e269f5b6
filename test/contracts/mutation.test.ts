import { expect } from "chai";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VerdictJournal } from "../../scripts/mutation/journal.ts";
import { contractFiles, mutantsOf, type Mutant } from "../../scripts/mutation/mutants.ts";
import { isOfCondition } from "../../scripts/mutation/operators.ts";
import { excusesWithout, reasonFor } from "../../scripts/mutation/reasons.ts";
import { reportOf } from "../../scripts/mutation/report.ts";
import { judgeMutants } from "../../scripts/mutation/run.ts";
import { testsOf } from "../../scripts/mutation/suites.ts";

// mutants     every contract, by every operator · each a change of one place · each once
// the run     given a sample: judges that many by the contract tests · keeps the verdicts, so that it goes on where it was cut off
const SEED = Number(process.env["MEDSEAL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

describe("mutation of the contracts", () => {
  let mutants: readonly Mutant[];
  before(() => (mutants = mutantsOf()));

  it("changes every contract in one place at a time, by every operator", () => {
    expect(new Set(mutants.map(({ file }) => file)).size).to.equal(contractFiles().length);
    expect([...new Set(mutants.map(({ operator }) => operator))]).to.have.members([
      ...["negated condition", "removed condition", "boundary"],
      ...["removed statement", "swapped operands", "other operator"],
    ]);
    for (const { from, to } of mutants) expect(from).to.not.equal(to);
  });

  it("knows the tests of every contract", () => {
    for (const file of contractFiles()) expect(testsOf(file), file).not.to.have.length(0);
  });

  it("excuses no change that is none", () => {
    expect(excusesWithout(mutants)).to.deep.equal([]);
  });

  it(`kills a sample of negated and removed conditions, and keeps the verdicts (MEDSEAL_SEED=${SEED})`, async function () {
    this.timeout(300_000);
    const file = join(tmpdir(), `medseal-mutation-${process.pid}.jsonl`);
    const where = (mutant: Mutant) => isOfCondition(mutant.operator) && reasonFor(mutant) === undefined;
    try {
      const judged = await judgeMutants({ where, sample: 2, seed: SEED, journal: new VerdictJournal(file) });
      expect(reportOf(judged)).to.deep.include({ mutants: 2, killed: 2, survivors: [] });
      const kept = new VerdictJournal(file);
      for (const { verdict, by, ...mutant } of judged) expect(kept.get(mutant)).to.deep.equal({ verdict, by });
    } finally {
      await rm(file, { force: true });
    }
  });
});
