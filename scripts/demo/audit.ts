import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { verifyArchive, type AuditReport } from "../../src/auditor/verify.ts";
import { FileBlockstore } from "../../src/ipfs/blocks.ts";
import { cidOf, rawCid } from "../../src/ipfs/cid.ts";
import type { DemoGateway } from "./gateway.ts";
import { historyOf, placeOf, type World } from "./world.ts";

/** The auditor has the chain, the store and the gateway's address; no key. */
export async function audit(world: World, { address }: DemoGateway): Promise<AuditReport> {
  return verifyArchive(placeOf(world, address), await historyOf(world, address), (digest) => world.blocks.get(digest));
}

/** Flips one byte of a stored block on disk, audits, and puts the block back. */
export async function damage(
  world: World,
  gateway: DemoGateway,
  digest: Uint8Array,
): Promise<{ found: boolean; cid: string; text: string }> {
  const cid = cidOf(digest);
  const path = new FileBlockstore(join(world.folder, "ipfs", "blocks")).path(rawCid(digest));
  const whole = await readFile(path);
  const damaged = Buffer.from(whole);
  const middle = damaged.length >> 1;
  damaged[middle] = (damaged[middle] ?? 0) ^ 1;
  await writeFile(path, damaged);
  const { findings } = await audit(world, gateway);
  await writeFile(path, whole);
  const [finding, ...others] = findings;
  // Named, and nothing else blamed.
  const found = finding?.cid === cid && finding.kind === "altered" && finding.object === "batch" && others.length === 0;
  return { found, cid, text: finding?.text ?? "" };
}
