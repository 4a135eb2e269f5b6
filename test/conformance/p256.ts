import { expect } from "chai";
import { sha256 } from "../../src/bytes/hash.ts";
import { normalise } from "../../src/keys/signature.ts";
import { bytes, readJson, report, vectorPath, type WycheproofCase, type WycheproofGroup } from "./vectors.ts";

interface EcdsaCase extends WycheproofCase {
  readonly msg: string;
  readonly sig: string;
}

interface EcdsaGroup extends WycheproofGroup<EcdsaCase> {
  readonly publicKey: { readonly uncompressed: string };
}

/** A published signature; the valid ones by their s. */
export interface P256Case {
  readonly as: string;
  readonly kind: "low" | "high" | "invalid";
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

/** The signatures of one key of 65 bytes. */
export interface P256Group {
  readonly publicKey: Uint8Array;
  readonly cases: readonly P256Case[];
}

const HALF_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n >> 1n;

/** Wycheproof's signatures on P-256 (P1363); skips the suite without them. */
export function p256Groups(context: Mocha.Context): P256Group[] {
  const file = vectorPath(context, "wycheproof", "ecdsa_secp256r1_sha256_p1363_test.json");
  return readJson<{ testGroups: EcdsaGroup[] }>(file).testGroups.map(({ publicKey, tests }) => ({
    publicKey: bytes(publicKey.uncompressed),
    cases: tests.map(({ tcId, result, msg, sig }) => ({
      as: `case ${tcId}`,
      kind: result !== "valid" ? "invalid" : BigInt(`0x${sig.slice(64)}`) > HALF_ORDER ? "high" : "low",
      digest: sha256(bytes(msg)),
      signature: bytes(sig),
    })),
  }));
}

/** Fails when a kind has no case. */
export function reportKinds(what: string, groups: readonly P256Group[]): void {
  const cases = groups.flatMap((group) => group.cases);
  const counts = (["low", "high", "invalid"] as const).map((kind) => cases.filter((each) => each.kind === kind).length);
  const [low, high, invalid] = counts;
  expect(Math.min(...counts)).to.be.above(0);
  report(`${what} (${low} low-s, ${high} high-s, ${invalid} invalid)`, cases.length, 0, "");
}

/** A foreign signature goes through `normalise` first, which refuses what has not the form of one. */
export function normalisedOrNone(signature: Uint8Array): Uint8Array | undefined {
  try {
    return normalise(signature);
  } catch (error) {
    expect(error).to.have.property("code", "ERR_SIGNATURE_FORMAT");
    return undefined;
  }
}
