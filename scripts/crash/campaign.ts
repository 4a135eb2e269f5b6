import { World } from "../../test/cli/world.ts";
import { Lane, type Counts } from "./lane.ts";

/** Gateways beside each other, each killed so many times, or for so many minutes; the sum of what was counted. */
export async function campaign(
  seed: string,
  lanes: number,
  kills: number,
  note: (text: string) => void,
  minutes = Infinity,
): Promise<Counts> {
  const end = Date.now() + minutes * 60_000;
  const counts: Counts = {
    kills: 0,
    powerCuts: 0,
    forgotten: 0,
    faultyLives: 0,
    faults: 0,
    damages: 0,
    acknowledged: 0,
    lost: 0,
    twice: 0,
    checkpoints: 0,
    stateEqual: true,
  };
  const worlds: World[] = [];
  try {
    // One after the other: a port that is free for one is free for another that looks at the same time.
    for (let i = 0; i < 2 * lanes; i++) worlds.push(await World.open(true, { inTurn: true }));
    await Promise.all(
      Array.from({ length: lanes }, async (_, i) => {
        const [world, peaceful] = worlds.slice(2 * i, 2 * i + 2) as [World, World];
        const lane = await Lane.open(world, peaceful, `${seed} ${i}`, (text) => note(`lane ${i}: ${text}`));
        await lane.campaign(kills, counts, end);
      }),
    );
  } finally {
    for (const world of worlds) await world.close();
  }
  return counts;
}
