import { now } from "../../src/bytes/random.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import type { Access } from "../../src/grantee/access.ts";
import type { ReadRequest } from "../../src/grantee/read.ts";
import type { ExportDeps } from "../../src/evidence/export.ts";
import { openInbox } from "../../scripts/demo/reader.ts";
import { historyOf, openArchive, openViewer, type Viewer } from "../../scripts/demo/world.ts";
import { EPOCH, openWard, START, type Ward } from "./ward.ts";

/** A ward of two checkpoints with two epochs each, and Dr Lee who may read all of it, on a chain that proves its state. */
export interface Proving {
  readonly ward: Ward;
  readonly access: Access;
  readonly request: ReadRequest;
  readonly deps: ExportDeps;
  readonly viewer: Viewer;
}

export async function openProving(): Promise<Proving> {
  const ward = await openWard();
  const { world, gateway } = ward;
  const lee = await ward.admit("Dr Lee");
  await ward.release(lee);
  await ward.record(0, 2);
  await ward.record(2, 4);
  const { access: accesses } = await openInbox(world, lee.identity, gateway);
  const access = accesses[0] as Access;
  const viewer = await openViewer(world);
  const archive = await openArchive(world, gateway.address);
  const stream = access.keys[0]?.stream.id as Uint8Array;
  return {
    ward,
    access,
    viewer,
    request: { stream, from: START, to: START + 4 * EPOCH, purpose: "TREAT" },
    deps: {
      archiveOf: () => archive,
      read: (digest) => world.blocks.get(digest),
      ask: ({ time, ...question }) => viewer.judge.isPermitted(question, time),
      watch: watchLedger(viewer.ledger),
      time: now(),
      rpc: world.rpc,
      deployment: world.deployment,
      ledger: viewer.ledger,
      historyOf: (address) => historyOf(world, address),
    },
  };
}

export async function closeProving({ viewer, ward }: Proving): Promise<void> {
  viewer.ledger.close();
  await ward.world.close();
}

/** Hashes of the code of both contracts, as pinned. */
export const codeOf = ({ deps }: Proving) => ({
  registryCode: deps.deployment.contracts.ConsentRegistry.codeHash,
  anchorCode: deps.deployment.contracts.RecordAnchor.codeHash,
});

export const gatewayOf = ({ access }: Proving) => access.keys[0]!.write.consent.grantee;

/** An error's code, or what the work gave. */
export async function outcome<T>(work: () => T | Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === "string" && code.startsWith("ERR_")) return code;
    throw error;
  }
}
