import { readFile, rename } from "node:fs/promises";
import { FeedClient } from "../../test/cli/feed.ts";
import { RunningGateway } from "../../test/cli/running.ts";
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
  const hour = (time: number): string => `${new Date(time * 1000).toISOString().slice(0, 14)}00:00Z`;
  const window = `${hour(begin - 3600)}..${hour(begin + 36_000)}`;
  for (const name of ["Ann", "Gateway", "Lee"]) {
    await world.identity(name);
    await world.run(`keys card --as ${name} --out ${name}.card`);
  }
  for (const name of ["Gateway", "Lee"]) await world.run(`contacts add ${name}.card --as Ann --yes`);
  await world.run("contacts add Gateway.card --as Lee --yes");
  for (const name of ["Gateway", "Lee"]) await world.run(`contacts add Ann.card --as ${name} --yes`);
  await world.run("fund --as Gateway");
  await world.run("stream open heart-rate --code 8867-4 --unit /min --epoch 1min --as Ann");
  await world.run(`gateway authorize --to Gateway --data ${window} --until 7d --out gw.grant --yes --as Ann`);
  await world.run(`consent grant --to Lee --data ${window} --until 7d --out lee.grant --yes --as Ann`);
  await world.run("relay gw.grant lee.grant --wait --as Gateway");
  await world.run("gateway lease --to Gateway --out gw.lease --as Ann");
  const gateway = await RunningGateway.init(world, `bed-7:${DEVICE}`);
  await gateway.start();
  await rename(world.path("gw.lease"), gateway.spool("gw.lease"));
  const receipt = gateway.spool("gw.receipt");
  await gateway.until(() =>
    readFile(receipt).then(
      () => true,
      () => false,
    ),
  );
  await world.run(`gateway confirm ${receipt} --as Ann`);
  await world.run("release --to Lee --out lee.release --as Ann");
  await world.run("inbox --file lee.release --as Lee");
  await gateway.stop();
  return { world, gateway, credential: await gateway.credential("bed-7"), begin };
}

/** Runs the gateway until all that it is given, and all that it had, is anchored. */
export async function settle(
  { gateway, credential }: Ward,
  give: (client: FeedClient) => Promise<void>,
): Promise<void> {
  await gateway.start([]);
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
