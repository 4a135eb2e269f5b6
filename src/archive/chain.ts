import { equal, hex } from "../bytes/bytes.ts";
import type { Consent } from "../consent/consent.ts";
import { statementDigest } from "../log/chunk.ts";
import type { OpenedBatch } from "./batches.ts";

/**
 * - `header-missing`: a sequence number before one that is there is not; in a window it may belong to an epoch outside, which `Elsewhere` tells.
 * - `header-repeated`: two headers have one sequence number.
 * - `header-replaced`: a header names another one as the one before it.
 * - `epoch-missing`: an epoch between two that are there has no header, not even an empty one; not in what a patient filed.
 * - `epoch-open`: no header says that the epoch is complete: its end may be cut off, or is still to come.
 * - `late-unmarked`: a batch came after the epoch was said to be complete, or was filed by the patient, and does not say so.
 * - `statement-repeated`, `statement-replaced`: the device's counter stands still or goes back; or it names another statement before.
 */
export type ChainProblemKind =
  | "header-missing"
  | "header-repeated"
  | "header-replaced"
  | "epoch-missing"
  | "epoch-open"
  | "late-unmarked"
  | "statement-repeated"
  | "statement-replaced";

export interface ChainProblem {
  readonly kind: ChainProblemKind;
  readonly generation: number;
  /** Where it shows; for what is missing, the place before it. */
  readonly epoch: number;
  readonly n: number;
}

type Link = Pick<OpenedBatch, "header" | "found">;

/** What is known of headers that are not among those that could be opened: no other one is blamed for them. */
export interface Elsewhere {
  /** Anchored in the window, and found to be wrong for themselves. */
  readonly unread: readonly { readonly epoch: number; readonly digest: Uint8Array }[];
  /** Whether a header with this digest is of an epoch outside the window. */
  readonly outside: (digest: Uint8Array) => boolean;
}

/**
 * Follows the headers of one generation from one to the next: what a gateway leaves out, repeats or exchanges shows.
 *
 * @param batches - Of one generation, in any order; all of it, or a window.
 * @param isFiled - Whether the patient filed it, by the release; only then may it have some epochs and not those between.
 */
export function checkChain(batches: readonly Link[], elsewhere?: Elsewhere, isFiled = false): ChainProblem[] {
  const inOrder = [...batches].sort((a, b) => a.header.sequence - b.header.sequence);
  const unread = new Unread(elsewhere?.unread ?? []);
  return [
    ...checkSequence(inOrder, elsewhere, unread),
    ...checkEpochs(inOrder, unread, isFiled),
    ...checkStatements(inOrder),
  ];
}

/** Headers that could not be read, by digest and epoch: whoever hands them over may name a million. */
class Unread {
  readonly #digests: ReadonlySet<string>;
  /** Ascending, each once. */
  readonly #epochs: readonly number[];

  constructor(unread: Elsewhere["unread"]) {
    this.#digests = new Set(unread.map(({ digest }) => hex(digest)));
    this.#epochs = [...new Set(unread.map(({ epoch }) => epoch))].sort((a, b) => a - b);
  }

  has(digest: Uint8Array): boolean {
    return this.#digests.has(hex(digest));
  }

  /** How many epochs from `from` to before `to` have one. */
  between(from: number, to: number): number {
    return this.#firstFrom(to) - this.#firstFrom(from);
  }

