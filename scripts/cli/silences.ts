import type { Status } from "../../src/alerts/state.ts";
import type { Silent } from "../../src/monitor/truth.ts";
import { shown } from "./times.ts";

/** What each state of a rule is called; those without data look different, since what is to be done differs. */
export const STATUS_WORDS: Readonly<Record<Status, string>> = {
  available: "data comes",
  waiting: "waiting for enough data",
  missing: "the source marks values missing, or they have no score",
  noData: "NO DATA",
  announcedOffline: "announced offline",
  deviceRetired: "device retired",
  consentPaused: "consent paused",
};

export const describeSilence = ({ rule, why, from, to }: Silent & { readonly rule: string }): string =>
  `  ${rule}: ${STATUS_WORDS[why]} from ${shown(Math.floor(from / 1000))} to ${shown(Math.floor(to / 1000))}`;
