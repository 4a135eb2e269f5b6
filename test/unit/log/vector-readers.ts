import type { Consent } from "../../../src/consent/consent.ts";
import { readFiled } from "../../../src/late/filed.ts";
import { decodeLetter } from "../../../src/late/letter.ts";
import { readCard } from "../../../scripts/cli/card.ts";
import { readMail } from "../../../scripts/cli/mail.ts";
import { readBundle, type BundleInputs } from "../../../scripts/vectors/evidence-report.ts";
import { openRequest } from "../../../scripts/cli/request.ts";
import { concat, fromHex, hex } from "../../../src/bytes/bytes.ts";
import { ByteWriter } from "../../../src/bytes/writer.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { verifyEntry, type EntryProof } from "../../../src/archive/proof.ts";
import { FIRST_HEAD, headAfter, innerHash, type CheckpointAnchor } from "../../../src/chain/anchor.ts";
import { consentId, type Hex } from "../../../src/consent/consent.ts";
import { decodeConsent } from "../../../src/consent/encoding.ts";
import { scopeOf } from "../../../src/consent/scope.ts";
import { parseSigned, signedDigest, verifySigned } from "../../../src/consent/signed.ts";
import { checkReceipt, isSigned, receiptDigest, ReceiptError } from "../../../src/disclosure/receipt.ts";
import { openEnvelope } from "../../../src/envelope/envelope.ts";
import { decodeRelease } from "../../../src/envelope/payload.ts";
import { readZip } from "../../../src/evidence/zip.ts";
import { decodePinset, encodePinset } from "../../../src/ipfs/pinset.ts";
import { coverOf, decodeCover, encodeCover, epochKey } from "../../../src/keys/cover.ts";
import { batchKey, headerKey, tagOf } from "../../../src/keys/epoch.ts";
import { deviceIdOf, sign } from "../../../src/keys/signature.ts";
import { decodeBatch } from "../../../src/log/batch.ts";
import {
  checkpointRoot,
  decodeCheckpoint,
  encodeCheckpoint,
  joinPages,
  type Checkpoint,
  type CheckpointBody,
  type Entry,
  type MailRow,
} from "../../../src/log/checkpoint.ts";
import {
  chunkRoot,
  itemDigest,
  statementDigest,
  verifyStatement,
  type ChunkItem,
  type Statement,
} from "../../../src/log/chunk.ts";
import { decodeHeader } from "../../../src/log/header.ts";
import { decodeObservation, leafSalts, observationLeaves } from "../../../src/log/leaf.ts";
import { mailRow, mayBeMine } from "../../../src/log/mail.ts";
import { openBatch, openHeader, type BatchPlace, type EpochKeys } from "../../../src/log/sealed-batch.ts";
import { checkProof, type Trusted } from "../../../src/proof/check.ts";
import { parseProof } from "../../../src/proof/format.ts";
import { openRecoveryBox } from "../../../src/patient/recovery.ts";
import { encodeContext, type SealContext } from "../../../src/seal/context.ts";
import { publicKeyOf, type KemId } from "../../../src/seal/hpke.ts";
import { unpad } from "../../../src/seal/padding.ts";
import { openWithPassphrase } from "../../../src/seal/passphrase.ts";
import { messageKey, open } from "../../../src/seal/seal.ts";

/** Inputs of a case, with the bytes that stand as hex made bytes again and `counter`, `chainId` of places made big integers. */
type Inputs = Readonly<Record<string, unknown>>;
type Reader = (inputs: Inputs) => unknown;

const HEX = /^(?:[0-9a-f]{2})+$/;
/** Texts that happen to look like hex, or are meant as text. */
const TEXT = new Set([
  "name",
  "text",
  "decimal",
  "time",
  "fraction",
  "code",
  "purpose",
  "passphrase",
  "registry",
  "kind",
]);

export function revive(key: string, value: unknown): unknown {
  if (typeof value === "string") {
    if (key === "chainId" || key === "counter") return BigInt(value);
    if (TEXT.has(key)) return value;
    return value === "" || HEX.test(value) ? fromHex(value) : value;
  }
  if (Array.isArray(value)) return value.map((item) => revive(key, item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revive(name, item)]));
}

