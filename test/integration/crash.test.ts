import { expect } from "chai";
import { equal, hex } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import type { OpenedBatch } from "../../src/archive/batches.ts";
import { Archive } from "../../src/archive/archive.ts";
import type { GatewayDeps } from "../../src/gateway/deps.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { GatewayState } from "../../src/gateway/state.ts";
import { mayBeMine } from "../../src/log/mail.ts";
import { Journal } from "../../src/state/journal.ts";
import { gatewayAnchor } from "../../src/gateway/anchor.ts";
import { chance, freshSeed } from "../../scripts/deep/chance.ts";
import { placeOf } from "../../scripts/demo/world.ts";
import { anchoredCheckpoints } from "../../src/chain/anchor.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import { HpkeOpenError } from "../../src/seal/hpke.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import { handLease } from "../../scripts/demo/patient.ts";
import { failureOf } from "./times.ts";
import {
  copyOf,
  PaperRows,
  openRig,
  outside,
  PLACE,
  record,
  recordOf,
  type Outside,
  type PaperParty,
  type Rig,
} from "./rig.ts";
import { EPOCH, openWard, reading } from "./ward.ts";

/** The first crashes after which all second ones are tried: every eighth, from a drawn one on; `MEDSEAL_CRASHES=all` for each. */
const EVERY = process.env["MEDSEAL_CRASHES"] === "all" ? 1 : 8;
const SEED = process.env["MEDSEAL_SEED"] ?? freshSeed();
const FROM = chance(SEED, "second crashes").int(EVERY);

/** The process is gone, or what it asked did not answer. */
class Crash extends Error {}

/** `half`: of several blocks the first half was stored; elsewhere the same as `before`. */
const MOMENTS = ["before", "half", "after"] as const;
type Moment = (typeof MOMENTS)[number];

/** Lets calls through until one that fails; afterwards lets everything through again. */
class Trouble {
  calls = 0;
  #armed = true;
  readonly #at: number;
  readonly #moment: Moment;

  constructor(at: number, moment: Moment) {
    this.#at = at;
    this.#moment = moment;
  }

  /** What comes from now on does not fail. */
  end(): void {
    this.#armed = false;
  }

  deps(deps: GatewayDeps): GatewayDeps {
    const rows = { load: deps.rows.load.bind(deps.rows), get: deps.rows.get.bind(deps.rows), close: () => undefined };
    const { apply } = this.#wrap({ apply: deps.rows.apply.bind(deps.rows) });
    return {
      ...deps,
      blocks: this.#wrap(deps.blocks),
      anchor: this.#wrap(deps.anchor),
      rows: { ...rows, apply },
    };
  }

  #wrap<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...given: unknown[]): Promise<unknown> => {
          const call = (...args: unknown[]): Promise<unknown> =>
            Reflect.apply(member, target, args) as Promise<unknown>;
          if (!this.#armed || this.calls++ !== this.#at) return call(...given);
          const [blocks] = given;
          if (this.#moment === "half" && name === "putMany" && Array.isArray(blocks))
            await call(blocks.slice(0, blocks.length >> 1));
          if (this.#moment === "after") await call(...given);
          throw new Crash("crash");
        };
      },
    });
  }
}

/** Runs `work` with each of its calls failing in turn, at each moment, until there is no such call any more. */
async function everyCrash(work: (trouble: Trouble, as: string) => Promise<void>): Promise<number> {
  let points = 0;
  for (const moment of MOMENTS) {
    for (let at = 0; ; at++) {
      const trouble = new Trouble(at, moment);
      await work(trouble, `call ${at}, ${moment}`);
      if (trouble.calls <= at) break;
      points += 1;
    }
  }
  return points;
}

async function survives(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof Crash) return false;
    throw error;
  }
}

/** What a process that starts now would find. */
const saved = (rig: Rig, at: Outside): GatewayState => new GatewayState(new Journal(at.rows, rig.deps(at).keys.secret));

