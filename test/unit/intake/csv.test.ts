import { expect } from "chai";
import { join } from "node:path";
import { loadMapping, type Mapping } from "../../../src/intake/mapping.ts";
import { EXAMPLES, failure, folder, refusals, sourceText, take } from "./support.ts";

const DEXCOM =
  "index,timestamp,event_type,event_subtype,patient_info,device_info,source_device_ID,glucose,insulin_value,carb_value,duration,glucose_rate_of_change,transmitter_time";

describe("intake of CSV", () => {
  const files = folder();

  it("needs a start for seconds, a zone for local times, and refuses one that does not apply", async () => {
    const bidmc = await files.write("seconds.csv", "Time [s], HR, PULSE, RESP, SpO2\n0,94,93,25,97\n");
    const local = await files.write("local.csv", "local time,HR LOINC 8867-4 [/min]\n2026-03-01 08:00:00,72\n");
    const instants = await files.write("instants.csv", "time,HR LOINC 8867-4 [/min]\n2026-03-01T08:00:00Z,72\n");
    const start = "2026-03-01T08:00:00Z";
    for (const [file, options, message, hint] of [
      [bidmc, {}, /counts seconds/, /--start/],
      [bidmc, { start: "2026-03-01 08:00" }, /not an RFC 3339 instant/, /offset/],
      [bidmc, { start, zone: "UTC" }, /--tz does not apply/, /leave/],
      [local, {}, /local times without a zone/, /--tz/],
      [local, { zone: "Middle/Earth" }, /not an IANA time zone/, /Europe/],
      [local, { zone: "+01:00" }, /not an IANA time zone/, /Europe/],
      [local, { zone: "UTC", start }, /--start does not apply/, /leave/],
      [instants, { start }, /--start does not apply/, /leave/],
    ] as const) {
      const error = await failure(take(file, options));
      expect({ code: error.code, exit: error.exit }).to.deep.equal({ code: "ERR_USAGE", exit: 2 });
      expect(error.message).to.match(message);
      expect(error.hint).to.match(hint);
    }
  });

  it("quarantines Dexcom events that are no readings, texts for numbers, and cells that would be lost", async () => {
    const rows = [
      "1,,FirstName,,Jo,,,,,,,,",
      "2,2026-03-01 08:00:00,EGV,,,,iPhone G6,61.0,,,,,1.0",
      "3,2026-03-01 08:05:00,EGV,,,,iPhone G6,Low,,,,,2.0",
      "4,2026-03-01 08:10:00,EGV,,,,iPhone G6,,,,,,3.0",
      "5,2026-03-01 08:12:00,Insulin,Fast,,,iPhone G6,,3,,,,",
      "6,2026-03-01 08:15:00,EGV,,,,iPhone G6,70.0,4,,,,",
    ];
    const taken = await take(await files.write("dexcom.csv", [DEXCOM, ...rows, ""].join("\n")), {
      zone: "Europe/Berlin",
    });
    expect(
      taken.observations.map(({ observation, device }) => [observation.time, sourceText(observation), device]),
    ).to.deep.equal([
      ["2026-03-01T08:00:00+01:00", "61.0", "iPhone G6"],
      ["2026-03-01T08:10:00+01:00", "", "iPhone G6"],
      ["2026-03-01T08:15:00+01:00", "70.0", "iPhone G6"],
    ]);
    expect(taken.missing).to.equal(1);
    expect(refusals(taken)).to.deep.equal([
      "2 ERR_ROW_KIND event_type",
      "4 ERR_NUMBER glucose",
      "6 ERR_ROW_KIND event_type",
      "7 ERR_CELL_UNEXPECTED insulin_value",
    ]);
  });

  it("reads the long form, and checks code and unit of each row", async () => {
    const rows = [
      "0.50,LOINC,8867-4,/min,72,a",
      "0.50,MDC,150456,%,97,b",
      "0.50,LOINC,8867-4,/min,73,a",
      "1.5,http://example.org,x,,0.0,",
      "1.5,LOINC,99504-3,mmol/L,5,",
      "1.5,LOINC,8867-4,bpm,5,",
      "1.5,,8867-4,/min,5,",
      "1.5,LOINC,8867-4,/min,,a",
    ];
    const text = ["seconds,system,code,unit,value,device", ...rows, ""].join("\n");
    const taken = await take(await files.write("long.csv", text), { start: "2026-03-01T08:00:00.25Z" });
    expect(
      taken.observations.map(({ observation: { channel, time }, device }) => [
        time.slice(17),
        channel.code.code,
        device,
      ]),
    ).to.deep.equal([
      ["00.75Z", "8867-4", "a"],
      ["00.75Z", "150456", "b"],
      ["01.75Z", "x", undefined],
      ["01.75Z", "8867-4", "a"],
    ]);
    expect(taken.missing).to.equal(1);
    expect(taken.intake.channels).to.equal(undefined);
    expect(refusals(taken)).to.deep.equal([
      "4 ERR_TIME_DUPLICATE value",
      "6 ERR_UNIT_OF_CODE unit",
      "7 ERR_UNIT unit",
      "8 ERR_CODE code",
    ]);
  });

  describe("by a mapping", () => {
    const mapping: Mapping = {
      format: "medseal-mapping/1",
      delimiter: ";",
      time: { column: "t", kind: "seconds" },
      columns: [
        {
          column: "sys",
          system: "http://loinc.org",
          code: "85354-9",
          component: { system: "http://loinc.org", code: "8480-6" },
          unit: "mm[Hg]",
          missing: ["-999"],
        },
      ],
      ignore: ["note"],
    };
    const start = "2026-03-01T08:00:00Z";

    it("reads components, own missing markers and exponents", async () => {
      const file = await files.write("mapped.csv", "t;sys;note\n1e1;1.20e2;x\n11;-999;\n12;;\n13;NaN;\n");
      const taken = await take(file, { start, mapping });
      expect(taken.observations.map(({ observation: { time, value } }) => [time.slice(17), value])).to.deep.equal([
        ["10Z", { kind: "quantity", decimal: "1.20e2", comparator: "" }],
        ["11Z", { kind: "missing", reason: "unknown", source: "-999" }],
      ]);
      expect(taken.observations[0]?.observation.channel.component?.code).to.equal("8480-6");
      expect(refusals(taken)).to.deep.equal(["4 ERR_NUMBER sys", "5 ERR_NUMBER sys"]);
    });

    it("refuses columns that it does not name, and files that lack one", async () => {
      for (const [header, reason] of [
        ["t;sys;note;more", /"more" is not known/],
        ["t;note", /"sys" that the file lacks/],
        ["sys;note", /needs a column "t"/],
      ] as const) {
        const error = await failure(take(await files.write("other.csv", `${header}\n1;2\n`), { start, mapping }));
        expect(error).to.include({ code: "ERR_INPUT_COLUMNS", line: 1 });
        expect(error.message).to.match(reason);
      }
    });

    it("comes from a file with a strict schema", async () => {
      expect((await loadMapping(join(EXAMPLES, "mapping-waveforms.json"))).columns.length).to.equal(2);
      const text = JSON.stringify(mapping);
      for (const [broken, reason] of [
        [text.replace("mapping/1", "mapping/2"), /"format"/],
        [text.replace('"seconds"', '"minutes"'), /"time.kind"/],
        [text.replace('"ignore"', '"ignored"'), /a member that no mapping has/],
        [text.replace('"unit":"mm[Hg]",', ""), /lacks "unit"/],
        [text.replace('"note"', '"sys"'), /named twice/],
        [text.replace('";"', '"x"'), /"delimiter"/],
        [text.replace('["-999"]', "[-999]"), /"columns\[0\].missing\[0\]" is not text/],
        [text.replace(/\[\{.*\}\]/, "[]"), /"columns" is empty/],
        ["[]", /"mapping" is not an object/],
        ['{"a":1,"a":1}', /two members of one name/],
        ["{", /not valid JSON/],
      ] as const) {
        const error = await failure(loadMapping(await files.write("mapping.json", broken)));
        expect(error.code).to.equal("ERR_INPUT_MAPPING");
        expect(error.message).to.match(reason);
      }
      const built = await failure(
        take(await files.write("x.csv", "t;sys\n1;2\n"), { start, mapping: { ...mapping, columns: [] } }),
      );
      expect(built.code).to.equal("ERR_USAGE");
    });
  });
});
