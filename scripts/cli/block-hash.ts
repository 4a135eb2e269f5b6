import { keccak256 } from "ethers";
import { isBytes32, type Hex } from "../../src/consent/consent.ts";
import { UsageError } from "../../src/errors.ts";
import { readUserText } from "./files.ts";

/**
 * The hash of the block that the user trusts: the hash itself, or a file with it, with the header's RLP in hexadecimal, or with the block as JSON
 * as a node or an explorer shows it.
 *
 * @throws UsageError
 */
export async function trustedHash(named: string): Promise<Hex> {
  if (named.startsWith("0x")) return hashIn(named);
  return hashIn((await readUserText(named)).trim());
}

function hashIn(text: string): Hex {
  const lower = text.toLowerCase();
  if (isBytes32(lower)) return lower;
  if (/^0x(?:[0-9a-f]{2}){33,}$/.test(lower)) return keccak256(lower) as Hex;
  try {
    const block = JSON.parse(text) as { result?: { hash?: unknown }; hash?: unknown } | null;
    const hash = block?.result?.hash ?? block?.hash;
    if (isBytes32(hash)) return hash;
  } catch {
    // Said below.
  }
  throw new UsageError("--block-header names no block", {
    hint: "give its hash, or a file with the hash, the header in hexadecimal, or the block as JSON",
  });
}
