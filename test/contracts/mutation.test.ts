import { expect } from "chai";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VerdictJournal } from "../../scripts/mutation/journal.ts";
import { contractFiles, mutantsOf } from "../../scripts/mutation/mutants.ts";
import { isCounted, judgeMutants } from "../../scripts/mutation/run.ts";
import { groupOf } from "../../scripts/mutation/suites.ts";

// mutants     every contract, by every operator · each a change of one place · each once
// the run     given a sample: judges that many by the contract tests · keeps the verdicts, so that it goes on where it was cut off
describe("mutation of the contracts", () => {
  it("changes every contract in one place at a time, by every operator", () => {
    const mutants = mutantsOf();
    expect(new Set(mutants.map(({ file }) => file)).size).to.equal(contractFiles().length);
    expect([...new Set(mutants.map(({ operator }) => operator))]).to.have.members([
      ...["negated condition", "removed condition", "boundary"],
      ...["removed statement", "swapped operands", "other operator"],
    ]);
    for (const { from, to } of mutants) expect(from).to.not.equal(to);
  });

  it("knows the tests of every contract", () => {
    for (const file of contractFiles()) expect(groupOf(file).suites, file).not.to.have.length(0);
  });

  it("kills the first of a sample, and keeps the verdict", async function () {
    if (!process.env["MEDSEAL_MUTATION"]) {
      console.log(
        "      left out: it builds and tests a copy; MEDSEAL_MUTATION=1, or npm run test:mutation -- --sample 1",
      );
      this.skip();
    }
    this.timeout(600_000);
    const file = join(tmpdir(), `medseal-mutation-${process.pid}.jsonl`);
    try {
      const first = await judgeMutants({ only: "RecordAnchor", sample: 1, seed: 3, journal: new VerdictJournal(file) });
      expect(first.filter(({ verdict }) => isCounted(verdict)).map(({ verdict }) => verdict)).to.deep.equal(["killed"]);
      const kept = new VerdictJournal(file);
      expect(first.map((mutant) => kept.get(mutant))).to.deep.equal(first.map(({ verdict }) => verdict));
    } finally {
      await rm(file, { force: true });
    }
  });
});
