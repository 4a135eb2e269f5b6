import { equal, hex0x } from "../bytes/bytes.ts";
import type { Now } from "../bytes/random.ts";
import { ACTIONS } from "../consent/actions.ts";
import type { Hex } from "../consent/consent.ts";
import { linkOf, type Link } from "../consent/scope.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import { ReleaseRefusedError, UnknownError } from "./errors.ts";
import type { ConsentRecord, Generation, PatientState, StreamState } from "./state.ts";

/** A patient's streams and consents, and how these stand by what the patient signed and what the chain says. Changes nothing. */
export class Consents {
  readonly #state: PatientState;
  readonly #watch: ConsentWatch;
  readonly #now: Now;

  constructor(state: PatientState, watch: ConsentWatch, now: Now) {
    this.#state = state;
    this.#watch = watch;
    this.#now = now;
  }

  /** @throws UnknownError. */
  stream(name: string): StreamState {
    const stream = this.#state.streams.find(({ descriptor }) => descriptor.name === name);
    if (!stream)
      throw new UnknownError("no stream of this name is open", { hint: "list the open streams and check the name" });
    return stream;
  }

  /** The streams that a consent is about. */
  streamsOf(record: ConsentRecord): StreamState[] {
    return this.#state.streams.filter(({ descriptor }) => covers(record, descriptor.id));
  }

  /** @throws UnknownError. */
  named(id: Hex): ConsentRecord {
    const record = this.#state.consents.find((consent) => consent.id === id);
    if (!record)
      throw new UnknownError("no consent of this id is known", { hint: "list the consents and check the id" });
    return record;
  }

  /** By the patient's own hand, or as the chain says. */
  hasEnded({ revoked, consent, id }: ConsentRecord): boolean {
    return revoked || this.#watch.ended({ grantor: consent.grantor, id });
  }

  /** @throws ReleaseRefusedError unless keys may go out under a consent now: by its period, the patient's word and the final chain. */
  async checkInForce({ consent, id, revoked }: ConsentRecord): Promise<void> {
    const time = this.#now();
    const hint = "ask again once the grant is final and its period has begun";
    if (revoked) throw new ReleaseRefusedError("the consent was revoked", { hint: "grant a new one" });
    if (time < consent.periodStart) throw new ReleaseRefusedError("the period of the consent has not begun", { hint });
    if (time >= consent.periodEnd)
      throw new ReleaseRefusedError("the period of the consent is over", { hint: "grant a new one" });
    await this.#watch.refresh();
    if (!this.#watch.inForce({ grantor: consent.grantor, id })) {
      throw new ReleaseRefusedError("the consent is not finally in force", { hint });
    }
  }

  /** For good: its period is over, or its end is final, so that the gateway cannot take it for one in force. */
  #isOver(record: ConsentRecord): boolean {
    const { consent, id } = record;
    if (this.#now() >= consent.periodEnd) return true;
    const times = this.#watch.intervals({ grantor: consent.grantor, id });
    return this.hasEnded(record) && times.every(({ until }) => until !== undefined);
  }

  /**
   * Nobody gets keys of what a gateway may be writing now before the gateway heeds the end of their consent.
   *
   * @throws ReleaseRefusedError.
   */
  checkWatched(record: ConsentRecord): void {
    for (const { generations } of this.streamsOf(record)) {
      const watching = new Set(generations.filter((one) => heeds(one, record)).map(({ write }) => write));
      for (const { write } of generations) {
        // What is retired here a gateway leaves by the lease that names the current one, and not before.
        if (watching.has(write) || this.#isOver(this.named(write))) continue;
        throw new ReleaseRefusedError("a gateway has not confirmed that it heeds the end of this consent", {
          hint: `hand ${this.named(write).name} a new lease and confirm its receipt, or wait until the end of its leave is final`,
        });
      }
    }
  }

  /** All that the gateways write that write one of these streams: on an end a gateway leaves everything it writes under the same leave. */
  writtenWith(streams: readonly StreamState[]): Map<StreamState, Generation[]> {
    const writes = streams.flatMap(({ generations }) => generations.filter(isWritten)).map(({ write }) => write);
    const found = new Map<StreamState, Generation[]>();
    for (const stream of this.#state.streams) {
      const generations = stream.generations.filter((one) => isWritten(one) && writes.includes(one.write));
      if (generations.length > 0) found.set(stream, generations);
    }
    return found;
  }

  /** Consents that have not ended and let their grantees read or audit one of these streams. */
  readersIn(streams: readonly StreamState[]): ConsentRecord[] {
    return this.#state.consents.filter(
      (record) =>
        isReader(record) && !this.hasEnded(record) && streams.some(({ descriptor }) => covers(record, descriptor.id)),
    );
  }

  /** Consents whose grantees may hold keys of what the gateway of `writer` writes now. */
  readersOf(writer: ConsentRecord): ConsentRecord[] {
    const current = this.streamsOf(writer).flatMap(({ descriptor, generations }) =>
      generations
        .filter(({ role, write }) => role === "current" && write === writer.id)
        .map((generation) => ({ ...generation, stream: descriptor.id })),
    );
    // Ended by `revokeAll`, a consent can be granted again, get the keys, and end again.
    const neverHadIt = (record: ConsentRecord, { closedTo, watched }: Generation): boolean =>
      closedTo.includes(record.id) && !watched.includes(record.id) && this.hasEnded(record);
    return this.#state.consents.filter(
      (record) =>
        isReader(record) &&
        current.some((generation) => covers(record, generation.stream) && !neverHadIt(record, generation)),
    );
  }
}

export const link = ({ consent, streams }: ConsentRecord): Link => linkOf(consent, streams.map(hex0x));

export const covers = (record: ConsentRecord, stream: Uint8Array): boolean =>
  record.streams.some((id) => equal(id, stream));

/** By its gateway, now or after the next end of a consent. */
export const isWritten = ({ role }: Generation): boolean => role === "current" || role === "spare";

/** Whether the gateway that writes this now has confirmed that it leaves it on the end of that consent. */
const heeds = ({ role, watched }: Generation, { id }: ConsentRecord): boolean =>
  role === "current" && watched.includes(id);

export const isReader = ({ consent }: ConsentRecord): boolean =>
  (consent.actions & (ACTIONS.READ | ACTIONS.AUDIT)) !== 0;
