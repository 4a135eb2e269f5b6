import type { Observation } from "../observation/observation.ts";
import { inOrder } from "../state/journal.ts";
import type { NotTaken } from "./routes.ts";
import type { FeedJournal } from "./state.ts";

/** A message of which not all could be taken, as it came. */
export interface QuarantinedMessage {
  readonly source: string;
  readonly device: string;
  readonly counter: number;
  /** Unix seconds. */
  readonly received: number;
  readonly notTaken: readonly NotTaken[];
  readonly line: string;
}

/** Readings that were stored, and might not be written any more when they were to be sealed. */
export interface HeldReadings {
  /** Leave to write and stream. */
  readonly key: string;
  readonly code: string;
  readonly observations: readonly Observation[];
}

export type Quarantined = QuarantinedMessage | HeldReadings;

/** How many readings of a row are there for each reason. */
export function reasonsOf(row: Quarantined): ReadonlyMap<string, number> {
  if ("observations" in row) return new Map([[row.code, row.observations.length]]);
  const reasons = new Map<string, number>();
  for (const { code } of row.notTaken) reasons.set(code, (reasons.get(code) ?? 0) + 1);
  return reasons;
}

/** What stands in quarantine, oldest first, by its number. Health data: for who may see it. */
export function* quarantineOf({ state }: FeedJournal): Generator<readonly [number, Quarantined]> {
  for (let number = 0; number < state.position.quarantined; number++) {
    const row = state.quarantine.get(inOrder(number));
    if (row) yield [number, row];
  }
}

/** Inside a write of the journal: puts a row there. */
export function keepApart({ state }: FeedJournal, row: Quarantined): void {
  const { quarantined, kept } = state.position;
  state.quarantine.set(inOrder(quarantined), row);
  state.move({ quarantined: quarantined + 1, kept: kept + 1 });
}

/** Lets go of rows for good. */
export function letGo(journal: FeedJournal, numbers: readonly number[]): Promise<void> {
  return journal.write(() => {
    const { state } = journal;
    for (const number of numbers) state.quarantine.delete(inOrder(number));
    state.move({ kept: state.position.kept - numbers.length });
  });
}
