import { FeedClient } from "../../test/cli/feed.ts";
import { HEART_RATE, openLiveWard } from "../../test/cli/live-ward.ts";
import type { RunningGateway } from "../../test/cli/running.ts";
import type { World } from "../../test/cli/world.ts";
import { DEVICE } from "./device.ts";

/** A patient, a gateway that may write, and a reader, in a world. The gateway does not run. */
export interface Ward {
  readonly world: World;
  readonly gateway: RunningGateway;
  readonly credential: string;
  /** Unix seconds at which the readings begin. */
  readonly begin: number;
}

export async function openWard(world: World, begin: number): Promise<Ward> {
  const gateway = await openLiveWard(world, { source: `bed-7:${DEVICE}`, streams: HEART_RATE, hours: [1, 10] });
  await Promise.all([world.run("inbox --file lee.release --as Lee"), gateway.stop()]);
  return { world, gateway, credential: await gateway.credential("bed-7"), begin };
}

/** Runs the gateway until all that it is given, and all that it had, is anchored. */
export async function settle(
  { gateway, credential }: Ward,
  give: (client: FeedClient) => Promise<void>,
): Promise<void> {
  await gateway.start();
  const client = await FeedClient.open(gateway.feedPort, credential);
  await give(client);
  await gateway.until(async () => {
    const { feed } = JSON.parse(await gateway.page("/status")) as { feed: { unsealed: number; underWay: number } };
    return feed.unsealed + feed.underWay === 0;
  }, 600_000);
  client.close();
  const exit = await gateway.stop();
  if (exit !== 0) throw new Error(`the gateway ended with ${exit}`);
}

/** What the reader reads, from chain and IPFS alone: a line each reading, in the order of their times. */
export const linesOf = async (world: World): Promise<string[]> =>
  (await world.run("read --stream heart-rate --as Lee")).trim().split("\r\n").slice(1).sort();
