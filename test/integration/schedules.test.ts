import { expect } from "chai";
import { hex0x } from "../../src/bytes/bytes.ts";
import { consentId } from "../../src/consent/consent.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import { MedSealError } from "../../src/errors.ts";
import type { GatewayDeps } from "../../src/gateway/deps.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { retireEnded, writable } from "../../src/gateway/leases.ts";
import { GatewayState } from "../../src/gateway/state.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import { Journal } from "../../src/state/journal.ts";
import { openRig, outside, PaperRows, PaperWatch, PLACE, type Outside, type PaperParty, type Rig } from "./rig.ts";
import { EPOCH, EPOCHS, START, STREAM } from "./ward.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "schedules";
const SCHEDULES = Number(process.env["MEDSEAL_SCHEDULES"] ?? 10);
const STEPS = 80;
const SECOND = "second stream";

/** A gateway with its leave to write, its own view of the chain, and the leases on their way to it. */
interface Site {
  readonly write: ConsentRecord;
  readonly watch: PaperWatch;
  readonly at: Outside;
  readonly deps: GatewayDeps;
  readonly gateway: Gateway;
  readonly sent: Uint8Array[];
  readonly receipts: Uint8Array[];
}

/**
 * Two gateways write one stream, one of them a second one too. Leases come in any order, again, or never; so do receipts. Patient and
 * gateways see an end at different times, or take it back with a reorganisation; ends that are final all see, and what `revokeAll` ended
 * is granted again. Clocks are wrong by some minutes and are set.
 */
class World {
  readonly rig: Rig;
  readonly sites: readonly Site[];
  readonly readers: ConsentRecord[] = [];
  /** Who holds keys of which generation: `consent/stream/generation`. */
  readonly held = new Set<string>();
  readonly count = { released: 0, refused: 0, watched: 0, moves: 0, regranted: 0 };
  readonly #lee: PaperParty;
  readonly #draw: (bound: number) => number;
  #block = START + 1000;
  /** By how much the clocks of patient and gateways are ahead of the chain's, in seconds. */
  #ahead = 0;

  constructor(rig: Rig, sites: readonly Site[], lee: PaperParty) {
    this.rig = rig;
    this.sites = sites;
    this.#lee = lee;
    const bytes = rig.draw("schedule");
    this.#draw = (bound) => Buffer.from(bytes(4)).readUInt32BE(0) % bound;
  }

