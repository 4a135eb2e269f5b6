import { fromHex, fromUtf8, hex, hex0x, utf8 } from "../bytes/bytes.ts";
import { JsonReader } from "../bytes/json-reader.ts";
import { MalformedError } from "../errors.ts";
import { cidOf, digestOf } from "../ipfs/cid.ts";
import { isEpochLength, LONGEST_EPOCH } from "../log/stream.ts";
import {
  SHOWS,
  type Bundle,
  type BundledAnchor,
  type BundledBatch,
  type BundledConsent,
  type BundledGateway,
  type BundledGeneration,
} from "./bundle.ts";
import { readZip, writeZip } from "./zip.ts";

const FORMAT = "medseal-evidence";
const MANIFEST = "evidence.json";
const BLOCKS = "blocks/";
const U32 = 2 ** 32 - 1;
const LAST_TIME = 253_402_300_799;
const LONGEST = 2 ** 29;
const MOST = 2 ** 20;
const MOST_NODES = 65;
const MOST_HASHES = 53;

const hashes = (list: readonly Uint8Array[]): string[] => list.map(hex0x);

/** A bundle as one file, docs/formats.md, "Evidence". Same bundle, same bytes. @throws TooLargeError */
export function encodeBundle(bundle: Bundle): Uint8Array {
  const files = new Map([[MANIFEST, utf8(manifestOf(bundle))]]);
  const named = [...bundle.blocks].map(([digest, block]) => [BLOCKS + cidOf(fromHex(digest)), block] as const);
  for (const [name, block] of named.sort(([a], [b]) => (a < b ? -1 : 1))) files.set(name, block);
  return writeZip(files);
}

/** Inverse of `encodeBundle`; says nothing yet of what is in it, nor whether the blocks are what their names say. @throws MalformedError */
export function decodeBundle(bytes: Uint8Array): Bundle {
  const [first, ...rest] = readZip(bytes);
  if (first?.[0] !== MANIFEST) throw new MalformedError("evidence", 0, `${MANIFEST} expected first`);
  const blocks = new Map<string, Uint8Array>();
  let last = "";
  for (const [name, block] of rest) {
    if (!name.startsWith(BLOCKS) || name <= last)
      throw new MalformedError("evidence", 0, "blocks in order of their CIDs expected");
    blocks.set(hex(digestOf(name.slice(BLOCKS.length))), block);
    last = name;
  }
  return readManifest(first[1], blocks);
}

function manifestOf(bundle: Bundle): string {
  const value = {
    format: FORMAT,
    version: 1,
    software: bundle.software,
    chainId: bundle.chainId,
    consentRegistry: hex0x(bundle.registry),
    recordAnchor: hex0x(bundle.anchor),
    stream: hex0x(bundle.stream),
    epochLength: bundle.epochLength,
    shows: bundle.shows,
    from: bundle.from,
    to: bundle.to,
    block: hex0x(bundle.block),
    anchorAccount: bundle.anchorAccount,
    ...(bundle.registryAccount && { registryAccount: bundle.registryAccount }),
    gateways: bundle.gateways.map(({ address, storage, checkpoints }) => ({
      address: hex0x(address),
      storage,
      checkpoints: checkpoints.map(({ root, digest, size, block, time }) => ({
        root: hex0x(root),
        digest: hex0x(digest),
        size,
        block,
        time,
      })),
    })),
    consents: bundle.consents.map(({ consent, scope, state }) => ({
      consent: hex0x(consent),
      scope: { index: scope.index, size: scope.size, path: hashes(scope.path) },
      ...(state && { state: { entry: state.entry, endedBefore: state.endedBefore } }),
    })),
    generations: bundle.generations.map(({ generation, write, filed, batches }) => ({
      generation,
      write,
      ...(filed && { filed }),
      batches: batches.map(({ epoch, n, tag, headerKey, batchKey }) => ({
        epoch,
        n,
        tag: hex0x(tag),
        ...(headerKey && { headerKey: hex0x(headerKey) }),
        ...(batchKey && { batchKey: hex0x(batchKey) }),
      })),
    })),
  };
  return `${JSON.stringify(value)}\n`;
}

