import { spawn } from "node:child_process";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { ChainUnavailableError } from "../../src/chain/errors.ts";
import { UsageError } from "../../src/errors.ts";
import type { Call, Command } from "../cli/command.ts";
import { locked } from "../cli/home.ts";
import { clearWorld, deploymentsFolder, FIRST_CHAIN, readWorld, worldFolder, type World } from "../world/state.ts";
import { isRunning, stopWorld } from "../world/stop.ts";

export const command: Command = {
  summary:
    "Starts a world to try things in: a chain and an IPFS store on 127.0.0.1, which keep their state. Prints what to export",
  options: {
    background: { type: "boolean", help: "goes on in the background; medseal down ends it" },
    reset: {
      type: "boolean",
      help: "forgets chain, store and deployments first; identities stay, what they signed is void",
    },
    "rpc-port": { type: "string", value: "PORT", help: "of the chain; as last time, or 8545; 0 takes a free one" },
    "ipfs-port": { type: "string", value: "PORT", help: "of the store; as last time, or 5001; 0 takes a free one" },
    yes: { type: "boolean", help: "resets without asking" },
  },
  examples: [
    ["up", "until Ctrl-C; a grant is final within three seconds"],
    ["up --background", 'in a shell: eval "$(medseal up --background)"'],
    ["up --reset --yes", "a new chain, under the next chain id"],
  ],
  async run(call) {
    const before = await readWorld();
    if (call.flag("reset")) await call.io.confirm("Forget the chain and all that was stored?");
    if (before && !call.flag("reset") && (await isRunning(before))) {
      call.io.note("It is running already.");
      tell(call, before);
    } else if (call.flag("background")) {
      tell(call, await inBackground(call));
    } else {
      await inForeground(call);
    }
  },
};

async function inForeground(call: Call): Promise<void> {
  const { keepWorld } = await import("../world/keeper.ts");
  const keeper = await locked(worldFolder(), async () => {
    const before = await readWorld();
    if (before && !call.flag("reset") && (await isRunning(before)))
      throw new UsageError("another command has just started it", { hint: "medseal up tells what to export" });
    if (before) await stopWorld(before);
    if (call.flag("reset")) await clearWorld();
    const chainId = (before?.chainId ?? FIRST_CHAIN) + (before && call.flag("reset") ? 1 : 0);
    const rpcPort = portOf(call, "rpc-port") ?? before?.rpcPort ?? 8545;
    return keepWorld({ chainId, rpcPort, ipfsPort: portOf(call, "ipfs-port") ?? before?.ipfsPort ?? 5001 });
  });
  tell(call, keeper.world);
  call.io.note("Running until Ctrl-C.");
  // Here it ends the world in order.
  process.removeAllListeners("SIGINT");
  const told = new Promise<"told">((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done("told"));
  });
  const why = await Promise.race([told, keeper.failed]);
  await keeper.stop();
  if (why !== "told") throw new ChainUnavailableError("the chain client ended by itself", undefined);
  call.io.note("Stopped; medseal up takes it up again.");
}

/** Starts this command again, detached, and waits until it is ready. */
async function inBackground(call: Call): Promise<World> {
  await mkdir(worldFolder(), { recursive: true, mode: 0o700 });
  const path = join(worldFolder(), "up.log");
  const log = await open(path, "w", 0o600);
  const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
  const ports = ["rpc-port", "ipfs-port"].flatMap((name) =>
    call.text(name) === undefined ? [] : [`--${name}`, call.need(name)],
  );
  const words = ["up", ...ports, ...(call.flag("reset") ? ["--reset", "--yes"] : [])];
  const child = spawn(process.execPath, [cli, ...words], { detached: true, stdio: ["ignore", log.fd, log.fd] });
  let ended = false;
  child.once("exit", () => (ended = true));
  child.unref();
  try {
    for (;;) {
      const world = await readWorld();
      if (world?.pid === child.pid && world !== undefined) return world;
      if (ended) {
        const reason = /^error: (.*) \(ERR_/m.exec(await log.readFile("utf8").catch(() => ""))?.[1];
        throw new ChainUnavailableError(reason ?? `it did not start: see ${path}`, undefined);
      }
      await pause(50);
    }
  } finally {
    await log.close();
  }
}

function portOf(call: Call, name: string): number | undefined {
  const text = call.text(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new UsageError(`--${name} is no port`);
  return Number(text);
}

function tell(call: Call, { chainId, rpcPort, ipfsPort }: World): void {
  const exported = {
    MEDSEAL_RPC: `http://127.0.0.1:${rpcPort}`,
    MEDSEAL_IPFS: `http://127.0.0.1:${ipfsPort}`,
    MEDSEAL_DEPLOYMENTS: deploymentsFolder(),
  };
  call.io.result(
    { chainId, ...exported },
    ...Object.entries(exported).map(([name, value]) => `export ${name}=${quoted(value)}`),
  );
}

/** As a shell takes it for one word. */
const quoted = (text: string): string =>
  /^[\w/:.-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
