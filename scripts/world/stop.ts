import { setTimeout as pause } from "node:timers/promises";
import { isAlive } from "../../src/files/durable.ts";
import { callNode } from "./anvil.ts";
import { writeWorld, type World } from "./state.ts";

/** How long a world may take to write its state, in milliseconds. */
const GRACE = 15_000;

/** Ends what runs of a world, and its chain client where its keeper was killed. */
export async function stopWorld(world: World): Promise<void> {
  if (world.pid !== 0 && isAlive(world.pid)) {
    process.kill(world.pid, "SIGTERM");
    for (const end = Date.now() + GRACE; isAlive(world.pid) && Date.now() < end;) await pause(50);
    if (isAlive(world.pid)) process.kill(world.pid, "SIGKILL");
  }
  // Numbers of processes are given again: it is ours only where it answers on our port as our chain.
  const url = `http://127.0.0.1:${world.rpcPort}`;
  const answer = await callNode(url, "eth_chainId").catch(() => undefined);
  if (world.anvil !== 0 && isAlive(world.anvil) && Number(answer) === world.chainId)
    process.kill(world.anvil, "SIGKILL");
  for (const end = Date.now() + GRACE; world.anvil !== 0 && isAlive(world.anvil) && Date.now() < end;) {
    if ((await callNode(url, "eth_chainId").catch(() => undefined)) === undefined) break;
    await pause(50);
  }
  await writeWorld({ ...world, pid: 0, anvil: 0 });
}
