import type { Instant } from "../observation/instant.ts";
import { channelKey, type Channel } from "../observation/observation.ts";
import type { Limits } from "./limits.ts";
import type { Problem } from "./types.ts";

/** Whether a channel may have a reading at an instant; what was let pass is remembered. */
export interface TimeOrder {
  admit(channel: Channel, instant: Instant): Problem | undefined;
}

const duplicate: Problem = { code: "ERR_TIME_DUPLICATE", reason: "the channel has a value at this instant already" };
const tooMany: Problem = { code: "ERR_CHANNELS", reason: "the file speaks of more channels than the limit allows" };

/** For files whose rows go forward in time: each instant of a channel lies after the one before. */
export function risingOrder(limits: Limits): TimeOrder {
  const last = new Map<string, { instant: Instant }>();
  return {
    admit(channel, instant) {
      const key = channelKey(channel);
      const before = last.get(key);
      if (before === undefined) {
        if (last.size >= limits.channels) return tooMany;
        last.set(key, { instant });
        return undefined;
      }
      const step = compareInstants(instant, before.instant);
      if (step === 0) return duplicate;
      if (step < 0) return { code: "ERR_TIME_BACKWARD", reason: "the time goes backward" };
      before.instant = instant;
      return undefined;
    },
  };
}

/**
 * For files without order, such as bundles: every instant is remembered, up to `limits.instants` of them. Then the oldest seen are
 * forgotten, and what lies at or before a forgotten one can no longer be told from a duplicate.
 */
export function anyOrder(limits: Limits): TimeOrder {
  const seen = new Map<string, { instants: Set<string>; forgotten: Instant | undefined }>();
  const queue: { key: string; instant: Instant }[] = [];
  let head = 0;

  function forgetOne(): void {
    const { key, instant } = queue[head++] as { key: string; instant: Instant };
    const channel = seen.get(key);
    channel?.instants.delete(instantKey(instant));
    if (channel && (!channel.forgotten || compareInstants(instant, channel.forgotten) > 0)) channel.forgotten = instant;
    if (head > limits.instants) {
      queue.splice(0, head);
      head = 0;
    }
  }

  return {
    admit(channel, instant) {
      const key = channelKey(channel);
      let known = seen.get(key);
      if (!known) {
        if (seen.size >= limits.channels) return tooMany;
        known = { instants: new Set(), forgotten: undefined };
        seen.set(key, known);
      }
      if (known.instants.has(instantKey(instant))) return duplicate;
      if (known.forgotten && compareInstants(instant, known.forgotten) <= 0) {
        return { code: "ERR_TIME_UNCHECKED", reason: "too far out of order to be told from a duplicate" };
      }
      known.instants.add(instantKey(instant));
      queue.push({ key, instant });
      if (queue.length - head > limits.instants) forgetOne();
      return undefined;
    },
  };
}

/** Equal for the same instant, however it is written: `…:00.50Z` and `…:00.5+00:00`. */
const instantKey = ({ seconds, fraction }: Instant): string => `${seconds}.${fraction.replace(/0+$/, "")}`;

export function compareInstants(a: Instant, b: Instant): number {
  if (a.seconds !== b.seconds || a.fraction === b.fraction) return a.seconds - b.seconds;
  const [left, right] = [a.fraction.padEnd(9, "0"), b.fraction.padEnd(9, "0")];
  return left < right ? -1 : left > right ? 1 : 0;
}