  async step(): Promise<void> {
    const acts = [
      ...many(2, () => this.#admit()),
      ...many(4, () => this.#lease(this.#of(this.sites) as Site)),
      ...many(5, () => this.#deliver(this.#of(this.sites) as Site)),
      ...many(5, () => this.#confirm(this.#of(this.sites) as Site)),
      ...many(4, () => this.#renew()),
      ...many(10, () => this.#release()),
      ...many(3, () => this.#end(this.#of(this.readers))),
      ...many(1, () => this.#end(this.#of(this.sites)?.write)),
      ...many(4, () => this.#lift(this.#of([...this.readers, ...this.sites.map(({ write }) => write)]))),
      ...many(2, () => this.#move()),
      ...many(2, () => void (this.#ahead = this.#draw(1600) - 800)),
      ...many(4, () => this.#of(this.sites)?.gateway.retireEnded()),
    ];
    this.#block += this.#draw(20);
    this.rig.ways.time = this.#block + this.#ahead;
    await (this.#of(acts) as () => void | Promise<unknown>)();
  }

  /** For every generation that a gateway would write next: every end that concerns it makes the gateway leave it. */
  async check(as: string): Promise<void> {
    for (const { at, deps, write, watch } of this.sites) {
      // On a copy: the gateway itself may sleep.
      const journal = new Journal(new PaperRows(at.rows.rows), deps.keys.secret);
      const state = new GatewayState(journal);
      await journal.write(() => void retireEnded(state, watch, this.rig.ways.time));
      for (const stream of write.streams) {
        const next = attempt(() => writable(state, write.id, stream, watch, this.rig.ways.time));
        if (!next) continue;
        const { lease, keys } = next;
        const named = keys.role === "current" ? lease.retiredBy.map(({ id }) => id) : [];
        for (const { id } of this.readers) {
          if (!this.held.has(`${id}/${hex0x(stream)}/${keys.generation}`)) continue;
          expect(named, as).to.include(id);
          this.count.watched += 1;
        }
      }
    }
  }

  #admit(): void {
    const streams = [[STREAM], [SECOND], [STREAM, SECOND]][this.#draw(3)] as string[];
    const actions = [["READ"], ["AUDIT"], ["READ", "AUDIT"]][this.#draw(3)] as ("READ" | "AUDIT")[];
    const record = this.rig.patient.draft({ to: this.#lee.party, streams, actions, ...TERMS });
    for (const watch of this.#views()) watch.granted.add(record.id);
    this.readers.push(record);
  }

  async #renew(): Promise<void> {
    for (const site of this.sites) {
      await this.#lease(site);
      await this.#deliver(site);
      this.#confirm(site);
    }
  }

  async #lease(site: Site): Promise<void> {
    const made = await unlessRefused(this.rig.patient.lease(site.write.id, "a patient"));
    if (made) site.sent.push(made.envelope);
  }

  async #deliver(site: Site): Promise<void> {
    // Mostly the newest, sometimes an old one again.
    const envelope = this.#draw(4) > 0 ? site.sent.at(-1) : this.#of(site.sent);
    const lease = envelope && (await unlessRefused(site.gateway.acceptLease(envelope)));
    if (lease) site.receipts.push(receiptOf(lease));
  }

  #confirm({ receipts }: Site): void {
    const receipt = this.#draw(4) > 0 ? receipts.at(-1) : this.#of(receipts);
    if (receipt) attempt(() => this.rig.patient.confirmLease(receipt));
  }

  async #release(): Promise<void> {
    const reader = this.#of(this.readers);
    if (!reader) return;
    const envelopes = await unlessRefused(this.rig.patient.release(reader.id, "a patient"));
    this.count[envelopes ? "released" : "refused"] += 1;
    for (const envelope of envelopes ?? []) {
      const release = await openEnvelope(envelope, this.#lee.hpke, PLACE);
      expect(consentId(release.chain[0]!.consent)).to.equal(reader.id);
      for (const { stream, generation } of release.keys)
        this.held.add(`${reader.id}/${hex0x(stream.id)}/${generation}`);
    }
  }

  /** Only signed; or seen by one or the other; or final for all. */
  #end(record: ConsentRecord | undefined): void {
    if (!record) return;
    const { id } = record;
    if (this.#draw(4) === 0) this.rig.patient.markRevoked(id);
    const final = this.#draw(2) === 0;
    for (const watch of this.#views()) {
      if (!final && this.#draw(2) === 0) continue;
      if (final) watch.recent.delete(id);
      else if (!watch.endedIds.has(id)) watch.recent.add(id);
      watch.endedIds.add(id);
    }
  }

  /** A reorganisation takes an end back, or what had ended for good is granted again. */
  #lift(record: ConsentRecord | undefined): void {
    if (!record) return;
    const { id } = record;
    const wasFinal = this.#views().some((watch) => watch.endedIds.has(id) && !watch.recent.has(id));
    for (const watch of this.#views()) {
      watch.endedIds.delete(id);
      watch.recent.delete(id);
      if (wasFinal) watch.before.set(id, this.#block);
    }
    if (!wasFinal) return;
    this.count.regranted += 1;
    // The new grant takes its time to be final.
    this.#block += 2000;
  }

  async #move(): Promise<void> {
    await this.rig.patient.moveToSpare([this.#of([STREAM, SECOND]) as string]);
    this.count.moves += 1;
  }

  #views(): PaperWatch[] {
    return [this.rig.watch, ...this.sites.map(({ watch }) => watch)];
  }

  #of<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[this.#draw(list.length)];
  }
}

const TERMS = {
  purpose: "TREAT",
  periodStart: START,
  periodEnd: START + 86_400,
  dataStart: START,
  dataEnd: START + EPOCHS * EPOCH,
};

async function openSchedule(seed: string): Promise<World> {
  const rig = await openRig(seed);
  const { channels } = rig.stream;
  rig.patient.openStream({ name: SECOND, channels, epochLength: EPOCH, batchClass: 0 });
  const other = await rig.newParty("second gateway");
  const terms = { to: other.party, streams: [STREAM, SECOND], ...TERMS };
  const both = await rig.patient.authorizeGateway(terms);
  rig.watch.granted.add(both.id);
  const site = (write: ConsentRecord, party: PaperParty): Site => {
    const at = outside();
    const watch = new PaperWatch();
    for (const { id } of [rig.write, both]) watch.granted.add(id);
    const own = rig.deps(at);
    const deps = { ...own, watch, address: party.party.address, keys: { ...own.keys, hpke: party.hpke } };
    return { write, watch, at, deps, gateway: new Gateway(deps), sent: [], receipts: [] };
  };
  return new World(rig, [site(rig.write, rig.gateway), site(both, other)], await rig.newParty("Dr Lee"));
}

describe("random schedules of two gateways", () => {
  it(`${SCHEDULES} of them: nobody holds keys of what a gateway writes whose end it would not heed (MEDSEAL_SEED=${SEED})`, async () => {
    const sum = { released: 0, refused: 0, watched: 0, moves: 0, regranted: 0 };
    for (let round = 0; round < SCHEDULES; round++) {
      const world = await openSchedule(`${SEED} ${round}`);
      for (let step = 0; step < STEPS; step++) {
        await world.step();
        await world.check(`round ${round}, step ${step}`);
      }
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += world.count[name];
    }
    console.log(`      ${JSON.stringify(sum)}`);
    expect(Math.min(...Object.values(sum)), "so that the test can fail").to.be.greaterThan(SCHEDULES / 2);
  }).timeout(600_000);
});

const many = <T>(count: number, act: T): T[] => new Array<T>(count).fill(act);

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof MedSealError)) throw error;
    return undefined;
  }
}

const unlessRefused = <T>(work: Promise<T>): Promise<T | undefined> =>
  work.catch((error: unknown) => {
    if (!(error instanceof MedSealError)) throw error;
    return undefined;
  });
