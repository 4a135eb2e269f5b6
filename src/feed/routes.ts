import { hex0x } from "../bytes/bytes.ts";
import { MedSealError } from "../errors.ts";
import type { TooLateError } from "../gateway/errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { LeasedStream } from "../gateway/leave.ts";
import type { Admit } from "../gateway/ingest.ts";
import { epochOf } from "../log/chunk.ts";
import { channelKey, type Observation } from "../observation/observation.ts";
import type { Device } from "./config.ts";
import { isReading, type FeedMessage } from "./message.ts";
import type { Group } from "./state.ts";

/** A reading that was not taken: its index in the message, and why. */
export interface NotTaken {
  readonly index: number;
  readonly code: string;
}

/** The readings of a message that may be written, by stream, with the oldest epoch of each; and those that may not. */
export interface Routed {
  readonly groups: readonly Group[];
  /** By `keyOf`. */
  readonly oldest: ReadonlyMap<string, number>;
  readonly notTaken: readonly NotTaken[];
  /** Indexes of the readings that go to a late box. */
  readonly late: readonly number[];
}

/** A stream that readings may go to. */
interface Open {
  readonly leased: LeasedStream;
  readonly key: string;
  /** Id of the stream in hex. */
  readonly stream: string;
}

interface Route extends Open {
  readonly late: boolean;
}

const TOO_LATE: TooLateError["code"] = "ERR_TOO_LATE";

export const keyOf = ({ write, stream }: LeasedStream): string => `${write}/${hex0x(stream.id)}`;

/** Finds the stream of each reading among those that the gateway's leases cover now. */
export class Routes {
  readonly #byChannel = new Map<string, Open[]>();
  readonly #admit = new Map<string, Admit | MedSealError>();
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    for (const leased of gateway.streams()) {
      const open = { leased, key: keyOf(leased), stream: hex0x(leased.stream.id) };
      for (const channel of leased.stream.channels) {
        const others = this.#byChannel.get(channelKey(channel));
        if (others) others.push(open);
        else this.#byChannel.set(channelKey(channel), [open]);
      }
    }
  }

  route(device: Device, { readings }: FeedMessage): Routed {
    const groups = new Map<string, Group & { readonly observations: Observation[] }>();
    const oldest = new Map<string, number>();
    const notTaken: NotTaken[] = [];
    const late: number[] = [];
    for (const [index, reading] of readings.entries()) {
      if (!isReading(reading)) {
        notTaken.push({ index, code: reading.code });
        continue;
      }
      const found = this.#streamOf(device, reading);
      if (typeof found === "string") {
        notTaken.push({ index, code: found });
        continue;
      }
      const { leased, key, stream, late: isLate } = found;
      const name = isLate ? `${key}/late` : key;
      const group = groups.get(name);
      if (group) group.observations.push(reading);
      else
        groups.set(name, { write: leased.write, stream, ...(isLate ? { late: true } : {}), observations: [reading] });
      const epoch = epochOf(reading.time, leased.stream.epochLength);
      if (isLate) late.push(index);
      else oldest.set(key, Math.min(oldest.get(key) ?? Infinity, epoch));
    }
    return { groups: [...groups.values()], oldest, notTaken, late };
  }

  /** The one stream that may take the reading, or the code that says why there is none. */
  #streamOf({ write }: Device, observation: Observation): Route | string {
    const all = this.#byChannel.get(channelKey(observation.channel)) ?? [];
    const bound = write === undefined ? all : all.filter(({ leased }) => leased.write === write);
    let why = "ERR_NO_LEASE";
    const [open, late]: [Open[], Open[]] = [[], []];
    for (const one of bound) {
      const refusal = this.#refusal(one, observation);
      if (refusal === undefined) open.push(one);
      else if (refusal === TOO_LATE && this.#gateway.takesLate(one.leased)) late.push(one);
      else why = refusal;
    }
    const [first, ...more] = open.length > 0 ? open : late;
    if (!first) return why;
    // A patient may have given leave twice for one stream; two patients have two streams.
    const other = more.some(({ stream }) => stream !== first.stream);
    return other ? "ERR_WHOSE" : { ...first, late: open.length === 0 };
  }

  #refusal({ leased, key }: Open, observation: Observation): string | undefined {
    try {
      let admit = this.#admit.get(key);
      if (!admit) this.#admit.set(key, (admit = this.#admission(leased)));
      if (admit instanceof MedSealError) return admit.code;
      admit(observation);
      return undefined;
    } catch (error) {
      if (error instanceof MedSealError) return error.code;
      throw error;
    }
  }

  #admission(leased: LeasedStream): Admit | MedSealError {
    try {
      return this.#gateway.admission(leased);
    } catch (error) {
      if (error instanceof MedSealError) return error;
      throw error;
    }
  }
}
