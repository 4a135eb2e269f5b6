import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { EXIT, MalformedError, MedSealError } from "../../src/errors.ts";
import { isAbsent } from "../../src/files/durable.ts";
import type { IntakeRow } from "../../src/intake/types.ts";
import { parseInstant } from "../../src/observation/instant.ts";
import type { Status } from "../../src/alerts/state.ts";
import { Deliverer, type Channel } from "../../src/monitor/delivery.ts";
import type { Fed } from "../../src/monitor/desk-state.ts";
import type { Desk } from "../../src/monitor/desk.ts";
import { parseFeed } from "../../src/monitor/feed.ts";
import type { SignedPlan } from "../../src/monitor/plan.ts";
import { sealDue } from "../../src/monitor/sealing.ts";
import { openAnswer } from "./answers.ts";
import { STATUS_WORDS } from "./silences.ts";
import { Raising } from "./raising.ts";
import type { Standings } from "./standings.ts";
import type { AsGateway } from "./gateway.ts";
import type { Io } from "./io.ts";

export interface WatchDeps {
  readonly desk: Desk;
  readonly channels: readonly Channel[];
  readonly as: AsGateway;
  readonly io: Io;
  /** Folder in which sealed answers arrive. */
  readonly answers: string | undefined;
  /** What the chain says of where readings come from. */
  readonly standings: Standings;
  /** Milliseconds between two checkpoints; undefined for none. */
  readonly anchorEvery: number | undefined;
}

const SECOND = 1000;
/** Milliseconds between two rounds of sealing. */
const SEAL = 10_000;
/** Milliseconds between two rounds of writing down what was evaluated. */
const STATE = 50;
/** Milliseconds in one go for writing down what was evaluated: alerts come first. */
const SPARE = 5;

/** Milliseconds between two looks at the chain for what pauses or ends. */
const LOOK = 5000;

