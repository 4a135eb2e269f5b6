import { fromHex, hex } from "../../src/bytes/bytes.ts";
import { now } from "../../src/bytes/random.ts";
import { proveChunk, proveEntry, verifyEntry, verifyLeaf } from "../../src/archive/proof.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import { checkChain } from "../../src/archive/chain.ts";
import type { OpenedBatch } from "../../src/archive/batches.ts";
import type { AskPermission } from "../../src/chain/permission.ts";
import { EXIT, MedSealError } from "../../src/errors.ts";
import { acceptRelease, combine, type Access } from "../../src/grantee/access.ts";
import { readInbox } from "../../src/grantee/inbox.ts";
import { readStream } from "../../src/grantee/read.ts";
import { batchKey, headerKey } from "../../src/keys/epoch.ts";
import { epochKey, OutsideCoverError, type Cover } from "../../src/keys/cover.ts";
import { encodeObservation } from "../../src/log/leaf.ts";
import { encodeContext, type SealKind } from "../../src/seal/context.ts";
import { open, SealCommitmentError } from "../../src/seal/seal.ts";
import type { DemoGateway } from "./gateway.ts";
import type { Identity } from "./parties.ts";
import type { Recording } from "./recording.ts";
import { openArchive, openViewer, placeOf, type Viewer, type World } from "./world.ts";

export interface OpenedInbox {
  readonly rows: number;
  readonly fetched: number;
  readonly access: readonly Access[];
}

const asker =
  ({ judge }: Viewer): AskPermission =>
  ({ time, ...question }) =>
    judge.isPermitted(question, time);

/** The grantee syncs the chain, goes through all mail and accepts what is theirs and in force: one access a consent. */
export async function openInbox(
  world: World,
  { party, hpke, viewSecret }: Identity,
  gateway: DemoGateway,
): Promise<OpenedInbox> {
  const viewer = await openViewer(world);
  const archive = await openArchive(world, gateway.address);
  const inbox = await readInbox(archive.mail, { hpke, viewSecret }, world.registry, (digest) =>
    world.blocks.get(digest),
  );
  const access: Access[] = [];
  for (const { release } of inbox.releases) {
    try {
      access.push(await acceptRelease(release, party.address, asker(viewer), now()));
    } catch (error) {
      // One that must not be used, say of a consent that ended since, does not keep the others from being used.
      if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
    }
  }
  viewer.ledger.close();
  return { rows: inbox.rows, fetched: inbox.fetched, access: combine(access) };
}

export interface Seen {
  readonly readings: number;
  /** Epochs in which something opened. */
  readonly epochs: ReadonlySet<number>;
  /** Every observation is one of the file's, its proof holds and its gateway had leave. */
  readonly exact: boolean;
  /** What is missing, repeated or exchanged in the chains of headers that were read. */
  readonly gaps: number;
}

/** Reads the whole granted window of every stream under one consent. */
export async function readAll(
  world: World,
  { party }: Identity,
  accesses: readonly Access[],
  gateway: DemoGateway,
  recording: Recording,
): Promise<Seen> {
  const [access] = accesses;
  if (!access) return { readings: 0, epochs: new Set(), exact: false, gaps: 0 };
  const viewer = await openViewer(world);
  const archive = await openArchive(world, gateway.address);
  const deps = {
    archiveOf: () => archive,
    read: (digest: Uint8Array) => world.blocks.get(digest),
    ask: asker(viewer),
    watch: watchLedger(viewer.ledger),
    time: now(),
  };
  const { consent } = access.link;
  const epochs = new Set<number>();
  let [readings, exact, gaps] = [0, consent.grantee === party.address, 0];
  for (const stream of uniqueStreams(access)) {
    const request = { stream, from: consent.dataStart, to: consent.dataEnd, purpose: consent.purpose };
    const generations = new Map<number, OpenedBatch[]>();
    for await (const batch of readStream(access, request, deps)) {
      const { chunks, header, found, leave } = batch;
      generations.set(header.generation, [...(generations.get(header.generation) ?? []), batch]);
      epochs.add(header.epoch);
      exact &&= leave === undefined && verifyEntry(proveEntry(found), found.anchored.root);
      for (const [i, chunk] of (chunks ?? []).entries()) {
        for (const proof of proveChunk(chunk)) {
          exact &&=
            recording.leaves.has(hex(encodeObservation(proof.observation))) &&
            verifyLeaf(proof, header.chunks[i]?.root ?? new Uint8Array(32));
          if (proof.observation.value.kind !== "missing") readings += 1;
        }
      }
    }
    for (const batches of generations.values()) gaps += checkChain(batches).length;
  }
  viewer.ledger.close();
  return { readings, epochs, exact, gaps };
}

const uniqueStreams = ({ keys }: Access): Uint8Array[] =>
  [...new Set(keys.map(({ stream }) => hex(stream.id)))].map(fromHex);

/**
 * Whether epochs are closed to whoever holds these keys and keeps to no rule: every key of every epoch they have is tried on every block
 * the gateway anchored, in the context of each epoch that is `wanted`.
 */
export async function closedTo(
  world: World,
  accesses: readonly Access[],
  gateway: DemoGateway,
  wanted: (epoch: number) => boolean,
): Promise<boolean> {
  const archive = await openArchive(world, gateway.address);
  const place = placeOf(world, gateway.address);
  const blocks = await Promise.all(
    archive
      .entries()
      .map(async ({ header, batch }) => [await world.blocks.get(header), await world.blocks.get(batch)] as const),
  );
  for (const { keys, link } of accesses) {
    for (const { stream, generation, data, audit } of keys) {
      const [from, to] = [link.consent.dataStart / stream.epochLength, link.consent.dataEnd / stream.epochLength];
      for (let epoch = from - 1; epoch <= to; epoch++) {
        if (!wanted(epoch)) continue;
        const context = (kind: SealKind): Uint8Array =>
          encodeContext({ ...place, stream: stream.id, generation, epoch, n: 0, kind });
        const headerKeys = keysNear(audit, epoch).map(headerKey);
        const batchKeys = data ? keysNear(data, epoch).map(batchKey) : [];
        for (const [header, batch] of blocks) {
          if (headerKeys.some((key) => opens(header, key, context("header")))) return false;
          if (batchKeys.some((key) => opens(batch, key, context("batch")))) return false;
        }
      }
    }
  }
  return true;
}

/** The key of the epoch where the cover has it, and those of the epochs beside it. */
function keysNear(cover: Cover, epoch: number): Uint8Array[] {
  return [epoch - 1, epoch, epoch + 1].flatMap((near) => {
    try {
      return [epochKey(cover, near)];
    } catch (error) {
      if (error instanceof OutsideCoverError) return [];
      throw error;
    }
  });
}

function opens(block: Uint8Array, key: Uint8Array, context: Uint8Array): boolean {
  try {
    open(key, context, block);
    return true;
  } catch (error) {
    if (error instanceof SealCommitmentError) return false;
    throw error;
  }
}