function readManifest(bytes: Uint8Array, blocks: ReadonlyMap<string, Uint8Array>): Bundle {
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    throw new MalformedError("evidence", 0, `${MANIFEST} is not UTF-8`);
  }
  const document = JsonReader.parse("evidence", text, LONGEST);
  const at = document.members(
    [
      "format",
      "version",
      "software",
      "chainId",
      "consentRegistry",
      "recordAnchor",
      "stream",
      "epochLength",
      "shows",
      "from",
      "to",
      "block",
      "anchorAccount",
      "gateways",
      "consents",
      "generations",
    ] as const,
    ["registryAccount"],
  );
  at.format.constant(FORMAT);
  at.version.constant(1);
  const epochLength = at.epochLength.count(LONGEST_EPOCH);
  const window = { from: at.from.count(LAST_TIME), to: at.to.count(LAST_TIME) };
  if (!isEpochLength(epochLength)) document.fail("a length of epochs that divides a day expected");
  const whole = window.from % epochLength === 0 && window.to % epochLength === 0;
  if (!whole || window.from >= window.to) document.fail("a window of whole epochs expected");
  const consents = at.consents.items(MOST).map(readConsent);
  const bundle: Bundle = {
    software: at.software.ascii(100),
    chainId: at.chainId.count(Number.MAX_SAFE_INTEGER),
    registry: at.consentRegistry.bytes(20),
    anchor: at.recordAnchor.bytes(20),
    stream: at.stream.bytes(32),
    epochLength,
    shows: at.shows.choice(SHOWS),
    ...window,
    block: at.block.bytes(),
    anchorAccount: readNodes(at.anchorAccount),
    ...(at.registryAccount && { registryAccount: readNodes(at.registryAccount) }),
    gateways: at.gateways.items(MOST).map(readGateway),
    consents,
    generations: at.generations.items(MOST).map((one) => readGeneration(one, consents.length)),
    blocks,
  };
  const batches = bundle.generations.flatMap((one) => one.batches);
  if (bundle.shows === "headers" && batches.some(({ batchKey }) => batchKey))
    document.fail("keys of batches are not expected where headers are shown");
  if (manifestOf(bundle) !== text) document.fail("its members in their order, without white space, expected");
  return bundle;
}

const readNodes = (list: JsonReader): `0x${string}`[] => list.items(MOST_NODES).map((node) => node.hex());

function readGateway(gateway: JsonReader): BundledGateway {
  const { address, storage, checkpoints } = gateway.members(["address", "storage", "checkpoints"]);
  return {
    address: address.bytes(20),
    storage: readNodes(storage),
    checkpoints: checkpoints.items(MOST).map(readAnchor),
  };
}

function readAnchor(anchor: JsonReader): BundledAnchor {
  const { root, digest, size, block, time } = anchor.members(["root", "digest", "size", "block", "time"]);
  return {
    root: root.bytes(32),
    digest: digest.bytes(32),
    size: size.count(Number.MAX_SAFE_INTEGER),
    block: block.count(Number.MAX_SAFE_INTEGER),
    time: time.count(LAST_TIME),
  };
}

function readConsent(one: JsonReader): BundledConsent {
  const { consent, scope, state } = one.members(["consent", "scope"], ["state"]);
  const { index, size, path } = scope.members(["index", "size", "path"]);
  const slots = state?.members(["entry", "endedBefore"]);
  return {
    consent: consent.bytes(),
    scope: {
      index: index.count(U32),
      size: size.count(U32),
      path: path.items(MOST_HASHES).map((hash) => hash.bytes(32)),
    },
    ...(slots && { state: { entry: readNodes(slots.entry), endedBefore: readNodes(slots.endedBefore) } }),
  };
}

function readGeneration(one: JsonReader, consents: number): BundledGeneration {
  const { generation, write, filed, batches } = one.members(["generation", "write", "batches"], ["filed"]);
  filed?.constant(true);
  return {
    generation: generation.count(U32),
    write: write.count(consents - 1),
    filed: filed !== undefined,
    batches: batches.items(MOST).map(readBatch),
  };
}

function readBatch(batch: JsonReader): BundledBatch {
  const { epoch, n, tag, headerKey, batchKey } = batch.members(["epoch", "n", "tag"], ["headerKey", "batchKey"]);
  return {
    epoch: epoch.count(U32),
    n: n.count(U32),
    tag: tag.bytes(32),
    ...(headerKey && { headerKey: headerKey.bytes(32) }),
    ...(batchKey && { batchKey: batchKey.bytes(32) }),
  };
}
