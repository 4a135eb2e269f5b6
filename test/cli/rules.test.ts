import { writeFile } from "node:fs/promises";
import { expect } from "chai";
import { World } from "./world.ts";

const START = "--start 2026-03-01T08:00:00Z";

describe("alert rules from the command line", function () {
  this.timeout(60_000);
  let world: World;

  before(async () => {
    world = await World.open(false, { inTurn: true });
  });
  after(() => world.close());

  const shown = async (options: string): Promise<string> =>
    (await world.run(`rules define one ${options}`)).split("\n")[0]?.replace(/^one, version \d+: /, "") ?? "";

  it("say in words when they alert, and when that is over", async () => {
    const heart = "--code 8867-4 --unit /min";
    expect(await shown(`${heart} --at-least 130 --hysteresis 5 --raise-after 10s --clear-after 20s`)).to.equal(
      "a value of at least 130 /min for 10 s; ends below 125 /min for 20 s",
    );
    expect(await shown(`${heart} --at-most 40 --hysteresis 2.5`)).to.equal(
      "a value of at most 40 /min; ends above 42.5 /min",
    );
    expect(await shown(`${heart} --at-most=-30 --per 1min --window 5min`)).to.equal(
      "a change of at most -30 /min in 1 min, over 150 s to 5 min",
    );
    expect(await shown("--code 59408-5 --unit % --at-most 90 --count 3 --of 5 --hysteresis 1")).to.equal(
      "3 of the last 5 values of at most 90 %; ends with fewer than 2 of them",
    );
    expect(await shown("--code 8310-5 --and 39106-0 --unit Cel --at-least 2.22 --window 1min")).to.equal(
      "a difference of at least 2.22 Cel, taken within 1 min",
    );
    expect(await shown(`${heart} --silent-for 90s`)).to.equal("no value for 90 s");
    expect(await world.run("rules show news2-scale-1")).to.match(
      /level 2 or more; ends once it is over for 1 min\n.*a value counts for 5 min/,
    );
  });

  it("compare a value as it is: 37.9 is not 38", async () => {
    const values = [37.9, 37.9, 38, 37.9];
    const rows = values.map((value, i) => `2026-03-01T08:00:0${i}Z,LOINC,8310-5,Cel,${value}`);
    await writeFile(world.path("warm.csv"), ["time,system,code,unit,value", ...rows, ""].join("\n"));
    await world.run("rules define fever --code 8310-5 --unit Cel --at-least 38");
    expect(await world.json("rules test fever warm.csv")).to.deep.include({
      readings: 4,
      looked: 4,
      alerts: [{ raisedAt: Date.parse("2026-03-01T08:00:02Z"), clearedAt: Date.parse("2026-03-01T08:00:03Z") }],
    });
    expect(await world.run("rules test fever warm.csv")).to.match(/1 alert; at the end data comes\n/);
  });

  it("are refused where they would look at nothing, or an option says nothing", async () => {
    const heart = "rules define x --code 8867-4 --unit /min";
    const card = { format: "medseal-rule", version: 1, rule: { name: "x", version: 1, kind: "threshold" } };
    const inputs = [{ system: "http://loinc.org", code: "8867-4", unit: "bpm", digits: 0, maxAge: 60_000 }];
    const trigger = { comparator: "atLeast", threshold: 130 };
    await writeFile(world.path("bpm.json"), JSON.stringify({ ...card, rule: { ...card.rule, inputs, trigger } }));
    const tries = [
      ["rules define x --code 8867-4 --unit bpm --at-least 130", /"bpm" is no UCUM unit[^]*the usual one is \/min/],
      ["rules define x --file bpm.json", /"bpm" is no UCUM unit/],
      ["rules define x --code 8867-4 --unit mm[Hg] --at-least 130", /do not come in "mm\[Hg\]"/],
      [`${heart} --at-most -30 --per 1min`, /begins with a dash[^]*--at-most=-5/],
      [`${heart} --silent-for 1min --hysteresis 5`, /--hysteresis does not go with --silent-for/],
      [`${heart} --at-least 10 --and 8889-8`, /--window is missing/],
      [`${heart} --at-least 130 --count 3 --of 5 --hysteresis 2.5`, /--hysteresis is no number from 1 to 99/],
    ] as const;
    for (const [line, says] of tries) {
      const { exit, err } = await world.try(line);
      expect(exit, line).to.equal(2);
      expect(err, line).to.match(says);
    }
  });

  it("a recording comes on standard input, too", async () => {
    const running = world.start(`ingest - --dry-run ${START}`, {}, true);
    running.stdin.end("Time [s], HR\n0,70\n1,x\n2,71\n");
    const { exit, out, err } = await running.done;
    expect(exit, err).to.equal(0);
    expect(out).to.match(/2 readings and 0 marked missing of heart-rate; 1 rows would be quarantined/);
    expect(err).to.match(/line 3: /);
  });
});
