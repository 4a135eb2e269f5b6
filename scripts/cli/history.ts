import { fromHex, hex0x } from "../../src/bytes/bytes.ts";
import type { CheckpointAnchor } from "../../src/chain/anchor.ts";
import { isBytes32, type Hex } from "../../src/consent/consent.ts";
import { UsageError } from "../../src/errors.ts";
import type { OptionSpec } from "./command.ts";
import { readUserText } from "./files.ts";

/** What says which other history to compare with. */
export const AGAINST: Readonly<Record<string, OptionSpec>> = {
  against: {
    type: "string",
    value: "FILE",
    help: "with --gateway: compare with the checkpoints that somebody else was shown, in what they got from medseal audit --gateway --json",
  },
};

/** One gateway's history of checkpoints on one chain. */
export interface Shown {
  readonly chainId: number;
  readonly recordAnchor: string;
  readonly gateway: Hex;
}

/** How a history stands in a report. */
export const historyLines = (history: readonly CheckpointAnchor[]): object[] =>
  history.map(({ root, digest, size }) => ({ root: hex0x(root), digest: hex0x(digest), size }));

/** The history in somebody's report, which must be of the same gateway, contract and chain. @throws UsageError. */
export async function readHistory(file: string, mine: Shown): Promise<CheckpointAnchor[]> {
  const report = parsed(await readUserText(file));
  const { chainId, recordAnchor, gateways, history } = report ?? {};
  if (!Array.isArray(history) || !Array.isArray(gateways) || gateways.length !== 1)
    throw new UsageError(`${file} holds no history of an archive`, {
      hint: "have it made with medseal audit --gateway NAME --json",
    });
  if (chainId !== mine.chainId || recordAnchor !== mine.recordAnchor || gateways[0] !== mine.gateway)
    throw new UsageError(`${file} is of another gateway, contract or chain`);
  return history.map((one: unknown, index) => {
    const { root, digest, size } = (one ?? {}) as Record<string, unknown>;
    if (!isBytes32(root) || !isBytes32(digest) || !Number.isSafeInteger(size) || (size as number) < 0)
      throw new UsageError(`${file}: checkpoint ${index} of the history is not well-formed`);
    return { root: fromHex(root), digest: fromHex(digest), size: size as number };
  });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
