import type { Hex } from "../consent/consent.ts";
import type { ChunkFacts } from "../log/chunk.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import { parseInstant } from "../observation/instant.ts";
import { channelKey, type Channel } from "../observation/observation.ts";
import { NoLeaseError, TooLateError, WrongChannelError } from "./errors.ts";
import type { Admit } from "./ingest.ts";
import { ownLink, type Writable } from "./leases.ts";

/** A stream that a lease lets the gateway write, and the WRITE consent it does so under. */
export interface LeasedStream {
  readonly write: Hex;
  readonly stream: StreamDescriptor;
}

/** What is written neither now nor later under the leases at hand. */
export type Refusal = NoLeaseError | TooLateError | WrongChannelError;

export const isRefusal = (error: unknown): error is Refusal =>
  error instanceof NoLeaseError || error instanceof TooLateError || error instanceof WrongChannelError;

/** What a lease lets be written of a stream. @throws from both checks: NoLeaseError, WrongChannelError. */
export function leaveFor(
  stream: StreamDescriptor,
  { lease }: Writable,
): { one: Admit; all: (facts: ChunkFacts) => void } {
  const channels = new Set(stream.channels.map(channelKey));
  const { dataStart, dataEnd } = ownLink(lease).consent;
  const checkChannel = (channel: Channel): void => {
    if (!channels.has(channelKey(channel))) throw new WrongChannelError();
  };
  const checkTime = (seconds: number): void => {
    if (seconds >= dataStart && seconds < dataEnd) return;
    throw new NoLeaseError("a reading lies outside the data window of the leave to write", {
      hint: "ask the patient for an import consent over the recording's time",
    });
  };
  // The same few channels come again and again, and the values of one row have one time.
  const admitted = new Set<Channel>();
  let last: string | undefined;
  return {
    one({ channel, time }) {
      if (!admitted.has(channel)) {
        checkChannel(channel);
        admitted.add(channel);
      }
      if (time === last) return;
      checkTime(parseInstant(time)?.seconds ?? -1);
      last = time;
    },
    all(facts) {
      facts.channels.forEach(checkChannel);
      checkTime(facts.earliest);
      checkTime(facts.latest);
    },
  };
}
