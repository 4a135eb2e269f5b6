import { now as clock, type Now } from "../bytes/random.ts";
import type { Hex } from "../consent/consent.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { Journal } from "../state/journal.ts";
import type { Rows } from "../state/rows.ts";
import type { Source } from "./config.ts";
import { Forwarder, type ForwardOptions, type MonitorStanding } from "./forward.ts";
import { Intake, type Answer, type IntakeEvents } from "./intake.ts";
import { Levels, type Fate, type Reached } from "./levels.ts";
import { quarantineOf, type Quarantined } from "./quarantine.ts";
import { Sealing } from "./sealing.ts";
import { FeedJournal, type DeviceState } from "./state.ts";

export interface FeedDeps {
  /** Of the gateway's own journal: what is stored here is sealed there, and neither may be lost without the other. */
  readonly rows: Rows;
  /** The key that the gateway's journal is sealed under. */
  readonly secret: Uint8Array;
  /** Seconds that a device's clock may differ. */
  readonly skew: number;
  /** Seconds after its end at which an epoch is said to be complete. */
  readonly grace: number;
  /** @throws DiskFullError. */
  readonly room: () => Promise<void>;
  /** Time of a block, in unix seconds. */
  readonly timeOf: (block: number) => Promise<number>;
  readonly events: Omit<IntakeEvents, "arriving"> & {
    held(readings: number, code: string): void;
    reached(reached: Reached): void;
  };
  /** A monitor that gets what was stored. */
  readonly monitor?: ForwardOptions | undefined;
  readonly now?: Now;
}

interface Parts {
  readonly intake: Intake;
  readonly sealing: Sealing;
  readonly levels: Levels;
  readonly forwarder: Forwarder | undefined;
}

/** Readings from live sources: stored as they come, sealed by the gateway, followed until they are anchored. */
export class Feed {
  readonly #journal: FeedJournal;
  readonly #deps: FeedDeps;
  #parts: Parts | undefined;

  /** @throws JournalFailedError. */
  constructor(deps: FeedDeps) {
    this.#deps = deps;
    this.#journal = new FeedJournal(new Journal(deps.rows, deps.secret));
  }

  /** Tells the gateway which keys are still needed: one of the gateway's dependencies. Before `open` all are. */
  readonly oldestWaiting = (write: Hex, stream: Uint8Array): number =>
    this.#parts === undefined ? 0 : this.#parts.sealing.oldestWaiting(write, stream);

  /** Once the gateway is there. */
  open(gateway: Gateway): void {
    const { events, now = clock, skew, grace, room, timeOf, monitor } = this.#deps;
    const forwarder = monitor && new Forwarder(this.#journal, gateway, now, monitor);
    const held = events.held.bind(events);
    const needed = forwarder && (() => forwarder.needed());
    const sealing = new Sealing(this.#journal, { gateway, now, grace, held, needed });
    const levels = new Levels(this.#journal, { gateway, now, timeOf, reached: (reached) => events.reached(reached) });
    const intake = new Intake(this.#journal, {
      gateway,
      now,
      skew,
      room,
      levelOf: (place) => levels.of(place),
      events: {
        ...events,
        arriving: (oldest) => sealing.arriving(oldest),
        stored(...row) {
          events.stored(...row);
          forwarder?.stored();
        },
      },
    });
    this.#parts = { intake, sealing, levels, forwarder };
  }

  /** Passes on to the monitor what is stored, until it is told to stop. */
  async forward(stop: AbortSignal): Promise<void> {
    await this.#running.forwarder?.run(stop);
  }

  /** How the monitor does, if there is one. */
  get monitor(): MonitorStanding | undefined {
    return this.#parts?.forwarder?.standing;
  }

  /** Takes one line of a source. What is answered `stored` is lost no more. Never fails. */
  take(source: Source, line: Uint8Array): Promise<Answer> {
    return this.#running.intake.take(source, line);
  }

  /** Seals what waits; again after a failure. @returns how many messages. */
  seal(): Promise<number> {
    return this.#running.sealing.seal();
  }

  /** Finds out what has been anchored by now. */
  update(): Promise<void> {
    return this.#running.levels.update();
  }

  /** Resolves when every line that came has its answer. */
  idle(): Promise<void> {
    return this.#running.intake.idle();
  }

  fateOf(device: string, counter: number): Fate | undefined {
    return this.#running.levels.fateOf(device, counter);
  }

  deviceOf(name: string): DeviceState | undefined {
    return this.#journal.seen.device(name);
  }

  /** Messages: taken, not sealed yet, sealed and not anchored yet; and rows in quarantine. */
  get counts(): { messages: number; unsealed: number; underWay: number; quarantined: number } {
    const { position, cuts } = this.#journal.state;
    const [first] = cuts.entries();
    return {
      messages: position.next,
      unsealed: position.next - position.uncut,
      underWay: position.uncut - Math.min(position.uncut, first ? first[1].from : position.uncut),
      quarantined: position.kept,
    };
  }

  /** What stands in quarantine, oldest first. Health data: for who may see it. */
  *quarantine(): Generator<Quarantined> {
    for (const [, row] of quarantineOf(this.#journal)) yield row;
  }

  get #running(): Parts {
    if (!this.#parts) throw new Error("the feed has no gateway yet");
    return this.#parts;
  }
}