/** A process that starts again takes up where the state ends, and anchors what waits. */
async function resume(rig: Rig, deps: GatewayDeps, at: Outside): Promise<void> {
  const gateway = new Gateway(deps);
  const { pending, mail, checkpoints } = saved(rig, at);
  const begun = checkpoints.entries().some(([, { mined }]) => mined === undefined);
  if (begun || pending.entries().length > 0 || mail.entries().length > 0) await gateway.checkpoint();
}

/** The headers follow one another without a gap, each epoch's numbers count up, and so do the signed statements. */
function expectChained(batches: readonly OpenedBatch[], as: string): void {
  batches.forEach(({ header }, i) => {
    const before = batches[i - 1];
    expect(header.sequence, `${as}: sequence`).to.equal(i);
    if (before) expect(equal(header.previous, sha256(before.headerBlock)), `${as}: previous header`).to.equal(true);
  });
  const counters = batches.flatMap(({ header }) => header.chunks.map(({ statement }) => Number(statement.counter)));
  expect(counters, `${as}: signed counters`).to.deep.equal(counters.map((_, i) => i));
}

const secondsIn = (batches: readonly OpenedBatch[]): string[] =>
  batches.flatMap(({ chunks }) => (chunks ?? []).flatMap(({ observations }) => observations.map(({ time }) => time)));

const secondsOf = (from: number, to: number): string[] =>
  Array.from({ length: (to - from) * EPOCH }, (_, i) => reading(from * EPOCH + i).time);

