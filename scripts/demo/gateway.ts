import { join } from "node:path";
import { equal, hex } from "../../src/bytes/bytes.ts";
import { random } from "../../src/bytes/random.ts";
import { openBatches } from "../../src/archive/batches.ts";
import { proveChunk, proveEntry, verifyEntry, verifyLeaf } from "../../src/archive/proof.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { gatewayAnchor } from "../../src/gateway/anchor.ts";
import { UsageError } from "../../src/errors.ts";
import { decodeCheckpoint } from "../../src/log/checkpoint.ts";
import type { Anchored } from "../../src/gateway/checkpoints.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { LeasedStream } from "../../src/gateway/leave.ts";
import type { StreamIngest } from "../../src/gateway/ingest.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import { epochOf } from "../../src/log/chunk.ts";
import { encodeObservation } from "../../src/log/leaf.ts";
import { sqliteRows } from "../../src/state/rows.ts";
import type { Identity } from "./parties.ts";
import type { DemoPatient } from "./patient.ts";
import type { Recording } from "./recording.ts";
import { openArchive, openViewer, placeOf, type Viewer, type World } from "./world.ts";

export interface DemoGateway {
  readonly self: Gateway;
  readonly address: Hex;
  readonly world: World;
  readonly viewer: Viewer;
}

export async function openGateway(world: World, { party, hpke }: Identity): Promise<DemoGateway> {
  const viewer = await openViewer(world);
  const self = new Gateway({
    address: party.address,
    place: placeOf(world, party.address),
    registry: world.registry,
    blocks: world.blocks,
    anchor: gatewayAnchor(world.rpc, world.deployment, world.accounts.gateway, party.address),
    watch: watchLedger(viewer.ledger),
    ask: ({ time, ...question }) => viewer.judge.isPermitted(question, time),
    rows: sqliteRows(join(world.folder, "gateway", `${party.address}.sqlite`)),
    keys: { hpke, signing: generateSigningKey(), secret: random(32) },
  });
  return { self, address: party.address, world, viewer };
}

export interface Ingested {
  readonly readings: number;
  readonly missing: number;
  /** Bytes of the readings as JSON, of their sealed batches and headers, and of all blocks that were stored. */
  readonly json: number;
  readonly sealed: number;
  readonly stored: number;
  readonly gas: number;
  readonly cids: readonly string[];
  /** Digest of a batch block among the stored ones. */
  readonly batch: Uint8Array;
}

/** Ingests the epochs `from` to `to - 1` of a recording and anchors them. */
export async function ingest(gateway: DemoGateway, recording: Recording, from: number, to: number): Promise<Ingested> {
  const open = new Map<string, StreamIngest>();
  let [readings, missing, json] = [0, 0, 0];
  for await (const row of recording.intake.rows()) {
    if (row.kind === "quarantined") continue;
    const { observation } = row;
    const epoch = epochOf(observation.time, recording.epochLength);
    if (epoch < from || epoch >= to) continue;
    const name = recording.streamOf(observation);
    const session =
      open.get(name) ?? gateway.self.ingest(streamNamed(gateway.self, name), { clock: recording.intake.clock });
    open.set(name, session);
    await session.add(observation);
    if (observation.value.kind === "missing") missing += 1;
    else readings += 1;
    json += JSON.stringify(observation).length;
  }
  for (const session of open.values()) await session.finish();
  const anchored = await gateway.self.drain();
  const gas = Number(anchored.at(-1)?.receipt?.gasUsed ?? 0n);
  return {
    readings,
    missing,
    json,
    gas,
    cids: anchored.map(({ digest }) => cidOf(digest)),
    ...(await weigh(gateway.world, anchored)),
  };
}

function streamNamed(gateway: Gateway, name: string): LeasedStream {
  const stream = gateway.streams().find((leased) => leased.stream.name === name);
  if (!stream) throw new UsageError("the gateway has no lease for a stream of the recording");
  return stream;
}

/** Sizes of what the checkpoints brought into the store. */
async function weigh(
  { blocks }: World,
  anchored: readonly Anchored[],
): Promise<{ sealed: number; stored: number; batch: Uint8Array }> {
  const size = async (digest: Uint8Array): Promise<number> => (await blocks.get(digest)).length;
  let [sealed, stored] = [0, 0];
  for (const { digest, own } of anchored) {
    const block = await blocks.get(digest);
    const { entries, pages, mail } = decodeCheckpoint(block);
    stored += block.length;
    for (const { header, batch } of entries ?? []) stored += (await size(header)) + (await size(batch));
    for (const { envelope } of mail) stored += await size(envelope);
    for (const page of pages) stored += await size(page);
    for (const { header, batch } of own) sealed += (await size(header)) + (await size(batch));
  }
  return { sealed, stored, batch: anchored.flatMap(({ own }) => own).at(-1)?.batch ?? new Uint8Array(32) };
}

/** The patient reads everything back over all generations and compares it with the file. */
export async function checkAll(
  world: World,
  patient: DemoPatient,
  write: Hex,
  gateway: DemoGateway,
  recording: Recording,
): Promise<{ readings: number; missing: number; exact: boolean; proven: boolean }> {
  const archive = await openArchive(world, gateway.address);
  const left = new Map(recording.leaves);
  let [readings, missing, exact, proven] = [0, 0, true, true];
  for (const keys of patient.self.ownKeys(write)) {
    for await (const { chunks, header, found } of openBatches(
      keys,
      archive,
      recording.firstEpoch,
      recording.endEpoch,
      (digest) => world.blocks.get(digest),
    )) {
      proven &&= verifyEntry(proveEntry(found), found.anchored.root) && equal(found.entry.batch, header.batch);
      for (const [i, chunk] of (chunks ?? []).entries()) {
        for (const proof of proveChunk(chunk)) {
          proven &&= verifyLeaf(proof, header.chunks[i]?.root ?? new Uint8Array(32));
          const leaf = hex(encodeObservation(proof.observation));
          const count = left.get(leaf) ?? 0;
          if (count === 0) exact = false;
          if (count <= 1) left.delete(leaf);
          else left.set(leaf, count - 1);
          if (proof.observation.value.kind === "missing") missing += 1;
          else readings += 1;
        }
      }
    }
  }
  return { readings, missing, exact: exact && left.size === 0, proven };
}
