import { equal, fromHex, hex, hex0x } from "../bytes/bytes.ts";
import { generationReader, type GenerationReader } from "../archive/batches.ts";
import type { Found } from "../archive/archive.ts";
import type { AnchoredCheckpoint } from "../chain/anchor.ts";
import { decodeBlockHeader, readBlockHeader } from "../chain/block-header.ts";
import type { RegistryProof } from "../chain/consent-proof.ts";
import type { Deployment } from "../chain/deployment.ts";
import { ChainUnavailableError, CodeDiffersError, NodeLiesError, NotFinalYetError } from "../chain/errors.ts";
import type { ConsentLedger } from "../chain/ledger.ts";
import type { Rpc } from "../chain/rpc.ts";
import { readProof } from "../chain/state-proof.ts";
import { headSlot } from "../chain/storage.ts";
import { consentId, type Hex } from "../consent/consent.ts";
import { encodeConsent } from "../consent/encoding.ts";
import { streamsOf, type Link } from "../consent/scope.ts";
import type { GenerationKeys } from "../envelope/payload.ts";
import { EXIT, MedSealError } from "../errors.ts";
import type { Access } from "../grantee/access.ts";
import type { ReaderDeps, ReadRequest } from "../grantee/read.ts";
import { decodeCheckpoint } from "../log/checkpoint.ts";
import { inclusionProof, leafHash } from "../log/merkle.ts";
import { epochsOf } from "../log/stream.ts";
import type { Bundle, BundledBatch, BundledConsent, BundledGateway, Shows } from "./bundle.ts";

export interface ExportDeps extends ReaderDeps {
  readonly rpc: Rpc;
  readonly deployment: Deployment;
  readonly ledger: Pick<ConsentLedger, "final" | "prove">;
  /** All anchors of a gateway, from the first on. */
  readonly historyOf: (gateway: Hex) => Promise<readonly AnchoredCheckpoint[]>;
}

export interface ExportOptions {
  readonly software: string;
  /** With `headers` no batch is handed over, nor a key of one. Without keys to read it comes to that anyway. */
  readonly shows: Shows;
  /** Ask the node for the state of the consents, see `proveConsents`. */
  readonly askNode?: boolean;
  /** Throw rather than leave out what is not final yet. */
  readonly whole?: boolean;
}

/** What of a window is anchored in blocks that are not final yet. */
export interface NotFinal {
  readonly checkpoints: number;
  readonly epochs: number;
  readonly batches: number;
}

export interface Exported {
  readonly bundle: Bundle;
  /** Why the state of the consents is not shown. */
  readonly unproven: MedSealError | undefined;
  /** What was left out. */
  readonly notFinal: NotFinal;
}

/**
 * Puts a window of one stream into a bundle, with single-use keys of its headers and batches, the gateways' checkpoints up to the newest final block, and
 * the state of heads and consents in it. What the store has not is left out, which `verifyEvidence` says; and what is not final yet, which it cannot.
 *
 * @throws NotFinalYetError, OutsideCoverError, CodeDiffersError; the outages of store and chain.
 */
export async function exportEvidence(
  access: Access,
  request: ReadRequest,
  deps: ExportDeps,
  options: ExportOptions,
): Promise<Exported> {
  const { final } = deps.ledger;
  if (final === undefined) throw new ChainUnavailableError("no block is final yet");
  const block = await readBlockHeader(deps.rpc, final.number);
  const at = decodeBlockHeader(block);
  if (at.hash !== final.hash) throw new NodeLiesError("a final block has changed");

  const generations = access.keys.filter(({ stream }) => equal(stream.id, request.stream));
  const anchored = generations.map((keys) => {
    const reader = generationReader(keys, deps.archiveOf(keys.write.consent.grantee), deps.read);
    return { keys, reader, places: placesOf(keys, reader, request, at.number) };
  });
  const later = anchored.flatMap(({ places }) => places).filter(({ final }) => !final);
  if (options.whole && later.length > 0)
    throw new NotFinalYetError(Math.max(...later.map(({ found }) => found.anchored.block)));
  const links = uniqueLinks([...generations.map(({ write }) => write), ...access.release.chain]);
  const blocks = new Map<string, Uint8Array>();
  const { account, gateways } = await gatewaysOf(generations, deps, at, blocks);
  const shows = generations.every(({ data }) => data === undefined) ? "headers" : options.shows;
  const bundled = [];
  for (const { keys, reader, places } of anchored) {
    const settled = places.filter(({ final }) => final);
    const batches = await batchesOf(settled, reader, deps, blocks, shows);
    const write = links.findIndex((link) => same(link, keys.write));
    bundled.push({ generation: keys.generation, write, filed: keys.role === "filed", batches });
  }

  let proof: RegistryProof | undefined;
  let unproven: MedSealError | undefined;
  try {
    const refs = links.map(({ consent }) => ({ grantor: consent.grantor, id: consentId(consent) }));
    proof = await deps.ledger.prove(at, refs, options.askNode);
  } catch (error) {
    if (!(error instanceof NodeLiesError)) throw error;
    unproven = error;
  }
  const { chainId, contracts } = deps.deployment;
  const bundle: Bundle = {
    software: options.software,
    chainId,
    registry: fromHex(contracts.ConsentRegistry.address),
    anchor: fromHex(contracts.RecordAnchor.address),
    stream: request.stream,
    epochLength: (generations[0] as GenerationKeys).stream.epochLength,
    shows,
    from: request.from,
    to: request.to,
    block,
    anchorAccount: account,
    ...(proof && { registryAccount: proof.account }),
    gateways,
    consents: links.map((link, i) => consentOf(link, request.stream, proof?.consents[i])),
    generations: bundled,
    blocks,
  };
  const notFinal = {
    checkpoints: new Set(later.map(({ found }) => hex(found.anchored.head))).size,
    epochs: new Set(later.map(({ epoch }) => epoch)).size,
    batches: later.length,
  };
  return { bundle, unproven, notFinal };
}

