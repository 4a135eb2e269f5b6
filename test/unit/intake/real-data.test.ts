import { expect } from "chai";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadMapping } from "../../../src/intake/mapping.ts";
import { DATA, EXAMPLES, needs, refusals, sourceText, take, VECTORS } from "./support.ts";

const START = "2026-03-01T08:00:00.5+01:00";
/** The independent re-parse: no quotes, no padding beyond a leading blank in these files. */
const cellsOf = async (file: string): Promise<string[][]> =>
  (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => line.split(",").map((cell) => cell.trim()));

/** Values marked NaN, from the README of the data set. */
const BIDMC_MISSING: Record<string, number> = { "01": 26, "05": 12, "13": 146, "15": 3 };
const BIDMC_FILES = Array.from({ length: 16 }, (_, i) => String(i + 1).padStart(2, "0"));

describe("intake of real recordings", () => {
  for (const patient of BIDMC_FILES) {
    it(`reads BIDMC numerics ${patient} bit-exactly`, async function () {
      const file = join(DATA, `bidmc_numerics/bidmc_${patient}_Numerics.csv`);
      needs(this, file);
      const taken = await take(file, { start: START });
      const [, ...rows] = await cellsOf(file);

      const missing = BIDMC_MISSING[patient] ?? 0;
      expect(taken.quarantined).to.deep.equal([]);
      expect({ readings: taken.readings, missing: taken.missing }).to.deep.equal({
        readings: 4 * 481 - missing,
        missing,
      });
      expect(taken.observations.map(({ observation }) => sourceText(observation))).to.deep.equal(
        rows.flatMap(([, ...values]) => values),
      );
      expect(taken.intake).to.include({ preset: "bidmc-numerics", format: "csv" });
      expect(taken.intake.clock).to.deep.equal({ kind: "start", start: START });
      const half = new Date("2026-03-01T07:00:00.5Z").getTime();
      taken.observations.forEach(({ observation, at }, i) => {
        expect(at.line).to.equal(2 + Math.floor(i / 4));
        expect(Date.parse(observation.time)).to.equal(half + Number(rows[Math.floor(i / 4)]?.[0]) * 1000);
        expect(observation.time).to.match(/\.5\+01:00$/);
      });
    });
  }

  it("names the channels of BIDMC numerics up front", async function () {
    const file = join(DATA, "bidmc_numerics/bidmc_01_Numerics.csv");
    needs(this, file);
    const { intake } = await take(file, { start: START });
    expect(intake.channels?.map(({ code, unit }) => `${code.code} ${unit}`)).to.deep.equal([
      "8867-4 /min",
      "8889-8 /min",
      "9279-1 /min",
      "59408-5 %",
    ]);
  });

  for (const [participant, readings] of Object.entries({ "001": 2561, "006": 2847, "009": 2306, "011": 2843 })) {
    it(`reads the glucose of participant ${participant} bit-exactly`, async function () {
      const file = join(DATA, `cgm_bigideas/Dexcom_${participant}.csv`);
      needs(this, file);
      const taken = await take(file, { zone: "America/Phoenix" });
      const [, ...rows] = await cellsOf(file);
      expect(taken.quarantined).to.deep.equal([]);
      expect({ readings: taken.readings, missing: taken.missing }).to.deep.equal({ readings, missing: 0 });
      const kept = taken.observations.map(({ observation }) => [observation.time, sourceText(observation)]);
      expect(kept).to.deep.equal(rows.map((cells) => [`${cells[1]?.replace(" ", "T")}-07:00`, cells[7]]));
      expect(taken.intake.clock).to.deep.equal({ kind: "zone", zone: "America/Phoenix" });
    });
  }

  it("quarantines the glucose of an hour that the zone's clocks skipped", async function () {
    const file = join(DATA, "cgm_bigideas/Dexcom_006.csv");
    needs(this, file);
    const taken = await take(file, { zone: "America/New_York" });
    expect(taken.readings).to.equal(2847 - 12);
    expect(taken.quarantined.map(({ code, text }) => `${code} ${text.split(",")[1]?.slice(0, 13)}`)).to.deep.equal(
      Array(12).fill("ERR_TIME_NONEXISTENT 2020-03-08 02"),
    );
  });

  it("reads the pulse oximeter's bundle: each component a channel, the absent value missing", async function () {
    const file = join(DATA, "fhir_phd_nonin_bundle/bundle-continuousnonin.json");
    needs(this, file);
    const taken = await take(file);
    const bundle = JSON.parse(await readFile(file, "utf8")) as Bundle;
    const components = bundle.entry.flatMap(({ resource }) => resource.component ?? []).length;

    expect(taken.quarantined).to.deep.equal([]);
    expect(taken.missing).to.equal(1);
    expect(taken.readings).to.equal(12 + 12 + 11 + 1 + components);
    const absent = taken.observations.find(({ observation }) => observation.value.kind === "missing");
    expect(absent?.observation.value).to.deep.equal({
      kind: "missing",
      reason: "not-a-number",
      source: "not-a-number",
    });
    expect(absent?.observation.channel.unit).to.equal("%");
    expect(absent?.at.path).to.equal("entry[46].resource");
    expect(taken.observations.every(({ device }) => device === "Device/phd-74E8FFFEFF051C00.001C05FFE874")).to.equal(
      true,
    );

    const text = await readFile(file, "utf8");
    const numbers = [...text.matchAll(/"value" ?: ?(-?[0-9.]+)/g)].map(([, value]) => value);
    const quantities = taken.observations.filter(({ observation }) => observation.value.kind === "quantity");
    expect(quantities.map(({ observation }) => sourceText(observation))).to.deep.equal(numbers);
    const times = bundle.entry.flatMap(({ resource }) =>
      Array<string>(resource.component?.length ?? 1).fill(resource.effectiveDateTime),
    );
    expect(taken.observations.map(({ observation }) => observation.time)).to.deep.equal(times);
  });

  const VITALS: Record<string, string[]> = {
    "Observation-blood-pressure.json": ["1 ERR_TIME_PARTIAL"],
    "Observation-blood-pressure-dar.json": ["1 ERR_TIME_PARTIAL"],
    "Observation-f001.json": ["1 ERR_TIME_PERIOD"],
    "Observation-map-sitting.json": ["1 ERR_TIME_PERIOD"],
    "Observation-vitals-panel.json": ["1 ERR_TIME_PARTIAL"],
    "Observation-satO2.json": [],
    "Observation-ekg.json": [],
  };
  for (const [name, expected] of Object.entries(VITALS)) {
    it(`takes in or refuses with reason: ${name}`, async function () {
      const file = join(DATA, "fhir_r4_vitals", name);
      needs(this, file);
      expect(refusals(await take(file))).to.deep.equal(expected);
    });
  }

  it("drops none of the published Observations without a trace", async function () {
    const folder = join(VECTORS, "fhir-r4");
    needs(this, folder);
    const names = (await readdir(folder)).filter((name) => name.startsWith("Observation-"));
    const codes = new Set<string>();
    for (const name of names) {
      const { observations, quarantined } = await take(join(folder, name));
      expect(observations.length + quarantined.length, name).to.be.greaterThan(0);
      for (const { code } of quarantined) codes.add(code);
    }
    expect([...codes]).to.include.members([
      "ERR_FHIR_STATUS",
      "ERR_TIME_PARTIAL",
      "ERR_TIME_ABSENT",
      "ERR_UNIT",
      "ERR_FHIR_VALUE",
    ]);
  });

  it("keeps the samples of a three-lead ECG as they stand", async function () {
    const file = join(DATA, "fhir_r4_vitals/Observation-ekg.json");
    needs(this, file);
    const taken = await take(file);
    const { component = [] } = JSON.parse(await readFile(file, "utf8")) as Resource;
    expect(taken.observations.map(({ observation }) => sourceText(observation))).to.deep.equal(
      component.map(({ valueSampledData }) => valueSampledData?.data),
    );
    expect(taken.observations[0]?.observation.value).to.deep.include({ kind: "sampled" });
    expect(taken.observations.map(({ observation }) => observation.channel.component?.code)).to.deep.equal([
      "131329",
      "131330",
      "131389",
    ]);
  });

  it("reads an absent component as missing in its own unit", async function () {
    const file = join(DATA, "fhir_r4_vitals/Observation-blood-pressure-dar.json");
    needs(this, file);
    const home = await readFile(file, "utf8");
    const { observations } = await takeText(home.replace('"2012-09-17"', '"2012-09-17T10:00:00Z"'));
    expect(
      observations.map(({ observation }) => [
        observation.channel.component?.code,
        observation.channel.unit,
        observation.value,
      ]),
    ).to.deep.equal([
      ["8480-6", "mm[Hg]", { kind: "quantity", decimal: "107", comparator: "" }],
      ["8462-4", "mm[Hg]", { kind: "missing", reason: "not-performed", source: "not-performed" }],
    ]);
  });

  it("reads waveforms at 125 Hz by a mapping", async function () {
    const file = join(DATA, "bidmc_signals/bidmc_02_Signals.csv");
    needs(this, file);
    const mapping = await loadMapping(join(EXAMPLES, "mapping-waveforms.json"));
    const taken = await take(file, { start: "2026-03-01T08:00:00Z", mapping });
    const [, ...rows] = await cellsOf(file);
    // From 100 s on the file rounds its times to 5 digits, so that some come twice: those are not taken in twice.
    const first = rows.filter((cells, i) => cells[0] !== rows[i - 1]?.[0]);
    expect(taken.quarantined.length).to.equal(2 * (rows.length - first.length));
    expect(new Set(taken.quarantined.map(({ code }) => code))).to.deep.equal(new Set(["ERR_TIME_DUPLICATE"]));
    expect(taken.observations.map(({ observation }) => sourceText(observation)).join()).to.equal(
      first.flatMap((cells) => [cells[1], cells[2]]).join(),
    );
    const fractions = taken.observations.slice(0, 6).map(({ observation }) => observation.time.slice(19));
    expect(fractions).to.deep.equal(["Z", "Z", ".008Z", ".008Z", ".016Z", ".016Z"]);
  });
});

interface Resource {
  effectiveDateTime: string;
  component?: { valueSampledData?: { data: string } }[];
}
interface Bundle {
  entry: { resource: Resource }[];
}

async function takeText(text: string): ReturnType<typeof take> {
  const { mkdtemp, rm, writeFile } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const home = await mkdtemp(join(tmpdir(), "medseal-intake-"));
  try {
    const file = join(home, "observation.json");
    await writeFile(file, text);
    return await take(file);
  } finally {
    await rm(home, { recursive: true });
  }
}
