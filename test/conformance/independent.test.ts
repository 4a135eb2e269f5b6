import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { lacking, openIndependent, type Independent } from "../../scripts/deep/independent.ts";
import type { Case } from "../../scripts/vectors/suite.ts";

const FOLDER = join(import.meta.dirname, "..", "vectors");
const parse = <T>(file: string): T => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as T;
const { files } = parse<{ files: { file: string; format: string }[] }>("manifest.json");

describe("a reader written from docs/formats.md alone", function () {
  this.timeout(120_000);
  let by: Independent;

  before(function () {
    const why = lacking();
    if (why !== undefined) {
      console.log(`      skipped: ${why}`);
      this.skip();
    }
    by = openIndependent();
  });

  after(() => by?.close());

  for (const { file, format } of files)
    it(`${format}: reads and refuses every example as it says`, async () => {
      for (const one of parse<{ cases: Case[] }>(file).cases) {
        const wanted = "error" in one ? { error: one["error"] } : { expected: one["expected"] };
        expect(await by.ask({ vector: { format, case: one } }), one.name).to.deep.equal(wanted);
      }
    });

  it("says so of a format that it does not know", async () => {
    const answer = await by.ask({ vector: { format: "no such format", case: {} } });
    expect(answer).to.deep.equal({ unknown: "no such format" });
  });

  it("gives more than 200 cases, good and bad", () => {
    const all = files.flatMap(({ file }) => parse<{ cases: Case[] }>(file).cases);
    expect(all.length).to.be.greaterThan(200);
    expect(all.filter((one) => "error" in one).length).to.be.greaterThan(all.length / 3);
  });
});