const bytes = (inputs: Inputs, name = "bytes"): Uint8Array => inputs[name] as Uint8Array;
const at = (inputs: Inputs): { chainId: number; registry: Hex } => ({
  chainId: Number(inputs["chainId"]),
  registry: inputs["registry"] as Hex,
});

async function keyPair(inputs: Inputs): Promise<{ kem: KemId; privateKey: Uint8Array; publicKey: Uint8Array }> {
  const [kem, privateKey] = [inputs["kem"] as KemId, bytes(inputs, "privateKey")];
  return { kem, privateKey, publicKey: await publicKeyOf(kem, privateKey) };
}

function readChunkCase(inputs: Inputs): unknown {
  const [item, statement] = [inputs["item"] as ChunkItem, inputs["statement"] as Statement];
  if (inputs["observations"]) {
    const observations = (inputs["observations"] as Uint8Array[]).map(decodeObservation);
    const seed = bytes(inputs, "seed");
    const [salts, leaves] = [leafSalts(seed, observations.length), observationLeaves(seed, observations)];
    return { salts, leaves, root: chunkRoot({ seed, observations }) };
  }
  if (inputs["privateKey"]) return { signature: sign(bytes(inputs, "privateKey"), bytes(inputs, "digest")) };
  if (!inputs["statement"]) return { digest: itemDigest(item) };
  if (!inputs["item"]) return { deviceId: deviceIdOf(statement.deviceKey), digest: statementDigest(statement) };
  return { valid: verifyStatement(statement, inputs["index"] as number, item) };
}

function readCheckpointCase(inputs: Inputs): unknown {
  if (typeof inputs["entries"] !== "number") {
    const { pages: _pages, ...body } = decodeCheckpoint(bytes(inputs, "block"));
    return { ...body, root: checkpointRoot(body.entries ?? []) };
  }
  const entries = Array.from({ length: inputs["entries"] }, (_, i): Entry => {
    const number = new ByteWriter().uint(i, 4).finish();
    const tag = new ByteWriter().raw(number).raw(new Uint8Array(28)).finish();
    return { tag, header: sha256(number, Uint8Array.of(1)), batch: sha256(number, Uint8Array.of(2)) };
  });
  const { block, pages } = encodeCheckpoint({ ...(inputs as unknown as Checkpoint), entries, mail: [], erased: [] });
  return { pages: pages.map((page) => sha256(page)), digest: sha256(block), root: checkpointRoot(entries) };
}

function readCoverCase(inputs: Inputs): unknown {
  const cover = decodeCover(bytes(inputs));
  const { root, from, to, epoch } = inputs as { root?: Uint8Array; from: number; to: number; epoch?: number };
  if (root && hex(encodeCover(coverOf(root, from, to))) !== hex(bytes(inputs))) throw new Error("another cover");
  return epoch === undefined ? cover : epochKey(cover, epoch);
}

function readSealCase(inputs: Inputs): unknown {
  if (inputs["place"]) return { context: encodeContext(inputs["place"] as SealContext) };
  const [key, context, block] = [bytes(inputs, "key"), bytes(inputs, "context"), bytes(inputs, "block")];
  const content = unpad(open(key, context, block));
  return content.length === 0 ? { content } : { content, messageKey: messageKey(key, block) };
}

function readSealedBatch(inputs: Inputs): unknown {
  const { place, keys, entry } = inputs as unknown as { place: BatchPlace; keys: EpochKeys; entry: Entry };
  const header = openHeader(bytes(inputs, "header"), keys.audit, place, entry);
  const chunks = openBatch(bytes(inputs, "batch"), keys.data, place, header, inputs["epochLength"] as number);
  return { header, chunks };
}

function readMailCase(inputs: Inputs): unknown {
  if (inputs["row"]) return { mine: mayBeMine(inputs["row"] as MailRow, bytes(inputs, "viewSecret")) };
  return mailRow(bytes(inputs, "envelope"), bytes(inputs, "viewKey"), () => bytes(inputs, "secret"));
}