describe("a gateway that stops at any moment", function () {
  this.timeout(120_000);
  let rig: Rig;
  let lee: PaperParty;
  let lease: Uint8Array;

  before(async () => {
    rig = await openRig("crash");
    lee = await rig.newParty("Dr Lee");
    lease = await rig.lease(rig.write.id);
  });

  /** A gateway with a lease. */
  async function leased(): Promise<Outside> {
    const at = outside();
    await new Gateway(rig.deps(at)).acceptLease(lease);
    return at;
  }

  /** Two epochs sealed and one envelope posted, nothing anchored. */
  async function laden(): Promise<Outside> {
    const at = await leased();
    const gateway = new Gateway(rig.deps(at));
    await record(gateway, rig, 0, 2);
    const consent = rig.consent(lee);
    await gateway.post(await rig.release(consent.id), lee.party.recipient.viewKey);
    return at;
  }

  async function expectWhole(at: Outside, checkpoints: number, mails: number, as: string): Promise<void> {
    const { place } = rig.deps(at);
    const { history } = at.anchor;
    expect(new Set(history.map(({ digest }) => hex(digest))).size, `${as}: anchored once each`).to.equal(
      history.length,
    );
    expect(history, as).to.have.lengthOf(checkpoints);
    const report = await verifyArchive(place, history, (digest) => at.blocks.get(digest));
    expect(report.findings, as).to.deep.equal([]);
    expect(report.checkpoints, as).to.equal(checkpoints);
    const archive = new Archive(place, (digest) => at.blocks.get(digest));
    await archive.update(history);
    const envelopes = archive.mail.filter((row) => mayBeMine(row, lee.viewSecret)).map(({ envelope }) => hex(envelope));
    const posted = new Set(envelopes);
    expect(envelopes.length, `${as}: mail comes once`).to.equal(posted.size);
    let found = 0;
    for (const digest of posted) {
      const block = at.blocks.shelf.get(digest) as Uint8Array;
      // A row of padding has Dr Lee's view tag once in 256 times; what opens is mail.
      if (await opensFor(block, lee)) found += 1;
    }
    expect(found, `${as}: mail`).to.equal(mails);
  }

  const opened = (trouble: Trouble, at: Outside): Gateway => new Gateway(trouble.deps(rig.deps(at)));

  it("anchors each checkpoint exactly once and ends in the same bytes, wherever checkpoint() stopped", async () => {
    const start = await laden();
    const straight = await copyOf(start);
    await resume(rig, rig.deps(straight), straight);
    await expectWhole(straight, 1, 1, "no crash");
    expect(secondsIn(await recordOf(rig, straight))).to.deep.equal(secondsOf(0, 2));
    await new Gateway(rig.deps(straight)).checkpoint();

    let [first, again] = [0, 0];
    const points = await everyCrash(async (trouble, as) => {
      const at = await copyOf(start);
      if (await survives(resume(rig, trouble.deps(rig.deps(at)), at))) return;
      // The second life crashes as well, at each of its own moments; the third does not. Of all pairs, one in EVERY first ones.
      if (first++ % EVERY !== FROM) return;
      again += await everyCrash(async (second, later) => {
        const after = await copyOf(at);
        await survives(resume(rig, second.deps(rig.deps(after)), after));
        await resume(rig, rig.deps(after), after);
        // One more, so that what is final is let go of in both.
        await new Gateway(rig.deps(after)).checkpoint();
        const both = `${as}, then ${later}`;
        expect(after.rows.text, both).to.equal(straight.rows.text);
        expect(after.anchor.history, both).to.deep.equal(straight.anchor.history);
        expect(new Set(after.blocks.shelf.keys()), both).to.deep.equal(new Set(straight.blocks.shelf.keys()));
      });
    });
    console.log(`      ${points} crashes, ${again} second ones after every ${EVERY}. of them (MEDSEAL_SEED=${SEED})`);
    expect(points).to.be.greaterThan(15);
  });

  it("goes on in the same process after an outage, with more to anchor than before", async () => {
    const start = await laden();
    const points = await everyCrash(async (trouble, as) => {
      const at = await copyOf(start);
      const gateway = opened(trouble, at);
      const failed = !(await survives(gateway.checkpoint()));
      trouble.end();
      // What came meanwhile must not change a checkpoint that may be on its way to the chain.
      await record(gateway, rig, 2, 3);
      await gateway.post(await rig.release(rig.consent(lee).id), lee.party.recipient.viewKey);
      await gateway.checkpoint();
      await expectWhole(at, at.anchor.history.length, 2, as);
      expect(at.anchor.history.length, as).to.be.within(failed ? 1 : 2, 2);
      const batches = await recordOf(rig, at);
      expectChained(batches, as);
      expect(secondsIn(batches), as).to.deep.equal(secondsOf(0, 3));
    });
    expect(points).to.be.greaterThan(10);
  });

  it("loses no reading and doubles none, when the store or disk is away while it seals", async () => {
    const start = await leased();
    const points = await everyCrash(async (trouble, as) => {
      const at = await copyOf(start);
      const gateway = opened(trouble, at);
      const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: { kind: "source" } });
      // Who feeds the gateway tries again what was refused.
      for (let second = 0; second < 4 * EPOCH; second++) {
        if (!(await survives(session.add(reading(second))))) await session.add(reading(second));
      }
      if (!(await survives(session.finish()))) await session.finish();
      trouble.end();
      await gateway.checkpoint();
      const batches = await recordOf(rig, at);
      expectChained(batches, as);
      expect(secondsIn(batches), as).to.deep.equal(secondsOf(0, 4));
    });
    expect(points).to.be.greaterThan(10);
  });

  it("keeps every batch that was saved, and goes on behind it, wherever ingestion stopped", async () => {
    const start = await leased();
    const points = await everyCrash(async (trouble, as) => {
      const at = await copyOf(start);
      await survives(record(opened(trouble, at), rig, 0, 3));
      const kept = saved(rig, at).pending.entries().length;
      const next = new Gateway(rig.deps(at));
      await record(next, rig, 3, 5);
      await next.checkpoint();
      const batches = await recordOf(rig, at);
      expectChained(batches, as);
      expect(secondsIn(batches), as).to.deep.equal([...secondsOf(0, kept), ...secondsOf(3, 5)]);
      await expectWhole(at, 1, 0, as);
    });
    expect(points).to.be.greaterThan(5);
  });

  it("takes calls at once one after the other", async () => {
    const at = await leased();
    const gateway = new Gateway(rig.deps(at));
    await record(gateway, rig, 0, 2);
    const envelope = await rig.release(rig.consent(lee).id);
    await Promise.all([
      gateway.checkpoint(),
      gateway.checkpoint(),
      record(gateway, rig, 2, 4),
      gateway.post(envelope, lee.party.recipient.viewKey),
      gateway.checkpoint(),
    ]);
    await gateway.checkpoint();
    const batches = await recordOf(rig, at);
    expectChained(batches, "at once");
    expect(secondsIn(batches)).to.deep.equal(secondsOf(0, 4));
    await expectWhole(at, at.anchor.history.length, 1, "at once");
    expect(saved(rig, at).position.index).to.equal(at.anchor.history.length);
  });

  it("anchors nothing more under a key that another gateway uses too", async () => {
    const at = await leased();
    const clone = { ...at, rows: new PaperRows(at.rows.rows) };
    const [one, two] = [new Gateway(rig.deps(at)), new Gateway(rig.deps(clone))];
    await record(one, rig, 0, 1);
    await record(two, rig, 1, 2);
    await one.checkpoint();
    for (let i = 0; i < 2; i++) {
      expect(await failureOf(two.checkpoint())).to.include({ code: "ERR_FORKED", exit: 5 });
    }
    expect(await failureOf(new Gateway(rig.deps(clone)).checkpoint())).to.include({ code: "ERR_FORKED" });
    expect(at.anchor.history).to.have.lengthOf(1);
    await one.checkpoint();
    await expectWhole(at, 2, 0, "the first goes on");
  });

  it("does so on RecordAnchor: finishes what was mined and not noted, and refuses a fork", async () => {
    const ward = await openWard();
    try {
      const { world, identity, gateway } = ward;
      const rows = new PaperRows();
      const deps: GatewayDeps = {
        ...rig.deps(outside()),
        address: identity.party.address,
        place: placeOf(world, identity.party.address),
        registry: world.registry,
        blocks: world.blocks,
        anchor: gatewayAnchor(world.rpc, world.deployment, world.accounts.gateway, identity.party.address),
        watch: watchLedger(gateway.viewer.ledger),
        rows,
        keys: { ...rig.deps(outside()).keys, hpke: identity.hpke },
      };
      // The last call of a checkpoint is the save after the transaction.
      const count = new Trouble(-1, "before");
      await new Gateway(
        count.deps({ ...deps, rows: new PaperRows(), anchor: rig.deps(outside()).anchor }),
      ).checkpoint();
      // Beside it the anchor writes its transaction down, before it leaves and once the node has told its hash.
      const trouble = new Trouble(count.calls - 1 + 2, "before");
      expect(await survives(new Gateway(trouble.deps(deps)).checkpoint())).to.equal(false);
      const next = new Gateway(deps);
      const [first] = await next.checkpoint();
      expect(first).to.include({ receipt: undefined });
      const [second] = await next.checkpoint();
      expect(second?.receipt?.gasUsed).to.be.greaterThan(20_000n);
      const history = await anchoredCheckpoints(world.rpc, world.deployment, identity.party.address);
      expect(history.map(({ size }) => size)).to.deep.equal([8, 8]);

      // The ward's own gateway has the same key and a state that knows nothing of this.
      await handLease(ward.patient, ward.write.id, gateway);
      expect(await failureOf(gateway.self.checkpoint())).to.include({ code: "ERR_FORKED", exit: 5 });
    } finally {
      await ward.world.close();
    }
  });
});

async function opensFor(block: Uint8Array, { hpke }: PaperParty): Promise<boolean> {
  try {
    await openEnvelope(block, hpke, PLACE);
    return true;
  } catch (error) {
    if (error instanceof HpkeOpenError) return false;
    throw error;
  }
}
