import { parseArgs } from "node:util";
import { World } from "../test/cli/world.ts";
import { dice } from "../test/unit/log/mutate.ts";
import { Lane, type Counts } from "./crash/lane.ts";
import { runMain } from "./main.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    lanes: { type: "string", default: "3" },
    seed: { type: "string", default: "the lights go out" },
    json: { type: "boolean", default: false },
  },
});

await runMain(async () => {
  const lanes = Number(values.lanes);
  const kills = Math.ceil(Number(values.kills) / lanes);
  const note = (text: string): void => console.error(text);
  note(`seed ${values.seed}: ${kills * lanes} kills in ${lanes} lanes`);
  const counts = await campaign(values.seed, lanes, kills, note);
  const { lost, twice, stateEqual } = counts;
  console.log(
    values.json
      ? JSON.stringify(counts)
      : Object.entries(counts)
          .map(([name, count]) => `${name.padEnd(14)}${count}`)
          .join("\n"),
  );
  if (lost > 0 || twice > 0 || !stateEqual) process.exitCode = 1;
});

/** Gateways beside each other, each killed so many times; the sum of what was counted. */
async function campaign(seed: string, lanes: number, kills: number, note: (text: string) => void): Promise<Counts> {
  const counts: Counts = {
    kills: 0,
    faults: 0,
    damages: 0,
    acknowledged: 0,
    lost: 0,
    twice: 0,
    checkpoints: 0,
    stateEqual: true,
  };
  await Promise.all(
    Array.from({ length: lanes }, async (_, i) => {
      const world = await World.open(true);
      try {
        const lane = await Lane.open(world, dice(`${seed} ${i}`), (text) => note(`lane ${i}: ${text}`));
        await lane.campaign(kills, counts);
      } finally {
        await world.close();
      }
    }),
  );
  return counts;
}