  #firstFrom(epoch: number): number {
    let [low, high] = [0, this.#epochs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#epochs[middle]! < epoch) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What a window of a generation lies in. */
export interface Surroundings {
  /** Whether a block with this digest was anchored. */
  readonly isKnown: (digest: Uint8Array) => boolean;
  /** Whether all of the generation is looked at, so that no header can lie outside. */
  readonly isWhole: boolean;
  /** Whether the patient filed it. */
  readonly isFiled: boolean;
}

/** @param isKnown, isFiled - As `Surroundings` has them. @param write - The leave to write of the generation. @param window - Unix seconds, half-open. */
export const surroundingsOf = (
  isKnown: Surroundings["isKnown"],
  write: Pick<Consent, "dataStart" | "dataEnd">,
  window: { readonly from: number; readonly to: number },
  isFiled: boolean,
): Surroundings => ({
  isKnown,
  isFiled,
  isWhole: window.from <= write.dataStart && window.to >= write.dataEnd,
});

/**
 * Follows the headers of one generation in a window, as `checkChain` does: what is anchored around the window is not missing from it, and
 * the newest epoch may go on.
 *
 * @returns What is wrong, and 1 as `unfinished` when no header says that the newest epoch is complete.
 */
export function checkWindow(
  batches: readonly Link[],
  unread: Elsewhere["unread"],
  { isKnown, isWhole, isFiled }: Surroundings,
): { readonly problems: readonly ChainProblem[]; readonly unfinished: 0 | 1 } {
  const outside = (digest: Uint8Array): boolean => !isWhole && isKnown(digest);
  const epochs = [...unread, ...batches.map(({ header }) => header)].map(({ epoch }) => epoch);
  const newest = epochs.reduce((max, epoch) => Math.max(max, epoch), 0);
  const found = checkChain(batches, { unread, outside }, isFiled);
  const problems = found.filter(({ kind, epoch }) => kind !== "epoch-open" || epoch !== newest);
  return { problems, unfinished: problems.length < found.length ? 1 : 0 };
}

const at = (kind: ChainProblemKind, { header }: Link): ChainProblem => {
  const { generation, epoch, n } = header;
  return { kind, generation, epoch, n };
};

function checkSequence(inOrder: readonly Link[], elsewhere: Elsewhere | undefined, unread: Unread): ChainProblem[] {
  return inOrder.flatMap((link, i) => {
    const before = inOrder[i - 1];
    const { sequence, previous, epoch } = link.header;
    const step = sequence - (before?.header.sequence ?? -1);
    if (step === 0) return [at("header-repeated", link)];
    if (before && step === 1) return equal(previous, before.found.entry.header) ? [] : [at("header-replaced", link)];
    if (step === 1 || (!before && !elsewhere) || elsewhere?.outside(previous)) return [];
    if (unread.has(previous) || unread.between(before?.header.epoch ?? 0, epoch + 1) > 0) return [];
    return [at("header-missing", before ?? link)];
  });
}

function checkEpochs(inOrder: readonly Link[], unread: Unread, isFiled: boolean): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const epochs = new Map<number, { closed: boolean; link: Link }>();
  for (const link of inOrder) {
    const { epoch, last, late } = link.header;
    const closed = epochs.get(epoch)?.closed ?? false;
    if ((closed || isFiled) && !late) problems.push(at("late-unmarked", link));
    epochs.set(epoch, { closed: closed || last, link });
  }
  const byEpoch = [...epochs].sort(([a], [b]) => a - b);
  for (const [i, [epoch, { closed, link }]] of byEpoch.entries()) {
    // The one that could not be read may be the one that says so.
    if (!closed && unread.between(epoch, epoch + 1) === 0) problems.push(at("epoch-open", link));
    const next = byEpoch[i + 1]?.[0] ?? epoch + 1;
    if (!isFiled && next - epoch - 1 > unread.between(epoch + 1, next)) problems.push(at("epoch-missing", link));
  }
  return problems;
}

/** One device signs for several streams, so its counter may leave numbers out here; it never stands still. */
function checkStatements(inOrder: readonly Link[]): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const last = new Map<string, { counter: bigint; digest: Uint8Array }>();
  for (const link of inOrder) {
    for (const { statement } of link.header.chunks) {
      const device = hex(statement.deviceKey);
      const digest = statementDigest(statement);
      const before = last.get(device);
      // The chunks of one message share its statement.
      if (before && equal(before.digest, digest)) continue;
      if (before && statement.counter <= before.counter) problems.push(at("statement-repeated", link));
      else if (before && statement.counter === before.counter + 1n && !equal(statement.previous, before.digest))
        problems.push(at("statement-replaced", link));
      last.set(device, { counter: statement.counter, digest });
    }
  }
  return problems;
}
