import { expect } from "chai";
import { failure, folder, refusals, take } from "./support.ts";
import type { IntakeOptions } from "../../../src/intake/types.ts";

const UCUM = "http://unitsofmeasure.org";
const HR = { coding: [{ system: "http://loinc.org", code: "8867-4" }] };
const time = (second: number): string => `2026-03-01T08:00:${String(second).padStart(2, "0")}+01:00`;
const beats = (value: unknown = 72): object => ({ value, system: UCUM, code: "/min" });

const observation = (changes: object = {}): Record<string, unknown> => ({
  resourceType: "Observation",
  status: "final",
  code: HR,
  effectiveDateTime: time(0),
  valueQuantity: beats(),
  ...changes,
});
const without = (key: string, changes: object = {}): object =>
  Object.fromEntries(Object.entries(observation(changes)).filter(([name]) => name !== key));
const bundle = (...resources: object[]): string =>
  JSON.stringify(
    { resourceType: "Bundle", type: "collection", entry: resources.map((resource) => ({ resource })) },
    null,
    1,
  );

describe("intake of FHIR R4", () => {
  const files = folder();
  const takeText = async (text: string, name = "fhir.json", options: IntakeOptions = {}): ReturnType<typeof take> =>
    take(await files.write(name, text), options);
  const one = async (resource: object): ReturnType<typeof take> => takeText(JSON.stringify(resource));

  describe("of one Observation", () => {
    it("keeps decimal text, comparator, status, offset and device", async () => {
      const text = JSON.stringify(observation({ status: "amended", device: { reference: "Device/1" } }));
      const { observations, intake } = await takeText(text.replace('"value":72', '"comparator":"<","value":6.30e1'));
      expect(observations).to.deep.equal([
        {
          kind: "observation",
          observation: {
            channel: { code: HR.coding[0], unit: "/min" },
            time: time(0),
            status: "amended",
            value: { kind: "quantity", decimal: "6.30e1", comparator: "<" },
          },
          at: { file: files.path("fhir.json"), line: 1 },
          device: "Device/1",
        },
      ]);
      expect(intake).to.deep.include({ format: "fhir-json", preset: "fhir-r4", clock: { kind: "source" } });
      expect(intake.channels).to.equal(undefined);
    });

    it("reads a boolean and an effective instant", async () => {
      const { observations } = await one({
        ...without("valueQuantity", { valueBoolean: false, effectiveInstant: "2026-03-01T08:00:00.123Z" }),
        effectiveDateTime: undefined,
      });
      expect(observations[0]?.observation).to.deep.include({
        value: { kind: "boolean", value: false },
        time: "2026-03-01T08:00:00.123Z",
      });
    });

    const absent = (coding: object): object => without("valueQuantity", { dataAbsentReason: { coding: [coding] } });
    const ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
    it("reads an absent value as missing, in the usual unit of its code", async () => {
      const [known, foreign] = [
        await one(absent({ system: ABSENT, code: "error" })),
        await one(absent({ system: "http://example.org", code: "Sensor lost" })),
      ];
      expect(known.observations[0]?.observation).to.deep.include({
        channel: { code: HR.coding[0], unit: "/min" },
        value: { kind: "missing", reason: "error", source: "error" },
      });
      expect(foreign.observations[0]?.observation.value).to.deep.equal({
        kind: "missing",
        reason: "unknown",
        source: "Sensor lost",
      });
    });

    const sampled = (changes: object = {}): object =>
      without("valueQuantity", {
        valueSampledData: { origin: { value: 0 }, period: 4, dimensions: 2, data: "1 E -2.50 L", ...changes },
      });
    it("reads sampled data", async () => {
      const { observations } = await one(sampled());
      expect(observations[0]?.observation.value).to.deep.equal({
        kind: "sampled",
        sampled: {
          origin: "0",
          period: "4",
          factor: "",
          lowerLimit: "",
          upperLimit: "",
          dimensions: 2,
          data: "1 E -2.50 L",
        },
      });
    });

    it("keeps the value of an Observation beside its components", async () => {
      const part = (code: string, value: object): object => ({
        code: { coding: [{ system: "http://loinc.org", code }] },
        ...value,
      });
      const taken = await one(
        observation({
          component: [
            part("x", { valueQuantity: { value: 1, system: UCUM, code: "mV" } }),
            part("y", {}),
            { valueBoolean: true },
            7,
          ],
        }),
      );
      expect(
        taken.observations.map(({ at, observation: { channel } }) => [at.path, channel.component?.code, channel.unit]),
      ).to.deep.equal([
        [undefined, undefined, "/min"],
        ["component[0]", "x", "mV"],
      ]);
      expect(refusals(taken)).to.deep.equal([
        "1 ERR_FHIR_NO_VALUE component[1]",
        "1 ERR_CODE component[2]",
        "1 ERR_CODE component[3]",
      ]);
    });

    const refused: [what: string, resource: object, code: string][] = [
      ["entered in error", observation({ status: "entered-in-error" }), "ERR_FHIR_STATUS"],
      ["cancelled", observation({ status: "cancelled" }), "ERR_FHIR_STATUS"],
      ["of unknown status", observation({ status: "unknown" }), "ERR_FHIR_STATUS"],
      ["without status", without("status"), "ERR_FHIR_STATUS"],
      ["over a period", { ...without("effectiveDateTime"), effectivePeriod: { start: time(0) } }, "ERR_TIME_PERIOD"],
      ["on a day", observation({ effectiveDateTime: "2026-03-01" }), "ERR_TIME_PARTIAL"],
      ["in a year", observation({ effectiveDateTime: "2026" }), "ERR_TIME_PARTIAL"],
      ["without offset", observation({ effectiveDateTime: "2026-03-01T08:00:00" }), "ERR_TIME"],
      ["without time", without("effectiveDateTime"), "ERR_TIME_ABSENT"],
      ["with a time that is no text", observation({ effectiveDateTime: 5 }), "ERR_TIME"],
      ["with two times", observation({ effectiveInstant: time(0) }), "ERR_FHIR_SHAPE"],
      ["before 1970", observation({ effectiveDateTime: "1969-12-31T23:00:00-00:30" }), "ERR_TIME_BEFORE_1970"],
      ["without a code", without("code"), "ERR_CODE"],
      ["with a code without system", observation({ code: { coding: [{ code: "x" }] } }), "ERR_CODE"],
      ["with text where a number must be", observation({ valueQuantity: beats("72") }), "ERR_NUMBER"],
      ["with a quantity without value", observation({ valueQuantity: { system: UCUM, code: "/min" } }), "ERR_NUMBER"],
      ["with a unit outside UCUM", observation({ valueQuantity: { value: 1, unit: "bpm" } }), "ERR_UNIT"],
      ["with an unknown unit", observation({ valueQuantity: { value: 1, system: UCUM, code: "bpm" } }), "ERR_UNIT"],
      [
        "with a unit named like a member of every object",
        observation({ valueQuantity: { value: 1, system: UCUM, code: "constructor" } }),
        "ERR_UNIT",
      ],
      [
        "with a unit that does not fit its code",
        observation({ valueQuantity: { value: 1, system: UCUM, code: "mg/dL" } }),
        "ERR_UNIT_OF_CODE",
      ],
      ["with an unknown comparator", observation({ valueQuantity: { ...beats(), comparator: "~" } }), "ERR_FHIR_SHAPE"],
      ["with two values", observation({ valueBoolean: true }), "ERR_FHIR_SHAPE"],
      ["with a value and a reason why there is none", observation({ dataAbsentReason: {} }), "ERR_FHIR_SHAPE"],
      ["with a text value", without("valueQuantity", { valueString: "blue" }), "ERR_FHIR_VALUE"],
      ["with nothing but members", without("valueQuantity", { hasMember: [{ reference: "x" }] }), "ERR_FHIR_NO_VALUE"],
      ["with a modifier", observation({ modifierExtension: [{ url: "x" }] }), "ERR_FHIR_MODIFIER"],
      ["with a sample that is no number", sampled({ data: "1 x" }), "ERR_NUMBER"],
      ["with samples that do not fill their dimensions", sampled({ data: "1 2 3" }), "ERR_FHIR_SHAPE"],
      ["with sampled data without period", sampled({ period: undefined }), "ERR_NUMBER"],
      ["with sampled data in an unknown unit", sampled({ origin: { value: 0, unit: "counts" } }), "ERR_UNIT"],
      ["that is a Patient", { resourceType: "Patient" }, "ERR_FHIR_TYPE"],
    ];
    for (const [what, resource, code] of refused) {
      it(`quarantines one ${what}`, async () => {
        const taken = await one(resource);
        expect({ refusals: refusals(taken), kept: taken.observations }).to.deep.equal({
          refusals: [`1 ${code}`],
          kept: [],
        });
        expect(taken.quarantined[0]?.text).to.equal(JSON.stringify(resource));
      });
    }
  });

  describe("of a Bundle", () => {
    it("takes entries in any order, names path and line, and refuses duplicates", async () => {
      const at = (second: number): object => observation({ effectiveDateTime: time(second) });
      const text = bundle(at(3), at(1), at(3), at(2));
      const taken = await takeText(text);
      expect(taken.observations.map(({ at: place, observation: { time: when } }) => [place.path, when])).to.deep.equal([
        ["entry[0].resource", time(3)],
        ["entry[1].resource", time(1)],
        ["entry[3].resource", time(2)],
      ]);
      const line = text.split('"resource":').slice(0, 3).join().split("\n").length - 1;
      expect(refusals(taken)).to.deep.equal([`${line} ERR_TIME_DUPLICATE entry[2].resource`]);
    });

    it("forgets the oldest instants when there are too many, and says so", async () => {
      const at = (second: number): object => observation({ effectiveDateTime: time(second) });
      const text = bundle(at(1), at(5), at(6), at(7), at(1), at(5), at(4));
      const taken = await takeText(text, "many.json", { limits: { instants: 3 } });
      expect(taken.quarantined.map(({ code }) => code)).to.deep.equal(["ERR_TIME_UNCHECKED", "ERR_TIME_DUPLICATE"]);
      expect(taken.readings).to.equal(5);
    });

    it("refuses the readings of a second person", async () => {
      const of = (reference: string, second: number): object =>
        observation({ subject: { reference }, effectiveDateTime: time(second) });
      const taken = await takeText(bundle(of("Patient/1", 0), of("Patient/2", 1), of("Patient/1", 2)));
      expect(taken.quarantined.map(({ code, at }) => [code, at.path])).to.deep.equal([
        ["ERR_FHIR_SUBJECT", "entry[1].resource"],
      ]);
      expect(taken.quarantined[0]?.reason).not.to.contain("Patient");
    });

    it("keeps the good entries beside broken ones", async () => {
      const good = JSON.stringify({ resource: observation() });
      const later = JSON.stringify({ resource: observation({ effectiveDateTime: time(1) }) });
      const entries = [good, '{"resource": nope}', "", '{"a":1,"a":1}', "7", "{}", later];
      const taken = await takeText(`{"resourceType":"Bundle","entry":[\n${entries.join(",\n")}]}`);
      expect(taken.observations.map(({ at }) => at.line)).to.deep.equal([2, 8]);
      expect(refusals(taken)).to.deep.equal([
        "3 ERR_JSON entry[1]",
        "4 ERR_JSON entry[2]",
        "5 ERR_JSON_DUPLICATE_KEY entry[3]",
        "6 ERR_FHIR_SHAPE entry[4]",
        "7 ERR_FHIR_SHAPE entry[5]",
      ]);
    });

    it("keeps what came before the document breaks", async () => {
      const good = JSON.stringify({ resource: observation() });
      const begin = `{"resourceType":"Bundle","entry":[${good},\n`;
      for (const [rest, code] of [
        ['{"resource":', "2 ERR_JSON entry[1]"],
        ['{"resource":]}]}', "2 ERR_JSON entry[1]"],
        [`${"[".repeat(100)}`, "2 ERR_JSON_DEPTH entry[1]"],
        ["{}]} x", "2 ERR_JSON entry[2]"],
        ['{}],"entry":[{}]}', "2 ERR_JSON_DUPLICATE_KEY entry[2]"],
      ] as const) {
        const taken = await takeText(begin + rest);
        expect(taken.readings).to.equal(1);
        expect(refusals(taken).at(-1)).to.equal(code);
      }
    });

    it("refuses a duplicate key outside the entries, even of one value, and an empty bundle", async () => {
      expect(refusals(await takeText('{"resourceType":"Bundle","id":"1","\\u0069d":"1","entry":[]}'))).to.deep.equal([
        "1 ERR_JSON_DUPLICATE_KEY",
      ]);
      expect(refusals(await takeText('{"resourceType":"Bundle","entry":[]}'))).to.deep.equal(["1 ERR_FHIR_SHAPE"]);
    });

    it("reads entries that stand before the resource's type, and a key written with escapes", async () => {
      const entries = `[{"resource":${JSON.stringify(observation())}}]`;
      expect((await takeText(`{"entry":${entries},"resourceType":"Bundle"}`)).readings).to.equal(1);
      expect((await takeText(`{"ent\\u0072y":${entries},"resourceType":"Bundle"}`)).readings).to.equal(1);
    });

    it("leaves Object.prototype alone", async () => {
      const taken = await takeText(
        `{"resourceType":"Observation","__proto__":{"status":"final"},"constructor":{"prototype":{"x":1}}}`,
      );
      expect(refusals(taken)).to.deep.equal(["1 ERR_FHIR_STATUS"]);
      expect(Object.keys(Object.prototype)).to.deep.equal([]);
      expect(({} as { x?: number }).x).to.equal(undefined);
    });
  });

  describe("of NDJSON", () => {
    it("reads a resource a line and goes on behind a broken one", async () => {
      const lines = [
        JSON.stringify(observation()),
        '{"resourceType":"Obs',
        "",
        JSON.stringify({ resourceType: "Patient" }),
        JSON.stringify({ resourceType: "Bundle", entry: [{ resource: observation({ effectiveDateTime: time(1) }) }] }),
        `{"a":"${"x".repeat(5 << 20)}"}`,
        JSON.stringify(observation({ effectiveDateTime: time(2) })),
      ];
      for (const name of ["lines.ndjson", "lines.json"]) {
        // Told by the ending, or by a first line that is a whole object; then the second line must begin one too.
        const taken = await takeText(`${lines.join("\r\n")}\n`, name);
        expect(taken.intake.format).to.equal("fhir-ndjson");
        expect(taken.observations.map(({ at }) => [at.line, at.path])).to.deep.equal([
          [1, undefined],
          [5, "entry[0].resource"],
          [7, undefined],
        ]);
        expect(refusals(taken)).to.deep.equal(["2 ERR_JSON", "4 ERR_FHIR_TYPE", "6 ERR_ROW_TOO_LONG"]);
      }
    });
  });

  it("refuses a start, a zone or a mapping: FHIR states its own times", async () => {
    const file = await files.write("clock.json", JSON.stringify(observation()));
    const mapping = { format: "medseal-mapping/1", time: { column: "t", kind: "instant" }, columns: [] } as const;
    for (const options of [{ start: time(0) }, { zone: "UTC" }, { mapping }]) {
      const error = await failure(take(file, options));
      expect({ code: error.code, exit: error.exit }).to.deep.equal({ code: "ERR_USAGE", exit: 2 });
      expect(error.hint).to.match(/leave/);
    }
  });
});