/** What runs beside the gateway: readings in, notices out, entries sealed. */
export class Watch {
  readonly #deps: WatchDeps;
  readonly #deliverer: Deliverer;
  readonly #raising: Raising;
  #raises: Promise<void> | undefined;
  #raised = -Infinity;
  #last: Promise<unknown> = Promise.resolve();
  #sealing = false;
  #stated = 0;
  #statedAt = 0;
  #sealed = 0;
  #looked = -Infinity;
  #looking = false;
  readonly #shown = new Map<string, Status>();
  #anchored = 0;
  #counts = { readings: 0, notices: 0, refused: 0, checkpoints: 0 };
  readonly #broken = Promise.withResolvers<never>();

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    // Whoever waits hears of it; a recording looks for itself.
    this.#broken.promise.catch(() => undefined);
    const failed = (channel: string, error: unknown): void => {
      const { message, hint } = error instanceof MedSealError ? error : { message: "not delivered", hint: undefined };
      deps.io.note(`${channel}: ${message}; it is tried again${hint === undefined ? "" : ` (${hint})`}`);
    };
    const works = (channel: string): void => deps.io.note(`${channel}: works again`);
    this.#raising = new Raising(deps.desk, deps.as, (work) => this.#inTurn(work));
    this.#deliverer = new Deliverer({ desk: deps.desk, channels: deps.channels, failed, works }, (work) =>
      this.#inTurn(work),
    );
  }

  /** Brings on chain what plans want there, beside everything else: no notice waits for a block. */
  #raise(): Promise<void> {
    if (performance.now() < this.#raised + LOOK) return Promise.resolve();
    this.#raises ??= this.#raising
      .work()
      .catch((error: unknown) => {
        if (!(error instanceof MedSealError)) this.#broken.reject(error);
        else this.#deps.io.note(`not on chain yet: ${error.message}; it is tried again`);
      })
      .finally(() => {
        this.#raises = undefined;
        this.#raised = performance.now();
      });
    return this.#raises;
  }

  get counts(): Readonly<Record<"readings" | "notices" | "refused" | "checkpoints", number>> {
    return this.#counts;
  }

  /** Takes up what an earlier process left. */
  start(now: number): void {
    this.#deps.desk.resume(now);
    this.#deliverer.start();
  }

  /** @throws what the journal throws: then nothing more is taken. */
  async take(fed: readonly Fed[], now: number, source?: string, count?: number): Promise<void> {
    const { desk } = this.#deps;
    await this.#inTurn(async () => {
      const notices = await desk.take(fed, now, source, count);
      this.#deliverer.send(notices);
      this.#counts = {
        ...this.#counts,
        readings: this.#counts.readings + fed.length,
        notices: this.#counts.notices + notices.length,
      };
    });
    if (performance.now() < this.#stated + STATE && now < this.#statedAt + SECOND) return;
    await this.#inTurn(() => desk.state(now, SPARE));
    [this.#stated, this.#statedAt] = [performance.now(), now];
  }

  /** Readings of a feed on stdin, until it ends. Whole lines that are there together are taken together. */
  async feed(input: AsyncIterable<Buffer | string>): Promise<void> {
    let [rest, number] = ["", 0];
    for await (const piece of input) {
      const lines = (rest + piece.toString()).split("\n");
      rest = lines.pop() ?? "";
      const fed = lines.flatMap((line) => this.#parsed(line, ++number));
      await this.take(fed, Date.now());
    }
    await this.take(this.#parsed(rest, number + 1), Date.now());
  }

  /** Looks at the clock, too, while readings come. @throws what broke it, as well. */
  async beating(work: Promise<void>): Promise<void> {
    const clock = setInterval(() => void this.#beat(), SECOND);
    try {
      await Promise.race([work, this.#broken.promise]);
    } finally {
      clearInterval(clock);
    }
  }

  /**
   * A recording, as if it were measured now: the clock is the recording's. Given again it goes on where it stood.
   *
   * @param speed - How many seconds of the recording pass in one; Infinity does not wait.
   */
  async replay(rows: AsyncIterable<readonly IntakeRow[]>, plan: string, source: string, speed: number): Promise<void> {
    const { desk } = this.#deps;
    let [skip, clock] = [desk.taken(source), desk.now];
    const began = { real: performance.now(), clock: 0 };
    let batch: Fed[] = [];
    const pass = async (to: number): Promise<void> => {
      if (batch.length > 0) await this.take(batch, clock, source);
      batch = [];
      // In a gap the clock goes on second by second: silence is heard by it.
      for (let at = clock + SECOND; clock > 0 && at < to; at += SECOND) await this.take([], at);
      clock = Math.max(clock, to);
      began.clock ||= clock;
      const due = began.real + (clock - began.clock) / speed;
      if (due > performance.now()) await pause(due - performance.now());
      this.#showStatuses();
      void this.#raise();
      await this.#answers();
      await this.#seal();
    };
    for await (const many of rows) {
      for (const row of many) {
        if (row.kind === "quarantined") {
          this.refuse(`${row.at.file}, line ${row.at.line}: ${row.reason}`);
          continue;
        }
        if (skip > 0) {
          skip -= 1;
          continue;
        }
        const instant = parseInstant(row.observation.time);
        const time = (instant?.seconds ?? 0) * SECOND;
        if (time > clock) await pass(time);
        batch.push({ plan, recorded: row.observation });
      }
    }
    await pass(clock + SECOND);
  }

  /** Lets so much time pass that all that was taken is written down and can be sealed. */
  async windUp(now: number): Promise<void> {
    const { desk } = this.#deps;
    const period = Math.max(...desk.plans.map(({ plan }) => plan.period));
    const end = Math.ceil(now / period) * period + 2 * period;
    for (let at = now; at <= end; at += SECOND) await this.take([], at);
    await this.#inTurn(() => desk.state(end));
  }

  /** Everything that is due, and then no more. @throws what cannot be sealed or anchored. */
  async stop(anchor: boolean): Promise<void> {
    await this.#deliverer.settle(5000);
    await this.#deliverer.stop();
    await this.#raises;
    this.#raised = -Infinity;
    await this.#raise();
    for (const signed of this.#deps.desk.plans) await this.#sealPlan(signed);
    if (anchor) this.#counts.checkpoints += (await this.#deps.as.gateway.drain()).length;
    await this.#last;
  }

  /** Once a second, whether something comes or not. */
  async #beat(): Promise<void> {
    try {
      await this.take([], Date.now());
      this.#showStatuses();
      void this.#look();
      void this.#raise();
      await this.#answers();
      await this.#seal();
    } catch (error) {
      this.#broken.reject(error);
    }
  }

  /** What pauses or ends data for good. Beside everything else: an outage of the chain stops no alert. */
  async #look(): Promise<void> {
    const { desk, standings, io } = this.#deps;
    if (this.#looking || performance.now() < this.#looked + LOOK) return;
    this.#looking = true;
    try {
      const plans = desk.watching.map(({ plan }) => plan);
      await standings.update(plans);
      const time = Date.now();
      const fed = plans.flatMap((plan) =>
        plan.sources.flatMap((source): Fed[] => {
          const report = standings.now(source, time) ?? "resumed";
          if (report === (desk.toldOf(plan.id, source) ?? "resumed")) return [];
          return [{ plan: plan.id, recorded: { report, channels: source.channels, time } }];
        }),
      );
      if (fed.length > 0) await this.take(fed, time);
    } catch (error) {
      if (!(error instanceof MedSealError)) this.#broken.reject(error);
      else io.note(`not known whether consents and devices still hold: ${error.message}`);
    } finally {
      this.#looked = performance.now();
      this.#looking = false;
    }
  }

  /** Says when a rule has no data any more, why, and when it has again. */
  #showStatuses(): void {
    const { desk, io } = this.#deps;
    for (const { plan } of desk.watching) {
      for (const [rule, status] of desk.statusesOf(plan.id)) {
        const key = `${plan.id}/${rule}`;
        const before = this.#shown.get(key) ?? "waiting";
        this.#shown.set(key, status);
        if (status !== before) io.note(`STATE ${rule} of ${plan.patient}: ${STATUS_WORDS[status]}`);
      }
    }
  }

  #parsed(line: string, number: number): Fed[] {
    if (line.trim() === "") return [];
    try {
      const { patient, recorded } = parseFeed(line);
      const plans = this.#deps.desk.watching.filter(
        ({ plan }) => patient === undefined || plan.patient === patient || plan.id.startsWith(patient),
      );
      const [found, ...more] = plans;
      if (found === undefined || more.length > 0)
        throw new MalformedError("feed", 0, found ? "several plans are of this patient" : "no plan is of this patient");
      return [{ plan: found.plan.id, recorded }];
    } catch (error) {
      if (!(error instanceof MedSealError)) throw error;
      this.refuse(`line ${number}: ${error.message}`);
      return [];
    }
  }

  /** Counts a reading that is none, and tells of the first ones. */
  refuse(why: string): void {
    this.#counts.refused += 1;
    if (this.#counts.refused <= 3) this.#deps.io.note(why);
  }

  async #answers(): Promise<void> {
    const { answers, desk, as, io } = this.#deps;
    if (answers === undefined) return;
    const files = await readdir(answers).catch((error: unknown) => {
      if (isAbsent(error)) return [];
      throw error;
    });
    for (const file of files.filter((name) => name.endsWith(".answer")).sort()) {
      const path = join(answers, file);
      let end = "done";
      try {
        const signed = await openAnswer(new Uint8Array(await readFile(path)), as.session.vault.hpke);
        const notices = await this.#inTurn(() => desk.answer(signed, Math.max(desk.now, 0)));
        this.#deliverer.send(notices);
        io.note(`${signed.answer.alert}: ${signed.answer.act}`);
      } catch (error) {
        if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
        io.note(`${file}: ${error.message}`);
        end = "refused";
      }
      await rename(path, `${path}.${end}`);
    }
  }

  /** Beside everything else: an outage of chain or store stops no alert. */
  async #seal(): Promise<void> {
    const { as, desk, io, anchorEvery } = this.#deps;
    if (this.#sealing || performance.now() < this.#sealed + SEAL) return;
    this.#sealing = true;
    this.#sealed = performance.now();
    try {
      for (const signed of desk.plans) await this.#sealPlan(signed);
      if (anchorEvery !== undefined && performance.now() > this.#anchored + anchorEvery) {
        if (this.#anchored > 0) this.#counts.checkpoints += (await as.gateway.checkpoint()).length;
        this.#anchored = performance.now();
      }
    } catch (error) {
      if (!(error instanceof MedSealError)) throw error;
      io.note(`not sealed yet: ${error.message}`);
    } finally {
      this.#sealing = false;
    }
  }

  #sealPlan(signed: SignedPlan): Promise<number> {
    return sealDue(this.#deps.desk, this.#deps.as.gateway, signed, (work) => this.#inTurn(work));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
