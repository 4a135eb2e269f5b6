import { sign, type SigningKeyPair } from "../keys/signature.ts";
import { itemDigest, statementDigest, type ChunkItem, type Statement } from "./chunk.ts";

/** Where a signer stands in its own chain of statements. */
export interface SignerState {
  /** Of the next statement. */
  counter: bigint;
  /** Digest of the statement before, zeros at first. */
  previous: Uint8Array;
}

export const freshSigner = (): SignerState => ({ counter: 0n, previous: new Uint8Array(32) });

/** Signs the items of one message as the next statement and moves `state` on. Deterministic. */
export function signStatement(
  key: SigningKeyPair,
  firmware: number,
  state: SignerState,
  items: readonly ChunkItem[],
): Statement {
  const statement = {
    deviceKey: key.publicKey,
    firmware,
    counter: state.counter,
    previous: state.previous,
    items: items.map(itemDigest),
  };
  const digest = statementDigest(statement);
  state.counter += 1n;
  state.previous = digest;
  return { ...statement, signature: sign(key.privateKey, digest) };
}
