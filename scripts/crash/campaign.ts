import { World } from "../../test/cli/world.ts";
import { dice } from "../../test/unit/log/mutate.ts";
import { Lane, type Counts } from "./lane.ts";

/** Gateways beside each other, each killed so many times; the sum of what was counted. */
export async function campaign(
  seed: string,
  lanes: number,
  kills: number,
  note: (text: string) => void,
): Promise<Counts> {
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
