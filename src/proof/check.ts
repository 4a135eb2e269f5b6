import { keccak256 } from "ethers";
import { concat, fromHex, hex0x } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { verifyEntry, verifyLeaf } from "../archive/proof.ts";
import { headAfter } from "../chain/anchor.ts";
import { checkHead } from "../chain/head-proof.ts";
import type { BlockHeader } from "../chain/rpc.ts";
import type { Hex } from "../consent/consent.ts";
import { MedSealError } from "../errors.ts";
import type { Header } from "../log/header.ts";
import { decodeObservation } from "../log/leaf.ts";
import { openHeaderAlone } from "../log/sealed-batch.ts";
import { parseInstant } from "../observation/instant.ts";
import type { Observation } from "../observation/observation.ts";
import type { Proof, ReadingProof } from "./proof.ts";

/** What a proof that holds shows. */
export interface Shown {
  readonly header: Header;
  readonly reading?: Observation;
  /** It was anchored no later than in this block. */
  readonly block: BlockHeader;
  readonly codeHash: Hex;
}

/** What whoever checks a proof knows from elsewhere. */
export interface Trusted {
  /** Of the block that the proof rests on. */
  readonly blockHash: Hex;
  /** Of RecordAnchor's code. */
  readonly codeHash: Hex;
}

/** The parts of a proof do not fit each other, or what the caller trusts. */
export class ProofRefusedError extends MedSealError {
  readonly code = "ERR_PROOF";

  constructor(what: string, hint?: string) {
    super(`the proof does not hold: ${what}`, hint === undefined ? {} : { hint });
  }
}

/**
 * Checks a proof against what the caller trusts. It says nothing of who the patient is, whether the gateway had leave to write, or whether the
 * device was in good standing.
 *
 * @throws ProofRefusedError, StateProofError, MismatchError, the seal's errors, MalformedError: it does not hold.
 */
export const checkProof = (proof: Proof, trusted: Trusted): Shown => checkTrusted(openProof(proof), trusted);

/** Holds what a proof shows against what the caller trusts. @throws ProofRefusedError */
export function checkTrusted(shown: Shown, trusted: Trusted): Shown {
  if (shown.block.hash !== trusted.blockHash)
    throw new ProofRefusedError("it rests on another block than the given one", "compare number and hash of the block");
  if (shown.codeHash !== trusted.codeHash)
    throw new ProofRefusedError("the contract it names has other code than RecordAnchor");
  return shown;
}

/** Checks a proof within itself, up to the block that it rests on. @throws as `checkProof`. */
export function openProof(proof: Proof): Shown {
  const { place, checkpoint, state } = proof;
  const entry = { tag: proof.entry.tag, header: sha256(proof.header), batch: proof.entry.batch };
  const { index, path } = proof.entry;
  if (!verifyEntry({ entry, index, size: checkpoint.size, path }, checkpoint.root))
    throw new ProofRefusedError("the header is not in the checkpoint");
  let head = headAfter(checkpoint.headBefore, checkpoint);
  for (const inner of checkpoint.later) head = fromHex(keccak256(concat(head, inner)));
  const known = checkHead(state, hex0x(place.anchor), hex0x(place.gateway), head);
  const header = openHeaderAlone(proof.header, proof.headerKey, place, entry);
  return { header, ...(proof.reading && { reading: readingOf(proof.reading, header) }), ...known };
}

function readingOf({ chunk, salt, index, path, observation }: ReadingProof, header: Header): Observation {
  const signed = header.chunks[chunk];
  if (!signed) throw new ProofRefusedError("the header has no such chunk");
  const reading = decodeObservation(observation);
  if (!verifyLeaf({ observation: reading, salt, index, count: signed.count, path }, signed.root))
    throw new ProofRefusedError("the reading is not in the signed chunk");
  const seconds = parseInstant(reading.time)?.seconds ?? NaN;
  if (!(seconds >= header.earliest && seconds <= header.latest))
    throw new ProofRefusedError("the reading lies outside the times of its header");
  return reading;
}
