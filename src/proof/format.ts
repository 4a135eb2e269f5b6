import { fromHex, hex0x } from "../bytes/bytes.ts";
import { JsonReader } from "../bytes/json-reader.ts";
import { HEADER_SIZE } from "../log/header.ts";
import { SALT_SIZE } from "../log/leaf.ts";
import type { Proof, ReadingProof } from "./proof.ts";

const FORMAT = "medseal-proof";
const LONGEST = 64 * 2 ** 20;
const U32 = 2 ** 32 - 1;
/** Hashes in a path: trees of up to 2^53 leaves. */
const MOST_HASHES = 53;
const MOST_CHECKPOINTS = 2 ** 20;
/** A path of 64 digits. */
export const MOST_NODES = 65;

const hashes = (list: readonly Uint8Array[]): string[] => list.map(hex0x);

/** One line of JSON; one text for each proof, docs/formats.md, "Proof". */
export function encodeProof({ place, header, headerKey, entry, checkpoint, reading, state }: Proof): string {
  const value = {
    format: FORMAT,
    version: 1,
    chainId: Number(place.chainId),
    recordAnchor: hex0x(place.anchor),
    gateway: hex0x(place.gateway),
    stream: hex0x(place.stream),
    generation: place.generation,
    epoch: place.epoch,
    n: place.n,
    header: hex0x(header),
    headerKey: hex0x(headerKey),
    entry: { tag: hex0x(entry.tag), batch: hex0x(entry.batch), index: entry.index, path: hashes(entry.path) },
    checkpoint: {
      root: hex0x(checkpoint.root),
      digest: hex0x(checkpoint.digest),
      size: checkpoint.size,
      headBefore: hex0x(checkpoint.headBefore),
      later: hashes(checkpoint.later),
    },
    ...(reading && {
      reading: {
        chunk: reading.chunk,
        index: reading.index,
        salt: hex0x(reading.salt),
        observation: hex0x(reading.observation),
        path: hashes(reading.path),
      },
    }),
    state: { block: hex0x(state.block), account: state.account, storage: state.storage },
  };
  return `${JSON.stringify(value)}\n`;
}

/** Inverse of `encodeProof`; says nothing yet of what the proof is worth. @throws MalformedError for every other text. */
export function parseProof(text: string): Proof {
  const document = JsonReader.parse("proof", text, LONGEST);
  const needed = [
    "format",
    "version",
    "chainId",
    "recordAnchor",
    "gateway",
    "stream",
    "generation",
    "epoch",
    "n",
    "header",
    "headerKey",
    "entry",
    "checkpoint",
    "state",
  ] as const;
  const at = document.members(needed, ["reading"]);
  at.format.constant(FORMAT);
  at.version.constant(1);
  const proof: Proof = {
    place: {
      chainId: BigInt(at.chainId.count(Number.MAX_SAFE_INTEGER)),
      anchor: at.recordAnchor.bytes(20),
      gateway: at.gateway.bytes(20),
      stream: at.stream.bytes(32),
      generation: at.generation.count(U32),
      epoch: at.epoch.count(U32),
      n: at.n.count(U32),
    },
    header: at.header.bytes(HEADER_SIZE),
    headerKey: at.headerKey.bytes(32),
    entry: readEntry(at.entry),
    checkpoint: readCheckpoint(at.checkpoint),
    ...(at.reading && { reading: readReading(at.reading) }),
    state: readState(at.state),
  };
  if (encodeProof(proof) !== text) document.fail("its members in their order, without white space, expected");
  return proof;
}

const readHashes = (list: JsonReader, most = MOST_HASHES): Uint8Array[] =>
  list.items(most).map((item) => item.bytes(32));

function readEntry(entry: JsonReader): Proof["entry"] {
  const { tag, batch, index, path } = entry.members(["tag", "batch", "index", "path"]);
  return { tag: tag.bytes(32), batch: batch.bytes(32), index: index.count(U32), path: readHashes(path) };
}

function readCheckpoint(checkpoint: JsonReader): Proof["checkpoint"] {
  const at = checkpoint.members(["root", "digest", "size", "headBefore", "later"]);
  return {
    root: at.root.bytes(32),
    digest: at.digest.bytes(32),
    size: at.size.count(U32),
    headBefore: at.headBefore.bytes(32),
    later: readHashes(at.later, MOST_CHECKPOINTS),
  };
}

function readReading(reading: JsonReader): ReadingProof {
  const at = reading.members(["chunk", "index", "salt", "observation", "path"]);
  return {
    chunk: at.chunk.count(255),
    index: at.index.count(U32),
    salt: at.salt.bytes(SALT_SIZE),
    observation: at.observation.bytes(),
    path: readHashes(at.path),
  };
}

function readState(state: JsonReader): Proof["state"] {
  const { block, account, storage } = state.members(["block", "account", "storage"]);
  const nodes = (list: JsonReader) => list.items(MOST_NODES).map((node) => node.hex());
  return { block: fromHex(block.hex()), account: nodes(account), storage: nodes(storage) };
}
