import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mulberry32 } from "../../../examples/simulate.ts";
import { Monitor } from "../../../src/alerts/monitor.ts";
import type { Rule } from "../../../src/alerts/rule.ts";
import { DATA, needs } from "../intake/support.ts";
import { BEGIN, SECOND, heartRate, ruleOf, say, value } from "./samples.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20261121);
const PATIENTS = Array.from({ length: 16 }, (_, i) => String(i + 1).padStart(2, "0"));
const CHANNELS = ["HR", "PULSE", "RESP", "SpO2"] as const;
const RAISE_AFTER = 5 * SECOND;
const HYSTERESIS = 5;

interface Injected {
  readonly from: number;
  readonly to: number;
}

/** Cells of one channel, `NaN` where the source marks it missing. */
function columnOf(file: string, name: string): readonly number[] {
  const [header = "", ...rows] = readFileSync(file, "utf8").trimEnd().split("\n");
  const column = header.split(",").findIndex((cell) => cell.trim() === name);
  return rows.map((row) => Number(row.split(",")[column]));
}

/** An alarm limit that the recording itself never comes near. */
const limitOf = (values: readonly number[], high: boolean): number => {
  const known = values.filter((one) => !Number.isNaN(one));
  return high ? Math.max(...known) + 10 : Math.min(...known) - 10;
};

const ruleFor = (name: string, limit: number, high: boolean): Rule =>
  ruleOf("threshold", {
    name,
    inputs: [{ ...heartRate, maxAge: 30 * SECOND }],
    trigger: {
      comparator: high ? "atLeast" : "atMost",
      threshold: BigInt(limit),
      hysteresis: BigInt(HYSTERESIS),
      raiseAfter: RAISE_AFTER,
      clearAfter: 10 * SECOND,
    },
  });

describe("alerts over real recordings with injected episodes", () => {
  it("raise each episode exactly once, on time, and nothing else", function () {
    const draw = mulberry32(SEED);
    const between = (low: number, high: number): number => low + Math.floor(draw() * (high - low + 1));
    const delays: number[] = [];
    let episodes = 0;
    for (const patient of PATIENTS) {
      const file = join(DATA, `bidmc_numerics/bidmc_${patient}_Numerics.csv`);
      needs(this, file);
      for (const channel of CHANNELS) {
        const high = draw() < 0.5;
        const values = columnOf(file, channel);
        const limit = limitOf(values, high);
        const rule = ruleFor(`${channel}-${patient}`, limit, high);
        const injected: Injected[] = [];
        for (let from = between(10, 60); from < values.length - 60; from += between(80, 150)) {
          injected.push({ from, to: from + between(12, 40) });
        }
        const watch = { rule, responders: ["nurse"], answerWithin: 3600 * SECOND, lateness: 600 * SECOND };
        const monitor = new Monitor([watch]);
        const openedAt: number[] = [];
        values.forEach((recorded, second) => {
          const time = BEGIN + second * SECOND;
          const within = injected.find(({ from, to }) => second >= from && second < to);
          const since = within === undefined ? 0 : second - within.from;
          // It begins beyond the limit, then goes to and fro inside of the hysteresis; some readings are missing.
          const beyond = since < 2 * (RAISE_AFTER / SECOND) ? between(0, 8) : between(-HYSTERESIS, 8);
          const one = within === undefined ? recorded : limit + (high ? beyond : -beyond);
          const lost = within !== undefined && since > 0 && draw() < 0.1;
          const seen = Number.isNaN(one) || lost ? say(time, "missing") : value(time, one);
          for (const event of [...monitor.observe(rule.name, seen, time), ...monitor.tick(time + 500)]) {
            if (event.kind === "opened") {
              openedAt.push(second);
              monitor.acknowledge(event.alert, "nurse", time + 500);
            }
          }
        });
        const label = `${channel} of patient ${patient}, seed ${SEED}`;
        expect(openedAt.length, label).to.equal(injected.length);
        injected.forEach(({ from, to }, i) => {
          expect(openedAt[i], label).to.be.within(from, to);
          delays.push((openedAt[i] as number) - from);
        });
        expect(
          monitor.alerts.every(({ resolvedBy }) => resolvedBy !== undefined),
          label,
        ).to.equal(true);
        episodes += injected.length;
      }
    }
    delays.sort((a, b) => a - b);
    const [least, median, most] = [delays[0], delays[delays.length >> 1], delays.at(-1)];
    console.log(`      ${episodes} episodes, seed ${SEED}; delays ${least} to ${most} s, median ${median} s`);
    expect(episodes).to.be.greaterThan(150);
  });
});
