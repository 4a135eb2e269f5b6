import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet } from "ethers";
import { fromHex } from "../../src/bytes/bytes.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { PermissionJudge } from "../../src/chain/permission.ts";
import { openRpc } from "../../src/chain/rpc.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { gatewayAnchor } from "../../src/gateway/anchor.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { openIntake } from "../../src/intake/intake.ts";
import type { Intake, IntakeOptions } from "../../src/intake/types.ts";
import { MemoryStore } from "../../src/ipfs/memory.ts";
import { openStore } from "../../src/ipfs/open.ts";
import { epochOf } from "../../src/log/chunk.ts";
import type { Observation } from "../../src/observation/observation.ts";
import { sqliteRows } from "../../src/state/rows.ts";
import { twinRows } from "../../src/state/twin.ts";
import { hashRate } from "./hash-bound.ts";
import type { Posting } from "./ingest-ground.ts";

/**
 * `anchored`: everything on, from the file to the mined anchor. `sealed`: the same up to the sealed bytes, with the journal in memory.
 * `hourly`: a checkpoint after each epoch, for gas alone.
 */
export type Mode = "anchored" | "sealed" | "hourly";

export interface Task {
  readonly mode: Mode;
  readonly file: string;
  readonly options: IntakeOptions;
  readonly posting: Posting;
  /** Of the gateway; see `GatewayDeps`. */
  readonly threads: number;
}

/** What one round of one process measured. */
export interface Round {
  readonly readings: number;
  readonly seconds: number;
  /** Processor time of the thread that reads and seals. */
  readonly mainSeconds: number;
  /** Two hashes a reading, before and after: readings a second. */
  readonly bound: readonly [number, number];
  readonly boundBy: string;
  /** All blocks in the store: batches, headers, padding, mail, checkpoints, pinsets. */
  readonly bytes: number;
  readonly gas: number;
  readonly peakRssMiB: number;
}

async function work({ mode, file, options, posting, threads }: Task): Promise<Round> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
  const { deployment, keys, account } = posting;
  const rpc = openRpc(posting.rpc, deployment.chainId);
  const signer = new Wallet(account, rpc);
  const address = signer.address as Hex;
  const { ConsentRegistry, RecordAnchor } = deployment.contracts;
  const blocks = mode === "anchored" ? await openStore({ folder: join(folder, "ipfs") }) : new MemoryStore();
  const ledger = new ConsentLedger(rpc, deployment);
  try {
    const watch = watchLedger(ledger);
    await watch.refresh();
    const judge = await PermissionJudge.create(rpc, deployment, ledger);
    const gateway = new Gateway({
      address,
      place: {
        chainId: BigInt(deployment.chainId),
        anchor: fromHex(RecordAnchor.address),
        gateway: fromHex(address),
      },
      registry: { chainId: deployment.chainId, registry: ConsentRegistry.address },
      blocks,
      anchor: gatewayAnchor(rpc, deployment, signer, address),
      watch,
      ask: ({ time, ...question }) => judge.isPermitted(question, time),
      rows: mode === "anchored" ? twinRows(join(folder, "journal.sqlite")) : sqliteRows(":memory:"),
      keys,
      threads,
    });
    await gateway.acceptLease(posting.lease);
    const rate = await hashRate();
    const before = rate.perSecond() / 2;
    const used = process.threadCpuUsage();
    const start = performance.now();
    const { readings, gas } = await ingest(gateway, await openIntake(file, options), mode);
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.threadCpuUsage(used);
    const mainSeconds = (user + system) / 1e6;
    const peakRssMiB = process.resourceUsage().maxRSS / 1024;
    const after = rate.perSecond() / 2;
    await gateway.close();
    const bytes = await sizeOf(join(folder, "ipfs", "blocks"));
    return { readings, seconds, mainSeconds, bound: [before, after], boundBy: rate.by, bytes, gas, peakRssMiB };
  } finally {
    ledger.close();
    rpc.destroy();
    await blocks.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function ingest(gateway: Gateway, intake: Intake, mode: Mode): Promise<{ readings: number; gas: number }> {
  const [leased] = gateway.streams();
  if (!leased) throw new Error("the lease covers no stream");
  const session = gateway.ingest(leased, { clock: intake.clock });
  let [readings, gas, epoch] = [0, 0, -1];
  const checkpoint = async (): Promise<void> => {
    for (const { receipt } of await gateway.drain()) gas += Number(receipt?.gasUsed ?? 0n);
  };
  for await (const rows of intake.batches()) {
    const observations: Observation[] = [];
    for (const row of rows) if (row.kind === "observation") observations.push(row.observation);
    readings += observations.length;
    if (mode !== "hourly") {
      await session.addAll(observations, refused);
      continue;
    }
    const ofEpoch = ({ time }: Observation): number => epochOf(time, leased.stream.epochLength);
    for (const [next, some] of Map.groupBy(observations, ofEpoch)) {
      if (epoch !== -1 && next !== epoch) await checkpoint();
      epoch = next;
      await session.addAll(some, refused);
    }
  }
  await session.finish();
  if (mode !== "sealed") await checkpoint();
  return { readings, gas };
}

function refused(_: unknown, error: unknown): never {
  throw error;
}

/** Of all files in a folder, in bytes; 0 when there is none. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const blocks = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".block"));
  const sizes = await Promise.all(
    blocks.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

process.once("message", (task: Task) => {
  void work(task).then((round) => process.send?.(round, () => process.disconnect()));
});
