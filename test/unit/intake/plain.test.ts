import { expect } from "chai";
import fc from "fast-check";
import { folder, take, type Taken } from "./support.ts";

const HEADER = "HR LOINC 8867-4 [/min],time,SpO2 LOINC 59408-5 [%]";
const SECOND = Date.parse("2026-03-01T08:00:00Z") / 1000;

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 40, max: 180 }).map(String) },
  { weight: 2, arbitrary: fc.constantFrom("NaN", "", "36.50", "-0.0", "1e3", "123456789.123456789") },
  { weight: 1, arbitrary: fc.constantFrom("x", " 7", "7 ", "\t7", '"8"', '"8', "é", "\0", "1 2", "--1", ",") },
);
/** Seconds from one row to the next; not all go forward. */
const row = fc.tuple(
  value,
  fc.constantFrom(1, 1, 1, 1, 0, -1, 0.5),
  value,
  fc.constantFrom("\n", "\n", "\r\n", "\n\n"),
);

/** What was taken, and what was not, without the row as it stood. */
const outcome = ({ observations, quarantined }: Taken): unknown => [
  observations.map(({ kind, observation, at }) => ({ kind, observation, line: at.line, column: at.column })),
  quarantined.map(({ at, code, reason }) => ({ line: at.line, column: at.column, code, reason })),
];

describe("plain rows of CSV", () => {
  const files = folder();

  it("hold what the same rows hold with a quoted cell, which is read another way", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
        let now = SECOND;
        const written = (quote: string): string => {
          now = SECOND;
          const lines = rows.map(([left, step, right, end]) => {
            now += step;
            const time = new Date(now * 1000).toISOString();
            return `${left},${quote}${time}${quote},${right}${end}`;
          });
          return `${HEADER}\n${lines.join("")}`;
        };
        const plain = outcome(await take(await files.write("plain.csv", written(""))));
        const quoted = outcome(await take(await files.write("quoted.csv", written('"'))));
        expect(plain).to.deep.equal(quoted);
      }),
      { numRuns: 150 },
    );
  });

  it("are the same where the file's chunks end in the midst of them", async () => {
    const lines = Array.from({ length: 6000 }, (_, i) => {
      const time = new Date((SECOND + i) * 1000).toISOString();
      return `${60 + (i % 41)},${time},${i % 7 === 0 ? "NaN" : 90 + (i % 10)}`;
    });
    const taken = await take(await files.write("long.csv", [HEADER, ...lines].join("\n")));
    expect(taken.quarantined).to.deep.equal([]);
    const read = taken.observations.map(({ observation: { time, value: of }, at: { line, column } }) => [
      ...[line, column, time],
      of.kind === "quantity" ? of.decimal : "NaN",
    ]);
    const [left, , right] = HEADER.split(",");
    const wanted = lines.flatMap((line, i) => {
      const [a, time, b] = line.split(",");
      return [
        [i + 2, left, time, a],
        [i + 2, right, time, b],
      ];
    });
    expect(read).to.deep.equal(wanted);
  });
});
