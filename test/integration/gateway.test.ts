import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { hex0x } from "../../src/bytes/bytes.ts";
import { ChainUnavailableError } from "../../src/chain/errors.ts";
import type { AskPermission } from "../../src/chain/permission.ts";
import { ENVELOPE_CLASS, openEnvelope, sealEnvelope } from "../../src/envelope/envelope.ts";
import type { Release } from "../../src/envelope/payload.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { GatewayState } from "../../src/gateway/state.ts";
import { covers } from "../../src/keys/cover.ts";
import type { Observation } from "../../src/observation/observation.ts";
import { Journal } from "../../src/state/journal.ts";
import { sqliteRows } from "../../src/state/rows.ts";
import { openRig, outside, PLACE, record, recordOf, type Outside, type Rig } from "./rig.ts";
import { EPOCH, EPOCHS, reading, START } from "./ward.ts";
import { failureOf, iso } from "./times.ts";

const SOURCE = { kind: "source" } as const;

describe("a gateway", () => {
  let rig: Rig;
  let at: Outside;
  let gateway: Gateway;

  beforeEach(async () => {
    rig = await openRig("gateway");
    at = outside();
    gateway = new Gateway(rig.deps(at));
    await gateway.acceptLease(await lease());
  });

  const lease = async (): Promise<Uint8Array> => rig.lease(rig.write.id);
  const stateOf = (where: Outside): GatewayState =>
    new GatewayState(new Journal(where.rows, rig.deps(where).keys.secret));

  /** Values in the order of the headers. */
  async function values(): Promise<string[]> {
    const batches = await recordOf(rig, at);
    const observations = batches.flatMap(({ chunks }) => (chunks ?? []).flatMap((chunk) => chunk.observations));
    return observations.map(({ value }) => (value.kind === "quantity" ? value.decimal : value.kind));
  }

  const numbered = (second: number, value: number, time = iso(START + second)): Observation => ({
    ...reading(second),
    time,
    value: { kind: "quantity", decimal: String(value), comparator: "" },
  });

  describe("takes no lease", () => {
    /** The patient's lease with a change, sealed and signed as a lease is. */
    async function changed(change: (lease: Release) => Partial<Release>): Promise<Uint8Array> {
      const release = await openEnvelope(await lease(), rig.gateway.hpke, PLACE);
      const signer = rig.wallet.signer(rig.write.relationship);
      return sealEnvelope({ ...release, ...change(release) }, signer, rig.gateway.party.recipient, PLACE);
    }

    it("that its own change leaves as it was (so that the others can fail)", async () => {
      await gateway.acceptLease(await changed(() => ({})));
    });

    it("of a stranger for the stream of another patient", async () => {
      // A stranger who was shown the descriptor grants the gateway a WRITE consent of their own over the same stream id.
      const stranger = await openRig("stranger");
      stranger.patient.state.streams.splice(0, 1, ...structuredClone(rig.patient.state.streams));
      for (const { generations } of stranger.patient.state.streams) generations.splice(0);
      const terms = { purpose: "TREAT", periodStart: START, periodEnd: START + 86_400, streams: [rig.stream.name] };
      const window = { dataStart: START, dataEnd: START + EPOCHS * EPOCH };
      const write = await stranger.patient.authorizeGateway({ to: rig.gateway.party, ...terms, ...window });
      stranger.watch.granted.add(write.id);
      rig.watch.granted.add(write.id);
      await gateway.acceptLease(await stranger.lease(write.id));
      await record(gateway, rig, 0, 1);
      await gateway.checkpoint();
      expect(
        await values(),
        "what is given under the patient's consent opens with the patient's keys",
      ).to.have.lengthOf(EPOCH);
      expect(gateway.streams().map(({ write: id }) => id)).to.have.members([rig.write.id, write.id]);
    });

    it("with keys of a stream outside its consent, of another consent, of a retired generation, twice, or too few", async () => {
      const other = rig.patient.openStream({ ...rig.stream, name: "other" });
      const second = await rig.patient.authorizeGateway({
        to: rig.gateway.party,
        streams: [other.name],
        purpose: "TREAT",
        dataStart: START,
        dataEnd: START + EPOCHS * EPOCH,
        periodStart: START,
        periodEnd: START + 86_400,
      });
      const [foreign] = rig.patient.ownKeys(second.id);
      const cases: Record<string, (lease: Release) => Partial<Release>> = {
        stream: ({ keys }) => ({ keys: keys.map((one) => ({ ...one, stream: { ...one.stream, id: other.id } })) }),
        "another consent": ({ keys }) => ({ keys: keys.map((one) => ({ ...one, write: foreign!.write })) }),
        retired: ({ keys }) => ({ keys: keys.map((one) => ({ ...one, role: "retired" })) }),
        "no spare": ({ keys }) => ({ keys: keys.filter(({ role }) => role === "current") }),
        "two current": ({ keys }) => ({ keys: keys.map((one) => ({ ...one, role: "current" })) }),
        "no keys": () => ({ keys: [] }),
        "no data keys": ({ keys }) => ({ keys: keys.map((one) => ({ ...one, data: undefined })) }),
        "more than its scope": ({ keys }) => ({ keys: [...keys, foreign!] }),
        "dated ahead": () => ({ issuedAt: START + 901 }),
      };
      for (const [name, change] of Object.entries(cases))
        expect(await failureOf(gateway.acceptLease(await changed(change)), name)).to.include({ code: "ERR_NO_LEASE" });
    });

    it("that the registry does not permit", async () => {
      const asked: Parameters<AskPermission>[0][] = [];
      const ask: AskPermission = (question) => {
        asked.push(question);
        return Promise.resolve(false);
      };
      const strict = new Gateway({ ...rig.deps(outside()), ask });
      expect(await failureOf(strict.acceptLease(await lease()))).to.include({ code: "ERR_NO_LEASE", exit: 3 });
      expect(asked.map(({ stream }) => stream)).to.deep.equal([hex0x(rig.stream.id)]);
    });
  });

  it("gives nothing to the store before it decides on a checkpoint, so that no collection can take it", async () => {
    await record(gateway, rig, 0, 2);
    const mailed = new Uint8Array(ENVELOPE_CLASS).fill(1);
    await gateway.post(mailed, rig.gateway.party.recipient.viewKey);
    expect(at.blocks.shelf.size).to.equal(0);
    await gateway.checkpoint();
    expect(await values()).to.have.lengthOf(2 * EPOCH);
    // Another life begins with the journal alone.
    expect(stateOf(at).pending.entries()).to.deep.equal([]);
  });

  it("seals more forms of time than one batch holds", async () => {
    const offset = (minutes: number): string =>
      `+${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
    const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE });
    const count = 600;
    for (let i = 0; i < count; i++) {
      const local = iso(START + (i % EPOCH) + i * 60).replace("Z", offset(i));
      await session.add(numbered(0, i, local));
    }
    await session.finish();
    await gateway.checkpoint();
    expect(await values()).to.deep.equal(Array.from({ length: count }, (_, i) => String(i)));
  });

  it("takes readings that are added at once as if one came after the other", async () => {
    const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE });
    const seconds = Array.from({ length: 5 * EPOCH }, (_, i) => i);
    await Promise.all([...seconds.map((i) => session.add(numbered(i, i))), session.finish()]);
    await gateway.drain();
    expect(await values()).to.deep.equal(seconds.map(String));
  });

  it("takes readings backwards in time with no more than two epochs open", async () => {
    const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE });
    for (let second = EPOCHS * EPOCH - 1; second >= 0; second--) {
      await session.add(numbered(second, second));
      expect(session.oldestOpen, "what waits").to.be.within(START / EPOCH, START / EPOCH + EPOCHS - 1);
      expect(stateOf(at).pending.entries().length).to.be.at.least(EPOCHS - 2 - Math.floor(second / EPOCH));
    }
    await session.finish();
    await gateway.drain();
    expect((await values()).map(Number).sort((a, b) => a - b)).to.deep.equal(
      Array.from({ length: EPOCHS * EPOCH }, (_, i) => i),
    );
  });

  it("takes no reading of a channel that the stream does not have", async () => {
    const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE });
    const alien = { ...reading(0), channel: { ...reading(0).channel, unit: "Cel" } };
    expect(await failureOf(session.add(alien))).to.include({ code: "ERR_WRONG_CHANNEL", exit: 1 });
  });

  it("takes many readings at once but for those that it may not, and tells which", async () => {
    const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE });
    const seconds = Array.from({ length: 5 * EPOCH }, (_, i) => i);
    const alien = { ...reading(0), channel: { ...reading(0).channel, unit: "Cel" } };
    const outsideWindow = { ...reading(0), time: iso(START - 1) };
    const given = seconds.flatMap((i) => (i === 2.5 * EPOCH ? [alien, outsideWindow] : [numbered(i, i)]));
    const refused: [Observation, unknown][] = [];
    await session.addAll(given, (observation, error) =>
      refused.push([observation, (error as { code?: unknown }).code]),
    );
    await session.finish();
    await gateway.drain();
    expect(refused).to.deep.equal([
      [alien, "ERR_WRONG_CHANNEL"],
      [outsideWindow, "ERR_NO_LEASE"],
    ]);
    expect(await values()).to.deep.equal(seconds.filter((i) => i !== 2.5 * EPOCH).map(String));
  });

  it("asks again what it may write after each batch of many readings", async () => {
    const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE });
    const given = Array.from({ length: 5 * EPOCH }, (_, i) => numbered(i, i));
    rig.watch.refresh = () => {
      rig.watch.endedIds.add(rig.write.id);
      return Promise.resolve();
    };
    const refused: Observation[] = [];
    expect(await failureOf(session.addAll(given, (observation) => refused.push(observation)))).to.include({
      code: "ERR_NO_LEASE",
    });
    expect(stateOf(at).pending.entries()).to.deep.equal([]);
    expect(refused).to.deep.equal([]);
  });

  it("takes an import once, however often and however far it is given", async () => {
    const source = new Uint8Array(32).fill(9);
    const give = async (until: number, end: boolean): Promise<void> => {
      const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE, source });
      for (let second = 0; second < until; second++) await session.add(numbered(second, second));
      if (end) await session.finish();
    };
    await give(2.5 * EPOCH, false);
    gateway = new Gateway(rig.deps(at));
    await gateway.checkpoint();
    await give(4 * EPOCH, true);
    await gateway.checkpoint();
    await give(4 * EPOCH, true);
    await gateway.checkpoint();
    expect(await values()).to.deep.equal(Array.from({ length: 4 * EPOCH }, (_, i) => String(i)));
  });

  it("seals the same with worker threads as without, in the same order", async () => {
    const source = new Uint8Array(32).fill(9);
    // Enough readings in an epoch for a thread to be asked, few in another, none in a third.
    const given = [5000, 3, 0, 9000].flatMap((count, epoch) =>
      Array.from({ length: count }, (_, i) => numbered(epoch * EPOCH + Math.floor((i * EPOCH) / count), i)),
    );
    const leased = await lease();
    const sealedWith = async (threads: number): Promise<unknown> => {
      const place = outside();
      const one = new Gateway({ ...rig.deps(place), threads });
      await one.acceptLease(leased);
      const session = one.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE, source });
      await session.addAll(given, (_, error) => {
        throw error;
      });
      await session.finish();
      const pending = stateOf(place).pending.entries();
      await one.close();
      return pending;
    };
    const without = await sealedWith(0);
    expect(without).to.have.lengthOf(4);
    for (const threads of [1, 3]) expect(await sealedWith(threads), `${threads} threads`).to.deep.equal(without);
  });

  describe("when the chain takes checkpoints back", () => {
    it("anchors them again, in their order, and then goes on", async () => {
      at.anchor.unsettled = 64;
      for (let epoch = 0; epoch < 4; epoch++) {
        await record(gateway, rig, epoch, epoch + 1);
        await gateway.checkpoint();
      }
      const before = at.anchor.history.map(({ digest }) => digest);
      for (const depth of [1, 2, 4]) {
        at.anchor.history.splice(-depth);
        await record(gateway, rig, 4, 4);
        await gateway.checkpoint();
        expect(
          at.anchor.history.slice(0, 4).map(({ digest }) => digest),
          `depth ${depth}`,
        ).to.deep.equal(before);
      }
      await record(gateway, rig, 4, 5);
      await gateway.checkpoint();
      expect(await values()).to.have.lengthOf(5 * EPOCH);
    });

    it("comes to no verdict by a node that lags", async () => {
      await record(gateway, rig, 0, 1);
      await gateway.checkpoint();
      await gateway.checkpoint();
      const behind = at.anchor.copy();
      behind.history.splice(-1);
      const deps = rig.deps(at);
      const lagging = new Gateway({
        ...deps,
        anchor: {
          finalHead: () => behind.finalHead(),
          anchor: (checkpoint, expectedHead) => behind.anchor(checkpoint, expectedHead),
          head: async (atLeast) => {
            const { head, block } = await behind.head();
            if (block < atLeast) throw new ChainUnavailableError("lags");
            return { head, block };
          },
        },
      });
      expect(await failureOf(lagging.checkpoint())).to.include({ code: "ERR_CHAIN_UNAVAILABLE", exit: 4 });
    });

    it("keeps the blocks until they are final, and lets go of them then", async () => {
      at.anchor.unsettled = 64;
      await record(gateway, rig, 0, 1);
      const [{ digest } = { digest: new Uint8Array(32) }] = await gateway.checkpoint();
      const kept = (): boolean => stateOf(at).blocks.get(hex0x(digest).slice(2)) !== undefined;
      await gateway.checkpoint();
      expect(kept()).to.equal(true);
      at.anchor.unsettled = 0;
      await gateway.checkpoint();
      expect(kept()).to.equal(false);
    });
  });

  describe("forgets keys", () => {
    const opens = (epoch: number): boolean[] =>
      stateOf(at)
        .leases.entries()
        .flatMap(([, { keys }]) =>
          keys.map(({ data, audit }) => covers([...(data ?? []), ...audit], START / EPOCH + epoch)),
        );

    it("of epochs older than the lateness bound, and takes no reading of them", async () => {
      await record(gateway, rig, 0, 3);
      rig.ways.time = START + 3 * EPOCH + 100;
      gateway = new Gateway({ ...rig.deps(at), latenessBound: 100 });
      await gateway.checkpoint();
      expect([0, 1, 2, 3].map((epoch) => opens(epoch).some(Boolean))).to.deep.equal([false, false, false, true]);
      const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE });
      expect(await failureOf(session.add(reading(2 * EPOCH)))).to.include({ code: "ERR_TOO_LATE", exit: 3 });
      await session.add(reading(3 * EPOCH));
      // Nor do they come back with a renewed lease.
      await gateway.acceptLease(await lease());
      expect(opens(2)).to.not.include(true);
    });

    it("of an import's epochs once they are anchored for good", async () => {
      rig.ways.time = START + EPOCHS * EPOCH;
      await gateway.acceptLease(await lease());
      await record(gateway, rig, 0, 2);
      await gateway.checkpoint();
      expect(opens(0)).to.include(true);
      await gateway.checkpoint();
      expect([0, 1].flatMap((epoch) => opens(epoch).slice(0, 1))).to.deep.equal([false, false]);
      expect(opens(2)).to.deep.equal([true, true]);
    });

    it("of an open session never", async () => {
      const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: SOURCE });
      await session.add(reading(0));
      rig.ways.time = START + 30 * EPOCH;
      const bound = { latenessBound: 0 };
      await gateway.checkpoint();
      expect(opens(0)).to.include(true);
      await session.finish();
      gateway = new Gateway({ ...rig.deps(at), ...bound });
      await gateway.checkpoint();
      expect(opens(0)).to.not.include(true);
    });

    it("of a generation that it retired, and of a lease whose consent has ended", async () => {
      const reader = rig.consent(await rig.newParty("Dr Lee"));
      await gateway.acceptLease(await lease());
      rig.watch.endedIds.add(reader.id);
      await gateway.retireEnded();
      expect(opens(0)).to.deep.equal([false, true]);
      rig.watch.endedIds.add(rig.write.id);
      await gateway.retireEnded();
      expect(stateOf(at).leases.entries()).to.deep.equal([]);
    });
  });

  it("has its journal to itself", async () => {
    const folder = await mkdtemp(join(tmpdir(), "medseal-journal-"));
    try {
      const first = sqliteRows(join(folder, "journal"));
      expect(() => sqliteRows(join(folder, "journal")))
        .to.throw()
        .with.property("code", "ERR_JOURNAL_BUSY");
      first.close();
      sqliteRows(join(folder, "journal")).close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
