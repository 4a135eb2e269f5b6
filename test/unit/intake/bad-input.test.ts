import { expect } from "chai";
import { mkdir, open } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { InputError } from "../../../src/intake/errors.ts";
import { openIntake } from "../../../src/intake/intake.ts";
import { failure, folder, refusals, take } from "./support.ts";

const HEADER = "time,HR LOINC 8867-4 [/min],SpO2 LOINC 59408-5 [%]";
const row = (second: number, cells = "72,97"): string =>
  `2026-03-01T08:00:${String(second).padStart(2, "0")}Z,${cells}`;
const csv = (...rows: string[]): string => [HEADER, ...rows, ""].join("\n");

describe("intake of bad files", () => {
  const files = folder();
  const refused = async (name: string, content: string | Uint8Array): Promise<InputError> => {
    const error = await failure(openIntake(await files.write(name, content)));
    expect(error).to.be.instanceOf(InputError);
    return error as InputError;
  };

  describe("refuses the whole file with file, line and reason", () => {
    const cases: [
      what: string,
      content: string | Uint8Array,
      code: string,
      line: number | undefined,
      reason: RegExp,
    ][] = [
      ["empty", "", "ERR_INPUT_EMPTY", undefined, /is empty/],
      ["blank", " \n\n\t\n", "ERR_INPUT_EMPTY", undefined, /nothing but blanks/],
      ["only a byte order mark", "\ufeff", "ERR_INPUT_EMPTY", undefined, /nothing but blanks/],
      ["a header and no rows", `${HEADER}\n`, "ERR_INPUT_EMPTY", 1, /no rows/],
      ["UTF-16 LE with a mark", Buffer.from(`\ufeff${csv(row(0))}`, "utf16le"), "ERR_INPUT_ENCODING", 1, /UTF-16/],
      [
        "UTF-16 BE with a mark",
        Buffer.from(`\ufeff${csv(row(0))}`, "utf16le").swap16(),
        "ERR_INPUT_ENCODING",
        1,
        /UTF-16/,
      ],
      ["UTF-16 LE without one", Buffer.from(csv(row(0)), "utf16le"), "ERR_INPUT_ENCODING", 1, /UTF-16/],
      ["UTF-16 JSON", Buffer.from('{"resourceType":"Bundle"}', "utf16le"), "ERR_INPUT_ENCODING", 1, /UTF-16/],
      ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0, 0), "ERR_INPUT_ENCODING", 1, /gzip/],
      ["a spreadsheet", "PK\x03\x04rest", "ERR_INPUT_ENCODING", 1, /zip/],
      ["a header that is not UTF-8", Buffer.from("time,\xff\n1,2\n", "latin1"), "ERR_INPUT_ENCODING", 1, /UTF-8/],
      ["NUL in the header", "time,\0\n1,2\n", "ERR_INPUT_ENCODING", 1, /NUL/],
      ["unknown columns", "a,b\n1,2\n", "ERR_INPUT_COLUMNS", 1, /no known form/],
      ["a column that the form does not know", `${HEADER},mood\n${row(0)},1\n`, "ERR_INPUT_COLUMNS", 1, /"mood"/],
      [
        "a column twice",
        "time,HR LOINC 8867-4 [/min],HR LOINC 8867-4 [/min]\n1,2,3\n",
        "ERR_INPUT_COLUMNS",
        1,
        /twice/,
      ],
      [
        "a channel twice",
        "time,a LOINC 8867-4 [/min],b LOINC 8867-4 [/min]\n1,2,3\n",
        "ERR_INPUT_COLUMNS",
        1,
        /one channel/,
      ],
      ["no column with values", "Time [s],HR X\n1,2\n", "ERR_INPUT_COLUMNS", 1, /no known form/],
      ["quotes that do not match in the header", `"time,x\n1,2\n`, "ERR_INPUT_COLUMNS", 1, /quotes/],
      ["an unknown unit", "time,HR LOINC 8867-4 [bpm]\n1,2\n", "ERR_INPUT_UNIT", 1, /not a UCUM code/],
      [
        "a unit of another kind than the code",
        "time,G LOINC 99504-3 [mmol/L]\n1,2\n",
        "ERR_INPUT_UNIT",
        1,
        /does not fit/,
      ],
      ["a million columns", `${"x,".repeat(400_000)}x\n1\n`, "ERR_INPUT_LIMIT", 1, /400001 columns/],
      ["a header of 2 MiB", `${"x".repeat(2 << 20)}\n1\n`, "ERR_INPUT_LIMIT", 1, /longer than/],
      ["a JSON list", "[1,2]", "ERR_INPUT_FORMAT", 1, /JSON list/],
      ["XML", "<Bundle/>", "ERR_INPUT_FORMAT", 1, /XML/],
    ];
    for (const [what, content, code, line, reason] of cases) {
      it(what, async () => {
        const error = await refused("bad.csv", content);
        expect({ code: error.code, line: error.line, exit: error.exit }).to.deep.equal({ code, line, exit: 1 });
        expect(error.reason).to.match(reason);
        expect(error.message).to.contain(files.path("bad.csv"));
      });
    }

    it("a missing file, a directory, a name with NUL: exit code 2", async () => {
      await mkdir(files.path("folder"));
      for (const [path, reason] of [
        [files.path("absent"), /no such file/],
        [files.path("folder"), /is a directory/],
        [files.path("a\0b"), /not a file name/],
        [files.path("x".repeat(300)), /not a file name/],
        ["", /not a file name/],
        ["/dev/null", /not a regular file/],
      ] as const) {
        const error = await failure(openIntake(path));
        expect(error.message).to.match(reason);
        expect({ code: error.code, exit: error.exit }).to.deep.equal({ code: "ERR_INPUT_UNREADABLE", exit: 2 });
      }
    });
  });

  describe("quarantines a bad row and goes on", () => {
    const cases: [what: string, bad: string | Uint8Array, expected: string[]][] = [
      ["text where a number must be", row(1, "fast,97"), ["3 ERR_NUMBER HR LOINC 8867-4 [/min]"]],
      ["a decimal comma in quotes", row(1, '"7,2",97'), ["3 ERR_NUMBER HR LOINC 8867-4 [/min]"]],
      ["a row too short", row(1, "72"), ["3 ERR_ROW_COLUMNS"]],
      ["a row too long", row(1, "72,97,1"), ["3 ERR_ROW_COLUMNS"]],
      ["quotes that do not match", row(1, '"72,97'), ["3 ERR_ROW_QUOTES"]],
      ["an invalid byte", Buffer.from(row(1, "7\xff2,97"), "latin1"), ["3 ERR_ROW_ENCODING"]],
      ["a NUL", row(1, "7\x002,97"), ["3 ERR_ROW_NUL"]],
      ["a line of 3 MiB", row(1, "7".repeat(3 << 20)), ["3 ERR_ROW_TOO_LONG"]],
      ["a time without offset", "2026-03-01T08:00:01,72,97", ["3 ERR_TIME time"]],
      ["30 February", "2026-02-30T08:00:01Z,72,97", ["3 ERR_TIME time"]],
      ["no time", ",72,97", ["3 ERR_TIME_ABSENT time"]],
      ["1969", "1969-12-31T23:59:59Z,72,97", ["3 ERR_TIME_BEFORE_1970 time"]],
      [
        "an instant a second time",
        row(0),
        ["3 ERR_TIME_DUPLICATE HR LOINC 8867-4 [/min]", "3 ERR_TIME_DUPLICATE SpO2 LOINC 59408-5 [%]"],
      ],
      [
        "the same instant in other words",
        "2026-03-01T09:00:00.000+01:00,72,97",
        ["3 ERR_TIME_DUPLICATE HR LOINC 8867-4 [/min]", "3 ERR_TIME_DUPLICATE SpO2 LOINC 59408-5 [%]"],
      ],
      [
        "a step back",
        "2026-03-01T07:59:59Z,72,97",
        ["3 ERR_TIME_BACKWARD HR LOINC 8867-4 [/min]", "3 ERR_TIME_BACKWARD SpO2 LOINC 59408-5 [%]"],
      ],
    ];
    for (const [what, bad, expected] of cases) {
      it(what, async () => {
        const bytes = typeof bad === "string" ? Buffer.from(bad) : bad;
        const content = Buffer.concat([Buffer.from(`${HEADER}\n${row(0)}\n`), bytes, Buffer.from(`\n${row(2)}\n`)]);
        const taken = await take(await files.write("rows.csv", content));
        expect(refusals(taken)).to.deep.equal(expected);
        const good = taken.observations.filter(({ at }) => at.line !== 3);
        expect(good.map(({ observation }) => observation.time)).to.deep.equal([
          "2026-03-01T08:00:00Z",
          "2026-03-01T08:00:00Z",
          "2026-03-01T08:00:02Z",
          "2026-03-01T08:00:02Z",
        ]);
        expect(taken.quarantined[0]?.reason).to.match(/^[a-z"]/);
        expect(taken.quarantined[0]?.reason).not.to.match(/fast|7,2|72/);
        expect(bytes.toString("latin1").startsWith(taken.quarantined[0]?.text.slice(0, 25) ?? "?")).to.equal(true);
      });
    }

    it("keeps the other cells of a row with one bad cell", async () => {
      const taken = await take(await files.write("cell.csv", csv(row(0, "fast,97"))));
      expect(taken.observations.map(({ at }) => at.column)).to.deep.equal(["SpO2 LOINC 59408-5 [%]"]);
    });
  });

  it("reads CRLF, a byte order mark, quotes, padding, blank lines and a last line without end", async () => {
    const content = `\ufeff${HEADER}\r\n\r\n${row(0)}\r\n"2026-03-01T08:00:01Z", "73" ,\t98\r\n${row(2)}`;
    const taken = await take(await files.write("crlf.csv", content));
    expect(taken.quarantined).to.deep.equal([]);
    expect(taken.observations.map(({ at }) => at.line)).to.deep.equal([3, 3, 4, 4, 5, 5]);
    expect(taken.observations[2]?.observation.value).to.deep.equal({ kind: "quantity", decimal: "73", comparator: "" });
  });

  it("tells when the file changed since it was recognised", async () => {
    const intake = await openIntake(await files.write("changing.csv", csv(row(0))));
    await files.write("changing.csv", csv(row(0)).replace("SpO2", "other"));
    expect((await failure(intake.rows().next())).code).to.equal("ERR_INPUT_CHANGED");
  });

  describe("one line without end", () => {
    const deep = process.env["MEDSEAL_DEEP"] !== undefined;
    const size = deep ? 1 << 30 : 128 << 20;
    const bound = 64 << 20;
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;

    /** Sparse: NULs that take no space on disk, then a good row. */
    async function giant(name: string, before: string, after: string): Promise<string> {
      const handle = await open(files.path(name), "w");
      await handle.write(before);
      await handle.write(after, size);
      await handle.close();
      return files.path(name);
    }

    /** Takes the file in and says by how much the memory outside and inside the heap grew at most. */
    async function growth(file: string): Promise<{ taken: Awaited<ReturnType<typeof take>>; bytes: number }> {
      const used = (): number => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
      const before = used();
      let most = 0;
      const look = (): void => {
        let grown = used() - before;
        if (grown > bound / 2) {
          // What waits to be collected does not count: on a busy machine that may be all that was read.
          collect();
          grown = used() - before;
        }
        most = Math.max(most, grown);
      };
      const timer = setInterval(look, 5);
      const taken = await take(file);
      clearInterval(timer);
      return { taken, bytes: most };
    }

    it(`quarantines it in a CSV of ${size >> 20} MiB without keeping it`, async () => {
      const { taken, bytes } = await growth(await giant("giant.csv", `${csv(row(0))}7`, `\n${row(1)}\n`));
      expect(refusals(taken)).to.deep.equal(["3 ERR_ROW_TOO_LONG"]);
      expect(taken.observations.map(({ at }) => at.line)).to.deep.equal([2, 2, 4, 4]);
      expect(bytes).to.be.lessThan(bound);
    });

    it("refuses it as a header", async () => {
      const error = await failure(take(await giant("header.csv", "time,", "\n1\n")));
      expect(error.code).to.equal("ERR_INPUT_LIMIT");
    });

    it("passes over an entry of that size in a bundle and keeps the others", async () => {
      const entry = (second: number): string =>
        `{"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"effectiveDateTime":"2026-03-01T08:00:0${second}Z","valueQuantity":{"value":72,"system":"http://unitsofmeasure.org","code":"/min"}}}`;
      const head = `{"resourceType":"Bundle","entry":[${entry(0)},{"x":"`;
      const { taken } = await growth(await giant("giant.json", head, `"},${entry(1)}]}`));
      expect(refusals(taken)).to.deep.equal(["1 ERR_ROW_TOO_LONG entry[1]"]);
      expect(taken.observations.map(({ at }) => at.path)).to.deep.equal(["entry[0].resource", "entry[2].resource"]);
    });
  });
});
