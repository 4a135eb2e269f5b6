import { decodeRlp, encodeRlp, type RlpStructuredData } from "ethers";
import type { Hex } from "../consent/consent.ts";
import { StateProofError } from "./errors.ts";

/** What RLP in its shortest form holds. @param what - Names it in the error. @throws StateProofError for every other bytes. */
export function decodeShortest(encoded: Hex, what: string): RlpStructuredData {
  try {
    const content = decodeRlp(encoded);
    if (encodeRlp(content) === encoded) return content;
  } catch {
    // Said below.
  }
  throw new StateProofError(`${what} is no RLP in its shortest form`);
}