const same = (a: Link, b: Link): boolean => consentId(a.consent) === consentId(b.consent);

const uniqueLinks = (links: readonly Link[]): Link[] =>
  links.filter((link, i) => links.findIndex((other) => same(other, link)) === i);

/** The gateways of the generations, with the account of RecordAnchor; their checkpoints and pages are added to `blocks`. */
async function gatewaysOf(
  generations: readonly GenerationKeys[],
  { rpc, deployment, historyOf, read }: ExportDeps,
  at: ReturnType<typeof decodeBlockHeader>,
  blocks: Map<string, Uint8Array>,
): Promise<{ account: readonly Hex[]; gateways: BundledGateway[] }> {
  const addresses = [...new Set(generations.map(({ write }) => write.consent.grantee))];
  const { address, codeHash } = deployment.contracts.RecordAnchor;
  const { account, slots, state } = await readProof(rpc, at, address, addresses.map(headSlot));
  if (state.codeHash !== codeHash) throw new CodeDiffersError("RecordAnchor");
  const gateways: BundledGateway[] = [];
  for (const [i, gateway] of addresses.entries()) {
    const history = (await historyOf(gateway)).filter(({ block }) => block <= at.number);
    for (const { digest } of history) {
      const checkpoint = await readInto(blocks, digest, read);
      for (const page of checkpoint ? decodeCheckpoint(checkpoint).pages : []) await readInto(blocks, page, read);
    }
    const checkpoints = history.map(({ root, digest, size, block, time }) => ({ root, digest, size, block, time }));
    gateways.push({ address: fromHex(gateway), storage: slots[i] ?? [], checkpoints });
  }
  return { account, gateways };
}

interface Place {
  readonly epoch: number;
  readonly n: number;
  readonly found: Found;
  /** And those of its epoch before it. */
  readonly final: boolean;
}

/** Where what is anchored of a generation in the window stands. @param newest - Final block. */
function placesOf(
  { stream }: GenerationKeys,
  reader: GenerationReader,
  { from, to }: ReadRequest,
  newest: number,
): Place[] {
  const places: Place[] = [];
  const epochs = epochsOf(stream, from, to);
  for (let epoch = epochs.from; epoch < epochs.to; epoch++) {
    let final = true;
    for (let n = 0; ; n++) {
      const found = reader.find(epoch, n);
      if (!found) break;
      final &&= found.anchored.block <= newest;
      places.push({ epoch, n, found, final });
    }
  }
  return places;
}

/** The batches with the keys of what opens; blocks are added to `blocks`. */
async function batchesOf(
  places: readonly Place[],
  reader: GenerationReader,
  { read }: ReaderDeps,
  blocks: Map<string, Uint8Array>,
  shows: Shows,
): Promise<BundledBatch[]> {
  const batches: BundledBatch[] = [];
  for (const { epoch, n, found } of places) {
    const { entry } = found;
    await readInto(blocks, entry.header, read);
    // Only what opens under the key of its epoch has a key of its own to show: another block may bear a copied salt.
    const opened = await unlessRefused(() => reader.header(epoch, n, found));
    const headerKey = opened && reader.keyOfHeader(opened);
    const batch = shows === "readings" ? await readInto(blocks, entry.batch, read) : undefined;
    const opens = opened && batch && (await unlessRefused(() => reader.chunks(opened)));
    const batchKey = opens && reader.keyOfBatch(opened, batch);
    batches.push({ epoch, n, tag: entry.tag, ...(headerKey && { headerKey }), ...(batchKey && { batchKey }) });
  }
  return batches;
}

function readInto(
  blocks: Map<string, Uint8Array>,
  digest: Uint8Array,
  read: ReaderDeps["read"],
): Promise<Uint8Array | undefined> {
  return unlessRefused(async () => {
    const block = await read(digest);
    blocks.set(hex(digest), block);
    return block;
  });
}

/** What is missing, altered or wrong is for the verification to say; an outage ends the export. */
async function unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MedSealError) || error.exit !== EXIT.refused) throw error;
    return undefined;
  }
}

function consentOf(link: Link, stream: Uint8Array, state: BundledConsent["state"]): BundledConsent {
  const streams = streamsOf(link);
  const index = streams.indexOf(hex0x(stream));
  const path = inclusionProof(
    streams.map((id) => leafHash(fromHex(id))),
    index,
  );
  return {
    consent: encodeConsent(link.consent),
    scope: { index, size: streams.length, path },
    ...(state && { state }),
  };
}
