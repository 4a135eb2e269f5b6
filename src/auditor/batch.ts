import type { Archive, Found } from "../archive/archive.ts";
import type { ReadBlock } from "../archive/checkpoints.ts";
import { fromHex } from "../bytes/bytes.ts";
import { MedSealError } from "../errors.ts";
import { BlockMissingError } from "../ipfs/errors.ts";
import { byReading } from "./checks.ts";
import type { Finding } from "./findings.ts";
import { blockFinding, sizeFinding } from "./verify.ts";

export interface BatchReport {
  readonly found: Found;
  readonly findings: readonly Finding[];
  /** Blocks that are gone and were declared erased. */
  readonly erased: number;
}

/** A batch that no checkpoint on chain holds. */
export class UnanchoredError extends MedSealError {
  readonly code = "ERR_UNANCHORED";

  constructor() {
    super("a batch under this tag is not anchored: no checkpoint of the gateway names it", {
      hint: "see that the tag is whole; a batch that was just recorded is named once its gateway has anchored it",
    });
  }
}

/**
 * Checks one batch without a key: its header and its batch block are as anchored. That its entry was anchored follows from the archive, which
 * was read whole.
 *
 * @param tag - 64 hexadecimal digits.
 * @throws UnanchoredError; the store's outages.
 */
export async function verifyBatchOf(archive: Archive, tag: string, read: ReadBlock): Promise<BatchReport> {
  const found = archive.find(fromHex(tag));
  if (!found) throw new UnanchoredError();
  const checkpoint = found.anchored.index;
  const objects = ["header", "batch"] as const;
  const outcomes = await byReading(read)(objects.map((object) => found.entry[object]));
  const findings: Finding[] = [];
  let erased = 0;
  for (const [i, object] of objects.entries()) {
    const [block, outcome] = [{ digest: found.entry[object], object, checkpoint }, outcomes[i]];
    if (typeof outcome === "number") findings.push(...sizeFinding(block, outcome));
    else if (outcome instanceof BlockMissingError && archive.isErased(block.digest)) erased += 1;
    else findings.push(blockFinding(outcome, block, (digest) => archive.names(digest)));
  }
  return { found, findings, erased };
}
