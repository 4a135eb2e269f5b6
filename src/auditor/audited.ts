import type { AnchoredCheckpoint } from "../chain/anchor.ts";
import type { Consent, Hex } from "../consent/consent.ts";
import type { AuditReport } from "./verify.ts";
import type { Flag } from "./plausible.ts";
import type { WindowReport } from "./window.ts";

/** A gateway's checkpoints that an audit rests on. */
export interface Rested {
  readonly gateway: Hex;
  readonly checkpoints: readonly AnchoredCheckpoint[];
}

interface Done {
  /** Who audited, as they call themselves; undefined for somebody without an identity. */
  readonly by?: string;
  /** Unix seconds. */
  readonly at: number;
  readonly chainId: number;
  readonly recordAnchor: string;
  readonly rested: readonly Rested[];
  /** Blocks and batches that an interrupted run had checked, and that were not looked at again. */
  readonly resumed?: number;
}

/** An audit that came to an end, whatever it found; an outage gives none. */
export type Audited =
  | (Done & {
      readonly kind: "archive";
      readonly gateway: Hex;
      readonly report: AuditReport;
      /** Checkpoints that were compared with what somebody else was shown; undefined when none were. */
      readonly compared?: number;
    })
  | (Done & {
      readonly kind: "window";
      readonly stream: string;
      readonly patient: string;
      readonly consent: Consent;
      readonly window: { readonly from: number; readonly to: number };
      /** Whether keys to read were at hand, or to audit only. */
      readonly depth: "read" | "audit";
      /** Implausible readings; undefined when nobody asked for them. */
      readonly flags?: readonly Flag[];
      readonly report: WindowReport;
    });

/** What was looked at, by name. */
export function countsOf(audited: Audited): readonly (readonly [what: string, count: number])[] {
  if (audited.kind === "archive") {
    const { compared } = audited;
    const { checkpoints, objects, erased } = audited.report;
    return [
      ["checkpoints", checkpoints],
      ["blocks", objects],
      ["blocks declared erased", erased],
      ...(compared === undefined ? [] : [["checkpoints compared with another history", compared] as const]),
    ];
  }
  const { flags } = audited;
  const { headers, batches, readings, late, unfinished, erased } = audited.report;
  return [
    ["headers", headers],
    ["batches opened", batches],
    ["readings checked", readings],
    ["headers marked late", late],
    ["blocks declared erased", erased],
    ["generations whose newest epoch is open", unfinished],
    ...(flags === undefined ? [] : [["implausible readings", flags.length] as const]),
  ];
}

/** That a block is erased is its gateway's own word: whether anybody asked for it, no checkpoint says. */
const untouched = (erased: number): string =>
  erased === 0
    ? "nothing that was anchored was altered or removed"
    : "nothing that was anchored was altered, and nothing removed but what the gateway itself declares erased";

/** What an audit of this depth has shown when it found nothing, and what it cannot see. */
export function reachOf(audited: Audited): { readonly shows: string; readonly blind: string } {
  if (audited.kind === "archive")
    return {
      shows: untouched(audited.report.erased),
      blind:
        "Without a key it cannot see what was left out or made up before it was anchored, nor what the blocks say. A stream is audited with the keys that a consent to audit or read gave.",
    };
  return audited.depth === "read"
    ? {
        shows: "in order, with leave, as signed and anchored",
        blind:
          "It cannot see what a sensor measured wrongly, nor whether somebody else holds the keys. That alerts fired as they had to, medseal audit alerts shows.",
      }
    : {
        shows: "headers in order, with leave, signed and anchored; their batches as anchored",
        blind:
          "With keys to audit only it does not open the readings: that they fit the signed roots, a consent to read shows. That every time was evaluated, medseal audit alerts shows.",
      };
}
