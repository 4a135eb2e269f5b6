import { statfs } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { now as clock, type Now } from "../bytes/random.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { TwinRows } from "../state/twin.ts";
import type { GatewayConfig } from "./config.ts";
import { DiskFullError } from "./errors.ts";
import { Feed } from "./feed.ts";
import type { ForwardOptions, MonitorStanding } from "./forward.ts";
import type { Log } from "./log.ts";
import { gatewayMetrics } from "./numbers.ts";
import { FeedServer } from "./server.ts";
import type { Spool } from "./spool.ts";
import { Sums } from "./sums.ts";
import { isFatal, STEPS, Steps, type Step } from "./steps.ts";
import type { DeviceState } from "./state.ts";
import { Web } from "./web.ts";

export interface ServiceDeps {
  readonly config: GatewayConfig;
  readonly rows: TwinRows;
  readonly secret: Uint8Array;
  /** A folder on the disk that the journal lies on. */
  readonly disk: string;
  readonly log: Log;
  /** What the configuration's monitor is shown. */
  readonly credential?: string | undefined;
  readonly timeOf: (block: number) => Promise<number>;
  readonly now?: Now;
}

/** What is where; no health data. Times in unix seconds. */
export interface Status {
  readonly since: number;
  readonly problems: readonly string[];
  readonly feed: Feed["counts"];
  readonly devices: readonly (Partial<DeviceState> & { readonly source: string; readonly device: string })[];
  readonly batches: { readonly sealed: number; readonly waiting: number };
  readonly checkpoints: { readonly decided: number; readonly published: number; readonly final: number };
  readonly next: { readonly seal: number; readonly anchor: number };
  readonly last: Readonly<Record<Step, number | null>>;
  readonly monitor?: MonitorStanding | undefined;
}

/** Milliseconds between two looks for ends and at the spool; between two looks at what became final. */
const HEED = 500;
const FOLLOW = 1000;
/** Milliseconds for which the free room of the disk is taken for known. */
const ROOM_KNOWN = 500;
/** With less than so many times its reserve the disk keeps nothing for the monitor: what is refused at one time the reserve is new readings. */
const TIGHT = 2;
/** Milliseconds that sealing may take when the process is told to end; what waits is in the journal anyhow. */
const PARTING = 5000;
/** Cadences without an anchor, seconds without a look for ends, and those in which the monitor takes nothing, after which that is a problem. */
const OVERDUE = { anchor: 3, heed: 10, monitor: 10 };

/** The long-running gateway: takes readings, heeds ends, seals and anchors at its cadence, tells how it does. */
export class Service {
  readonly feed: Feed;
  readonly #deps: ServiceDeps;
  readonly #now: Now;
  readonly #metrics = gatewayMetrics();
  readonly #steps: Steps;
  readonly #stop = new AbortController();
  readonly #quarantined: Sums;
  #since: number;
  #room = { until: 0, enough: true, tight: false };
  #failure: Error | undefined;
  #server: FeedServer | undefined;
  #nextSeal = 0;
  #nextAnchor = 0;
  #anchoring: Promise<void> | undefined;

  constructor(deps: ServiceDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? clock;
    this.#since = this.#now();
    this.#steps = new Steps(deps.log, this.#now);
    const { skew, grace } = deps.config;
    const { rows, secret, timeOf, log } = deps;
    const metrics = this.#metrics;
    const quarantined = new Sums((sum) => log("warn", "feed.quarantined", sum));
    this.#quarantined = quarantined;
    this.feed = new Feed({
      rows,
      secret,
      skew,
      grace,
      timeOf,
      now: this.#now,
      room: () => this.#needRoom(),
      monitor: this.#forwarding(),
      events: {
        stored({ name }, readings, skewed) {
          metrics.add("medseal_readings_stored_total", { source: name }, readings);
          if (skewed === 0) return;
          metrics.add("medseal_messages_skewed_total", { source: name }, skewed);
          log("warn", "feed.skewed", { source: name, messages: skewed });
        },
        quarantined({ name, devices }, device, counter, code, readings) {
          metrics.add("medseal_readings_quarantined_total", { source: name, code }, readings);
          // Any other name is what a source wrote, which may be anything.
          const known = devices.some((one) => one.name === device);
          quarantined.add({ source: name, ...(known ? { device } : {}), code }, readings, { counter });
        },
        failed: (error) => {
          if (isFatal(error)) this.#fail(error);
        },
        refused: ({ name }, code) => metrics.add("medseal_messages_refused_total", { source: name, code }),
        held(readings, code) {
          metrics.add("medseal_readings_held_total", { code }, readings);
          log("error", "feed.held", { readings, code });
        },
        reached: (reached) => this.#server?.reached(reached),
      },
    });
  }

