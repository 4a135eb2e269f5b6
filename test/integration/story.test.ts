import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import type { IntakeOptions } from "../../src/intake/types.ts";
import { chance, freshSeed } from "../../scripts/deep/chance.ts";
import { runStory, type StoryResult } from "../../scripts/demo/story.ts";

const DATA = resolve(process.env["MEDSEAL_DATA"] ?? join(import.meta.dirname, "../../../shared/data"));
const SAMPLE = join(import.meta.dirname, "../../examples/ward-bed-7.csv");
const ICU: IntakeOptions = { start: "2026-03-01T08:00:00Z" };
/** The dates were shifted and the zone is not known: one without daylight saving, in which no local time is skipped. */
const CGM: IntakeOptions = { zone: "America/Phoenix" };

/** Files of a folder of the real recordings. */
const filesIn = (folder: string, name: RegExp): string[] =>
  existsSync(join(DATA, folder))
    ? readdirSync(join(DATA, folder))
        .filter((file) => name.test(file))
        .map((file) => join(DATA, folder, file))
    : [];

function asTold(result: StoryResult): void {
  expect(result.bitExact, "every reading came back as it stood, with a valid proof").to.equal(true);
  expect(result.window.opened, "epochs opened").to.equal(result.window.expected);
  expect(result.window.outsideClosed, "closed outside the window").to.equal(true);
  expect(result.verify.ok, "nothing was altered").to.equal(true);
  expect(result.tamper.found, "the damaged block was named").to.equal(true);
  expect(result.revoked).to.deep.equal({ laterClosed: true, othersOpen: true });
  expect(result.ok).to.equal(true);
}

/** How many patients of a kind, chosen by the seed; a run of all takes minutes on a small machine. */
const PATIENTS = Number(process.env["MEDSEAL_PATIENTS"] ?? 1);
const SEED = process.env["MEDSEAL_SEED"] ?? freshSeed();

const silent = (): void => undefined;

function chosenFrom(files: readonly string[]): Set<string> {
  const draw = chance(SEED, "patients");
  const chosen = new Set<string>();
  while (chosen.size < Math.min(PATIENTS, files.length)) chosen.add(draw.pick(files));
  return chosen;
}

describe("the main job", function () {
  this.timeout(300_000);

  it("goes as told over the sample recording", async () => {
    const result = await runStory(SAMPLE, {}, silent);
    asTold(result);
    expect(result.readings + result.missing).to.equal(3600);
  });

  describe("over real recordings", () => {
    const icu = filesIn("bidmc_numerics", /\.csv$/);
    const cgm = filesIn("cgm_bigideas", /\.csv$/);
    const fhir = filesIn("fhir_phd_nonin_bundle", /\.json$/);

    before(function () {
      if (icu.length > 0 && cgm.length > 0 && fhir.length > 0) return;
      console.log("      skipped: MEDSEAL_DATA names no folder with the real recordings");
      this.skip();
    });

    it(`of ${PATIENTS} of sixteen ICU patients, with what is missing (MEDSEAL_SEED=${SEED})`, async () => {
      // From the README of the recordings: 481 rows of four channels, and how many of them are NaN.
      const missing: Record<string, number> = { "01": 26, "05": 12, "13": 146, "15": 3 };
      expect(icu).to.have.lengthOf(16);
      for (const file of chosenFrom(icu)) {
        const result = await runStory(file, ICU, silent);
        asTold(result);
        const absent = missing[/bidmc_(\d\d)/.exec(file)?.[1] ?? ""] ?? 0;
        expect([result.readings, result.missing, result.quarantined], file).to.deep.equal([
          4 * 481 - absent,
          absent,
          0,
        ]);
      }
    });

    it(`of continuous glucose of ${PATIENTS} of four patients over days, in local time (MEDSEAL_SEED=${SEED})`, async () => {
      expect(cgm).to.have.lengthOf(4);
      for (const file of chosenFrom(cgm)) {
        const result = await runStory(file, CGM, silent);
        asTold(result);
        expect(result.epochSeconds).to.equal(86_400);
        // Every line but the heading is a reading.
        const lines = readFileSync(file, "utf8").trimEnd().split("\n").length - 1;
        expect([result.readings, result.missing, result.quarantined], file).to.deep.equal([lines, 0, 0]);
      }
    });

    it("of a pulse oximeter as a FHIR bundle with IEEE 11073 codes", async () => {
      const result = await runStory(fhir[0] as string, {}, silent);
      asTold(result);
      expect(result.missing).to.equal(1);
    });
  });
});
