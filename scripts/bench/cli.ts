import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { ConsentRegistry__factory } from "../../typechain-types/factories/ConsentRegistry__factory.ts";
import { RecordAnchor__factory } from "../../typechain-types/factories/RecordAnchor__factory.ts";
import { hex0x } from "../../src/bytes/bytes.ts";
import { random } from "../../src/bytes/random.ts";
import { pinDeployment } from "../../src/chain/deployment.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { openRpc, toQuantity } from "../../src/chain/rpc.ts";
import { spawnAnvil } from "../world/anvil.ts";

export interface CliReport {
  /** Milliseconds from the start of the process to its first line of output, medians of five. */
  readonly firstLine: readonly { readonly verb: string; readonly ms: number }[];
  readonly slowest: number;
  readonly limit: number;
  /** A client's first reading of a registry with this many consents. */
  readonly sync: { readonly consents: number; readonly seconds: number; readonly limit: number };
  readonly pass: boolean;
}

const VERBS = [
  "--help",
  "consent grant --help",
  "completion bash",
  "whoami",
  "keys card",
  "contacts list",
  "stream list",
];
const ROUNDS = 5;
const FIRST_LINE = 1000;
const CONSENTS = 100_000;
const SYNC = 60;

export async function benchCli(): Promise<CliReport> {
  const firstLine = await timeVerbs();
  const slowest = Math.max(...firstLine.map(({ ms }) => ms));
  const seconds = await timeSync();
  const sync = { consents: CONSENTS, seconds, limit: SYNC };
  return { firstLine, slowest, limit: FIRST_LINE, sync, pass: slowest <= FIRST_LINE && seconds <= SYNC };
}

export const cliTable = ({ firstLine, slowest, limit, sync }: CliReport): string =>
  [
    ...firstLine.map(({ verb, ms }) => `${String(ms).padStart(6)} ms  medseal ${verb}`),
    `slowest ${slowest} ms, limit ${limit} ms`,
    `${sync.consents.toLocaleString("en")} consents synced in ${sync.seconds} s, limit ${sync.limit} s`,
  ].join("\n");

async function timeVerbs(): Promise<{ verb: string; ms: number }[]> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
  try {
    await writeFile(join(folder, "pass"), "four plain words here\n", { mode: 0o600 });
    const env = { ...process.env, MEDSEAL_HOME: folder, MEDSEAL_PASSPHRASE_FILE: join(folder, "pass") };
    const start = (line: string): ChildProcess =>
      spawn(process.execPath, [resolve(import.meta.dirname, "../../bin/medseal"), ...line.split(" ")], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
    await firstLineOf(start("keys new Ann"));
    const timed: { verb: string; ms: number }[] = [];
    for (const verb of VERBS) {
      const times: number[] = [];
      for (let i = 0; i < ROUNDS; i++) times.push(await firstLineOf(start(verb)));
      timed.push({ verb, ms: Math.round(times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number) });
    }
    return timed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function firstLineOf(child: ChildProcess): Promise<number> {
  const began = performance.now();
  return new Promise((done, failed) => {
    let first: number | undefined;
    child.stdout?.once("data", () => (first = performance.now() - began));
    child.once("close", (code) => {
      if (code === 0 && first !== undefined) done(first);
      else failed(new Error(`a command to be timed ended with ${code}`));
    });
  });
}

/** Fills a registry on a chain of its own, then reads it as a new client does. */
async function timeSync(): Promise<number> {
  const chainId = 7330;
  const anvil = await spawnAnvil(chainId, 0, "--gas-limit", "300000000", "--no-mining", "--order", "fifo");
  const rpc = openRpc(anvil.url, chainId, 600_000);
  try {
    const signer = await rpc.getSigner(0);
    const registry = await new ConsentRegistry__factory(signer).deploy();
    const anchor = await new RecordAnchor__factory(signer).deploy();
    await rpc.send("evm_mine", []);
    const addresses = { ConsentRegistry: await registry.getAddress(), RecordAnchor: await anchor.getAddress() };
    const deployment = await pinDeployment(rpc, chainId, addresses, 0);
    const from = await signer.getAddress();
    const to = addresses.ConsentRegistry;
    // Numbered here: a node gives two that come at once the same number.
    const nonce = await signer.getNonce();
    const grant = (n: number): object => {
      const data = registry.interface.encodeFunctionData("grant", [hex0x(random(32))]);
      return { from, to, data, nonce: toQuantity(nonce + n), gas: toQuantity(90_000) };
    };
    for (let sent = 0; sent < CONSENTS; sent += 2000) {
      const calls = Array.from({ length: 2000 }, (_, i) => rpc.send("eth_sendTransaction", [grant(sent + i)]));
      await Promise.all(calls);
      await rpc.send("evm_mine", []);
    }
    for (let i = 0; i < 4; i++) await rpc.send("evm_mine", []);
    const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
    const ledger = new ConsentLedger(rpc, deployment, join(folder, "ledger.sqlite"));
    const began = performance.now();
    const { events } = await ledger.sync();
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    ledger.close();
    await rm(folder, { recursive: true, force: true });
    if (events !== CONSENTS) throw new Error(`${events} of ${CONSENTS} consents were synced`);
    return seconds;
  } finally {
    rpc.destroy();
    await anvil.stop();
  }
}