  #forwarding(): ForwardOptions | undefined {
    const { config, credential, log } = this.#deps;
    const metrics = this.#metrics;
    if (!config.monitor || credential === undefined) return undefined;
    return {
      ...config.monitor,
      credential,
      isTight: () => this.#room.tight,
      events: {
        here: (behind) => log("info", "monitor.here", { behind }),
        away: (code) => log("warn", "monitor.away", { code }),
        sent: (messages) => metrics.add("medseal_monitor_sent_total", {}, messages),
        gaveUp(messages) {
          metrics.add("medseal_monitor_given_up_total", {}, messages);
          log("error", "monitor.given-up", { messages });
        },
      },
    };
  }

  /**
   * Runs until `stop` is called.
   *
   * @throws JournalFailedError and what is a fault of the program: the process is to end, and to be started again.
   */
  async run(
    gateway: Gateway,
    spool: Spool,
    ready: (ports: { feed: number | undefined; http: number }) => void,
  ): Promise<void> {
    const { config, log, rows } = this.#deps;
    const { feed } = this;
    this.#since = this.#now();
    feed.open(gateway);
    if (rows.mended) log("error", "journal.mended", { file: rows.mended });
    const web = await Web.listen(config.http, {
      health: () => this.health(),
      metrics: () => this.#metrics.text(),
      status: () => this.status(gateway),
      message: (device, counter) => feed.fateOf(device, counter),
    });
    this.#metrics.sample(() => this.#sample(gateway));
    try {
      this.#server = await FeedServer.listen(config.feed, {
        sources: config.sources,
        take: (source, line) => feed.take(source, line),
        deviceOf: (name) => feed.deviceOf(name),
        turnedAway: (code) => {
          this.#metrics.add("medseal_turned_away_total", { code });
          log("warn", "feed.turned-away", { code });
        },
        connected: ({ name }, by) => this.#metrics.add("medseal_connections", { source: name }, by),
      });
      try {
        ready({ feed: this.#server.port, http: web.port });
        log("info", "gateway.started", { seal: config.seal, anchor: config.anchor });
        await this.#loops(gateway, spool);
      } finally {
        await this.#server.close();
      }
      await this.#part();
    } finally {
      await web.close();
      this.#quarantined.end();
    }
    log("info", "gateway.stopped");
  }

  /** Takes no more readings, seals what is there if chain and time allow, and ends `run`. */
  stop(): void {
    this.#stop.abort();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.stop();
  }

  health(): readonly string[] {
    const { config } = this.#deps;
    const problems = this.#steps.troubles.map(([step, code]) => `${step}: ${code}`);
    const overdue = (step: Step, most: number): boolean =>
      this.#now() - (this.#steps.lastSuccess(step) ?? this.#since) > most;
    if (overdue("heed", OVERDUE.heed)) problems.push(`heed: not through for ${OVERDUE.heed} seconds`);
    if (overdue("anchor", OVERDUE.anchor * config.anchor)) problems.push("no checkpoint for three cadences");
    if (!this.#room.enough) problems.push("the disk is full");
    const { monitor } = this.feed;
    if (monitor?.since !== undefined && this.#now() - monitor.since > OVERDUE.monitor)
      problems.push(`monitor: ${monitor.connected ? "" : "away, "}${monitor.behind} messages behind`);
    return problems;
  }

  status(gateway: Gateway): Status {
    const { arrived, waiting, decided, published, final } = gateway.whereabouts;
    const { config } = this.#deps;
    return {
      since: this.#since,
      problems: this.health(),
      feed: this.feed.counts,
      devices: config.sources.flatMap(({ name: source, devices }) =>
        devices.map(({ name }) => ({ source, device: name, ...this.feed.deviceOf(name) })),
      ),
      batches: { sealed: arrived, waiting },
      checkpoints: { decided, published, final },
      next: { seal: this.#nextSeal, anchor: this.#nextAnchor },
      last: {
        heed: this.#steps.lastSuccess("heed") ?? null,
        seal: this.#steps.lastSuccess("seal") ?? null,
        anchor: this.#steps.lastSuccess("anchor") ?? null,
        follow: this.#steps.lastSuccess("follow") ?? null,
      },
      monitor: this.feed.monitor,
    };
  }

  async #loops(gateway: Gateway, spool: Spool): Promise<void> {
    const loops = [
      this.#every(HEED, () => this.#steps.run("heed", () => this.#heed(gateway, spool))),
      this.#every(FOLLOW, () => this.#steps.run("follow", () => this.#follow(gateway))),
      this.#cadence(gateway),
      ...(this.feed.monitor ? [this.feed.forward(this.#stop.signal)] : []),
    ];
    // The first that fails ends the others.
    await Promise.all(loops.map((loop) => loop.finally(() => this.stop())));
    await this.#anchoring;
    if (this.#failure) throw this.#failure;
  }

  async #heed(gateway: Gateway, spool: Spool): Promise<void> {
    await spool.take();
    const retired = await gateway.retireEnded();
    if (retired === 0) return;
    this.#metrics.add("medseal_generations_retired_total", {}, retired);
    this.#deps.log("info", "consent.ended", { retired });
  }

  async #follow(gateway: Gateway): Promise<void> {
    if (this.feed.counts.underWay > 0) await gateway.settle();
    await this.feed.update();
  }

  /** At whole multiples of the cadence, so that when a gateway was started does not show. */
  async #cadence(gateway: Gateway): Promise<void> {
    const { seal, anchor } = this.#deps.config;
    this.#nextAnchor = after(this.#now(), anchor);
    while (!this.#stop.signal.aborted) {
      this.#nextSeal = after(this.#now(), seal);
      if (!(await this.#sleep(this.#nextSeal * 1000 - Date.now()))) return;
      const sealed = await this.#steps.run("seal", () => this.feed.seal());
      // Keys that what waits needs are not forgotten, so that a checkpoint may come before it.
      if (this.#now() < this.#nextAnchor) continue;
      // Sealing goes on while a transaction waits for its block.
      this.#anchoring ??= this.#anchorOnce(gateway, sealed).finally(() => (this.#anchoring = undefined));
    }
  }

  async #anchorOnce(gateway: Gateway, sealed: boolean): Promise<void> {
    try {
      const anchored = await this.#steps.run("anchor", () => this.#anchor(gateway));
      if (anchored && sealed) this.#nextAnchor = after(this.#now(), this.#deps.config.anchor);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  async #anchor(gateway: Gateway): Promise<void> {
    for (const { receipt, own, size } of await gateway.checkpoint()) {
      // Without a receipt the head tells that it is anchored, and nobody what it cost.
      const gas = receipt && Number(receipt.gasUsed);
      this.#metrics.add("medseal_gas_total", {}, gas ?? 0);
      this.#deps.log("info", "checkpoint.anchored", { batches: own.length, entries: size, ...(gas ? { gas } : {}) });
    }
    await this.feed.update();
  }

  /** What came is sealed once more if that can be done at once; nothing is lost if not. */
  async #part(): Promise<void> {
    await Promise.race([this.#steps.run("seal", () => this.feed.seal()), pause(PARTING)]);
  }

  async #every(milliseconds: number, work: () => Promise<unknown>): Promise<void> {
    do await work();
    while (await this.#sleep(milliseconds));
  }

  /** @returns false when the service is to stop. */
  async #sleep(milliseconds: number): Promise<boolean> {
    await pause(Math.max(0, milliseconds), undefined, { signal: this.#stop.signal }).catch(() => undefined);
    return !this.#stop.signal.aborted;
  }

  /** @throws DiskFullError. */
  async #needRoom(): Promise<void> {
    if (Date.now() >= this.#room.until) {
      const { bavail, bsize } = await statfs(this.#deps.disk);
      const { reserve } = this.#deps.config;
      const enough = bavail * bsize >= reserve;
      if (enough !== this.#room.enough) this.#deps.log(enough ? "info" : "error", "disk.room", { enough });
      this.#room = { until: Date.now() + ROOM_KNOWN, enough, tight: bavail * bsize < TIGHT * reserve };
    }
    if (!this.#room.enough) throw new DiskFullError();
  }

  #sample(gateway: Gateway): void {
    const { unsealed, underWay } = this.feed.counts;
    const { arrived, waiting, decided, final } = gateway.whereabouts;
    const { commits, seconds } = this.#deps.rows.spent;
    this.#metrics.set("medseal_journal_commits_total", commits);
    this.#metrics.set("medseal_journal_commit_seconds_total", seconds);
    this.#metrics.set("medseal_batches_sealed_total", arrived);
    this.#metrics.set("medseal_messages_unsealed", unsealed);
    this.#metrics.set("medseal_messages_under_way", underWay);
    this.#metrics.set("medseal_batches_waiting", waiting);
    this.#metrics.set("medseal_checkpoints_decided", decided);
    this.#metrics.set("medseal_checkpoints_final", final);
    const { monitor } = this.feed;
    if (monitor) {
      this.#metrics.set("medseal_monitor_connected", monitor.connected ? 1 : 0);
      this.#metrics.set("medseal_monitor_behind", monitor.behind);
    }
    for (const step of STEPS)
      this.#metrics.set("medseal_last_success_seconds", this.#steps.lastSuccess(step) ?? 0, { step });
  }
}

/** The next whole multiple of a cadence. */
const after = (time: number, cadence: number): number => (Math.floor(time / cadence) + 1) * cadence;
