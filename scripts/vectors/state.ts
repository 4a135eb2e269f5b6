import { encodeRlp, keccak256 } from "ethers";
import { fromHex, hex0x } from "../../src/bytes/bytes.ts";
import { storageRoot } from "../../src/chain/storage-root.ts";
import type { Hex } from "../../src/consent/consent.ts";

/** A contract with its storage, by slot. */
export interface Account {
  readonly address: Uint8Array;
  readonly codeHash: Hex;
  readonly slots: ReadonlyMap<Hex, Hex>;
}

/** RLP of the header of a block whose state is one contract, or two, and the nodes to each. */
export function blockWith(accounts: readonly Account[]): { block: Uint8Array; paths: Hex[][] } {
  const leaves = accounts.map(({ address, slots, codeHash }) => {
    const key = keccak256(hex0x(address)).slice(2);
    return { key, value: encodeRlp(["0x01", "0x", storageRoot(slots), codeHash]) };
  });
  const [only] = leaves;
  if (leaves.length === 1 && only) {
    // A leaf at the root: its path is all 64 digits.
    const leaf = encodeRlp([`0x20${only.key}`, only.value]) as Hex;
    return { block: headerOver(leaf), paths: [[leaf]] };
  }
  const below = leaves.map(({ key, value }) => encodeRlp([`0x3${key.slice(1)}`, value]) as Hex);
  const branch: string[] = Array.from({ length: 17 }, () => "0x");
  leaves.forEach(({ key }, i) => (branch[Number.parseInt(key.charAt(0), 16)] = keccak256(below[i] as Hex)));
  if (branch.filter((child) => child !== "0x").length < leaves.length)
    throw new Error("contracts whose keys begin with different digits are needed");
  const root = encodeRlp(branch) as Hex;
  return { block: headerOver(root), paths: below.map((leaf) => [root, leaf]) };
}

/** Block 7 of 2026-02-02T01:38:08Z. */
function headerOver(stateRoot: Hex): Uint8Array {
  const zeros = (size: number): Hex => hex0x(new Uint8Array(size));
  const [word, bloom] = [zeros(32), zeros(256)];
  const numbers = ["0x", "0x07", "0x01", "0x", "0x69800000"];
  return fromHex(
    encodeRlp([word, word, zeros(20), keccak256(stateRoot), word, word, bloom, ...numbers, "0x", word, zeros(8)]),
  );
}
