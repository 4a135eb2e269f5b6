import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { ChainUnavailableError } from "../../src/chain/errors.ts";
import { callNode } from "../../src/chain/rpc.ts";

export interface AnvilProcess {
  readonly url: string;
  readonly pid: number;
  /** Fulfilled when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Tries to find a free port: another process may take it before the chain client does. */
const TRIES = 5;
/** Ports below those that systems hand out: none is taken in between by a connection, or by who asks for any. */
const PORTS = { from: 20_000, to: 32_000 };
/** Milliseconds that a chain client may take to answer: a busy machine starts nothing at once. */
const PATIENCE = 60_000;
/** Of a block, at least. */
const GAS_LIMIT = 30_000_000;

/**
 * Starts the chain client from npm on 127.0.0.1, in a process group of its own. A block is final when two lie on it, unless the
 * options say otherwise.
 *
 * @param port - 0 for a free one.
 * @throws ChainUnavailableError when it does not come up.
 */
export async function spawnAnvil(chainId: number, port: number, ...options: string[]): Promise<AnvilProcess> {
  for (let tries = 1; ; tries++) {
    try {
      return await spawnOn(port === 0 ? await freePort() : port, chainId, options);
    } catch (error) {
      if (port !== 0 || tries === TRIES || !(error instanceof ChainUnavailableError)) throw error;
    }
  }
}

async function spawnOn(port: number, chainId: number, options: readonly string[]): Promise<AnvilProcess> {
  const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  const file = `@foundry-rs/anvil-${platform}/bin/anvil${process.platform === "win32" ? ".exe" : ""}`;
  const finality = options.includes("--slots-in-an-epoch") ? [] : ["--slots-in-an-epoch", 1];
  // Chains that begin in one second would have one first block otherwise, by which Ignition knows what it has deployed where.
  const room = options.includes("--gas-limit") ? [] : ["--gas-limit", GAS_LIMIT + randomInt(GAS_LIMIT / 10)];
  const words = ["--host", "127.0.0.1", "--port", port, "--chain-id", chainId, ...finality, ...room, "--silent"];
  const child = spawn(createRequire(import.meta.url).resolve(file), [...words.map(String), ...options], {
    stdio: "ignore",
    detached: true,
  });
  let alive = true;
  const ended = new Promise<void>((done) => {
    const end = (): void => {
      alive = false;
      done();
    };
    child.once("exit", end);
    child.once("error", end);
  });
  const url = `http://127.0.0.1:${port}`;
  const isUp = async (): Promise<boolean> => {
    if (!(await answers(url))) return false;
    // Where the port was taken, another one has answered, and ours is about to end.
    await pause(100);
    return alive;
  };
  for (const end = Date.now() + PATIENCE; !(await isUp());) {
    if (!alive || Date.now() > end) {
      child.kill("SIGKILL");
      throw new ChainUnavailableError(`the chain client does not start on port ${port}`, undefined);
    }
    await pause(25);
  }
  return {
    url,
    pid: child.pid as number,
    ended,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    await callNode(url, "eth_chainId");
    return true;
  } catch {
    return false;
  }
}

/** For who listens on it some time later, or again after an end. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const server = createServer().once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
