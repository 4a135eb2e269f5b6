import { setTimeout as pause } from "node:timers/promises";
import { callNode } from "../../src/chain/rpc.ts";
import { isAlive } from "../../src/files/durable.ts";
import { writeWorld, type World } from "./state.ts";

/** How long a world may take to write its state, in milliseconds. */
const GRACE = 15_000;

/** Whether its keeper lives and its chain answers; with its chain client gone it is about to end. */
export async function isRunning(world: World): Promise<boolean> {
  return world.pid !== 0 && isAlive(world.pid) && (await chainOf(world)) === world.chainId;
}

const chainOf = async ({ rpcPort }: World): Promise<number | undefined> => {
  const answer = await callNode(`http://127.0.0.1:${rpcPort}`, "eth_chainId").catch(() => undefined);
  return answer === undefined ? undefined : Number(answer);
};

/** Ends what runs of a world, and its chain client where its keeper was killed. */
export async function stopWorld(world: World): Promise<void> {
  if (world.pid !== 0 && isAlive(world.pid)) {
    process.kill(world.pid, "SIGTERM");
    for (const end = Date.now() + GRACE; isAlive(world.pid) && Date.now() < end;) await pause(50);
    if (isAlive(world.pid)) process.kill(world.pid, "SIGKILL");
  }
  // Numbers of processes are given again: it is ours only where it answers on our port as our chain.
  if (world.anvil !== 0 && isAlive(world.anvil) && (await chainOf(world)) === world.chainId)
    process.kill(world.anvil, "SIGKILL");
  for (const end = Date.now() + GRACE; (await chainOf(world)) === world.chainId && Date.now() < end;) await pause(50);
  await writeWorld({ ...world, pid: 0, anvil: 0 });
}
