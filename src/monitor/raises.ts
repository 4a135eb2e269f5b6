import { inOrder, type Table } from "../state/journal.ts";
import type { Entry } from "./entry.ts";
import type { Raise } from "./once.ts";
import type { CarePlan } from "./plan.ts";

/** An alert that a plan wants on chain, and how far that has come. */
export interface KeptRaise extends Raise {
  /** The alert's own id. */
  readonly alert: string;
  /** Of the monitor's address on chain. */
  readonly slot: number;
  /** `over`: the slot is free for another one. */
  readonly stage: "due" | "raised" | "over";
  /** The responder's signature under the one-time address, once they gave it. */
  readonly signature?: string;
}

/** Keys that sort as they were opened. */
export const raiseKey = ({ plan, n }: Raise): string => `${plan}/${inOrder(n)}`;

/** Gives every alert that was just opened the lowest slot that is free. What is over is forgotten with it. */
export function planRaises(table: Table<KeptRaise>, { id, onChain }: CarePlan, entries: readonly Entry[]): void {
  if (onChain === undefined) return;
  for (const entry of entries) {
    if (entry.kind !== "event" || entry.event.kind !== "opened") continue;
    for (const [key, { stage }] of table.entries()) if (stage === "over") table.delete(key);
    const taken = new Set(table.entries().map(([, raise]) => raise.slot));
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    const raise = { plan: id, n: entry.n, alert: entry.event.alert, slot, stage: "due" } as const;
    table.set(raiseKey(raise), raise);
  }
}