function readHeads(inputs: Inputs): unknown {
  const checkpoints = inputs["checkpoints"] as CheckpointAnchor[];
  const heads: Uint8Array[] = [];
  for (const next of checkpoints) heads.push(headAfter(heads.at(-1) ?? FIRST_HEAD, next));
  return { inners: checkpoints.map(innerHash), heads };
}

/** As an accounting is parsed, of which a receipt is a line. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ReceiptError("no JSON", { cause });
  }
}

function readSigned(inputs: Inputs): unknown {
  const message = parseSigned(inputs["text"] as string);
  verifySigned(message, at(inputs));
  return { message, digest: signedDigest(message) };
}

/** What our own reader makes of a case's inputs, by format. */
export const READERS: Readonly<Record<string, Reader>> = {
  observation: (inputs) => decodeObservation(bytes(inputs)),
  chunk: readChunkCase,
  header: (inputs) => decodeHeader(bytes(inputs)),
  batch: (inputs) => decodeBatch(bytes(inputs), inputs["base"] as number),
  "sealed-batch": readSealedBatch,
  checkpoint: readCheckpointCase,
  page: (inputs) => {
    const body = { size: inputs["entries"] as number, entries: undefined, pages: [] } as unknown as CheckpointBody;
    return joinPages(body, [bytes(inputs, "block")]).entries;
  },
  "entry-proof": (inputs) => ({ valid: verifyEntry(inputs["proof"] as EntryProof, bytes(inputs, "root")) }),
  head: readHeads,
  "mail-row": readMailCase,
  pinset: (inputs) => {
    const pinset = decodePinset(bytes(inputs, "block"));
    return { ...pinset, cid: encodePinset(pinset).cid.toString() };
  },
  proof: (inputs) => checkProof(parseProof(inputs["text"] as string), inputs as unknown as Trusted),
  evidence: (inputs) => readBundle(inputs as unknown as BundleInputs),
  "evidence-file": (inputs) => [...readZip(bytes(inputs, "file"))].map(([name, content]) => ({ name, content })),
  cover: readCoverCase,
  "epoch-keys": (inputs) => ({
    batchKey: batchKey(bytes(inputs, "data")),
    headerKey: headerKey(bytes(inputs, "audit")),
    tag: tagOf(bytes(inputs, "audit"), inputs["n"] as number),
  }),
  seal: readSealCase,
  passphrase: (inputs) =>
    openWithPassphrase(inputs["passphrase"] as string, inputs["purpose"] as string, bytes(inputs, "file")),
  consent: (inputs) => {
    const consent = decodeConsent(bytes(inputs));
    return { ...consent, id: consentId(consent) };
  },
  scope: (inputs) => scopeOf(inputs["streams"] as Hex[]),
  "signed-message": readSigned,
  release: (inputs) => decodeRelease(bytes(inputs)),
  envelope: async (inputs) => openEnvelope(bytes(inputs, "block"), await keyPair(inputs), at(inputs)),
  receipt: ({ text }) => {
    const receipt = checkReceipt(parsed(text as string));
    if (!isSigned(receipt)) throw new ReceiptError("not signed by its holder");
    return receiptDigest(receipt);
  },
  card: (inputs) => {
    const { name, address, recipient } = readCard(inputs["text"] as string);
    return { name, address, ...recipient };
  },
  "mail-file": (inputs) => {
    const sevens = new Uint8Array(inputs["sevens"] as number).fill(7);
    return readMail(concat(bytes(inputs, "head"), sevens)).map(({ row }) => row);
  },
  "late-letter": (inputs) => {
    const [dataStart, dataEnd] = [inputs["dataStart"] as number, inputs["dataEnd"] as number];
    const consent = { dataStart, dataEnd } as Consent;
    const { write, stream, statement, chunks } = decodeLetter(bytes(inputs), () => ({ consent, epochLength: 3600 }));
    return { write, stream, statement, chunks: chunks.map(({ epoch, root, chunk }) => ({ epoch, root, chunk })) };
  },
  filed: (inputs) => readFiled(bytes(inputs)).map(({ entry }) => entry),
  request: async (inputs) => openRequest(bytes(inputs), await keyPair(inputs), inputs["patient"] as string),
  recovery: async (inputs) => openRecoveryBox(bytes(inputs, "box"), await keyPair(inputs)),
};
