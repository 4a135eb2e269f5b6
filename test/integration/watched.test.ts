import { expect } from "chai";
import type { Hex } from "../../src/consent/consent.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { GatewayState } from "../../src/gateway/state.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import { Journal } from "../../src/state/journal.ts";
import { openRig, outside, PLACE, type Outside, type PaperParty, type Rig } from "./rig.ts";
import { EPOCH, START, STREAM } from "./ward.ts";
import { failureOf } from "./times.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "watched";
const SCHEDULES = Number(process.env["MEDSEAL_SCHEDULES"] ?? 40);
const REFUSED = { code: "ERR_RELEASE_REFUSED", exit: 3 };

describe("a release goes out when the gateway heeds its end, and not before", () => {
  let rig: Rig;
  let at: Outside;
  let gateway: Gateway;
  let lee: PaperParty;

  beforeEach(async () => {
    rig = await openRig("watched");
    at = outside();
    gateway = new Gateway(rig.deps(at));
    lee = await rig.newParty("Dr Lee");
  });

  const release = (id: Hex): Promise<Uint8Array[]> => rig.patient.release(id, "a patient");

  it("not before the lease is made, nor before its receipt is back; then it does", async () => {
    const consent = rig.consent(lee);
    expect(await failureOf(release(consent.id)), "no lease").to.include(REFUSED);
    const { envelope, receipt } = await rig.patient.lease(rig.write.id, "a patient");
    expect(await failureOf(release(consent.id)), "no receipt").to.include(REFUSED);
    const lease = await gateway.acceptLease(envelope);
    expect(receiptOf(lease)).to.deep.equal(receipt);
    rig.patient.confirmLease(receiptOf(lease));
    expect(await release(consent.id)).to.have.lengthOf(1);
  });

  it("not by the receipt of a lease that does not know the consent, of an older one, of another patient, or twice", async () => {
    const old = await rig.patient.lease(rig.write.id, "a patient");
    const consent = rig.consent(lee);
    rig.patient.confirmLease(old.receipt);
    expect(await failureOf(release(consent.id)), "of before").to.include(REFUSED);
    const renewed = await rig.patient.lease(rig.write.id, "a patient");
    rig.patient.confirmLease(renewed.receipt);
    for (const receipt of [old.receipt, renewed.receipt, new Uint8Array(32), new Uint8Array(0)])
      expect(() => rig.patient.confirmLease(receipt))
        .to.throw()
        .with.property("code", "ERR_UNKNOWN");
    expect(await release(consent.id)).to.have.lengthOf(1);
  });

  it("not after the patient moved to the spare, until the gateway has the next lease", async () => {
    const [first, second] = [rig.consent(lee), rig.consent(await rig.newParty("Dr Roy"))];
    await gateway.acceptLease(await rig.lease());
    rig.patient.markRevoked(first.id);
    const due = await rig.patient.moveToSpare([STREAM]);
    expect(due.releases).to.deep.equal([second.id]);
    expect(await failureOf(release(second.id))).to.include(REFUSED);
    await gateway.acceptLease(await rig.lease());
    expect(await release(second.id)).to.have.lengthOf(1);
  });

  it("not to who may neither read nor audit, and no lease to who may not write", async () => {
    const terms = { to: lee.party, streams: [STREAM], purpose: "TREAT", periodStart: START, periodEnd: START + 86_400 };
    const record = rig.patient.draft({
      ...terms,
      dataStart: START,
      dataEnd: START + EPOCH,
      actions: ["RESPOND"],
    });
    rig.watch.granted.add(record.id);
    await rig.lease();
    expect(await failureOf(release(record.id))).to.include(REFUSED);
    expect(await failureOf(release(rig.write.id))).to.include(REFUSED);
    expect(await failureOf(rig.patient.lease(rig.consent(lee).id, "a patient"))).to.include(REFUSED);
  });

  it("as several envelopes of one size when one does not hold it", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `stream ${String(i).padStart(2, "0")}`);
    const { channels } = rig.stream;
    for (const name of names) rig.patient.openStream({ name, channels, epochLength: 1, batchClass: 0 });
    // A window off all powers of two has many nodes.
    const window = { dataStart: START + 1, dataEnd: START + 2 ** 27 + 1 };
    const terms = { streams: names, purpose: "TREAT", periodStart: START, periodEnd: START + 86_400, ...window };
    const write = await rig.patient.authorizeGateway({ to: rig.gateway.party, ...terms });
    const read = rig.patient.draft({ to: lee.party, ...terms, actions: ["READ"] });
    for (const { id } of [write, read]) rig.watch.granted.add(id);
    await rig.lease(write.id);
    const envelopes = await release(read.id);
    expect(envelopes.length).to.be.greaterThan(1);
    expect(new Set(envelopes.map(({ length }) => length)).size).to.equal(1);
    const opened = await Promise.all(envelopes.map((envelope) => openEnvelope(envelope, lee.hpke, PLACE)));
    expect(opened.flatMap(({ keys }) => keys.map(({ stream }) => stream.name)).sort()).to.deep.equal(names);
  });

  it("says plainly when a name is too long, and opens no stream of half a second", async () => {
    const { channels } = rig.stream;
    const stream = { name: "é".repeat(128), channels, epochLength: 60, batchClass: 0 };
    expect(() => rig.patient.openStream(stream))
      .to.throw()
      .with.property("code", "ERR_USAGE");
    expect(() => rig.patient.openStream({ ...stream, name: "x", epochLength: 1.5 }))
      .to.throw()
      .with.property("exit", 2);
    expect(await failureOf(rig.patient.lease(rig.write.id, "x".repeat(256)))).to.include({ code: "ERR_USAGE" });
  });

  it(`${SCHEDULES} random schedules: what the gateway writes after an end opens for nobody whose consent has ended (MEDSEAL_SEED=${SEED})`, async () => {
    let [released, refused, moved] = [0, 0, 0];
    for (let round = 0; round < SCHEDULES; round++) {
      rig = await openRig(`${SEED} ${round}`);
      at = outside();
      gateway = new Gateway(rig.deps(at));
      const draw = rig.draw("schedule");
      const below = (bound: number): number => Buffer.from(draw(4)).readUInt32BE(0) % bound;
      const readers: ConsentRecord[] = [];
      /** Keys in the hands of grantees, as generation numbers by consent. */
      const held = new Map<Hex, Set<number>>();
      const made: { envelope: Uint8Array; receipt: Uint8Array }[] = [];
      const accepted: Uint8Array[] = [];
      const party = await rig.newParty("reader");
      const acts: (() => void | Promise<void>)[] = [
        () => void readers.push(rig.consent(party)),
        async () => void made.push(await rig.patient.lease(rig.write.id, "a patient")),
        async () => {
          const next = made.shift();
          if (!next) return;
          const ok = await gateway.acceptLease(next.envelope).then(
            () => true,
            () => false,
          );
          if (ok) accepted.push(next.receipt);
        },
        () => {
          const receipt = accepted.shift();
          if (receipt) attempt(() => rig.patient.confirmLease(receipt));
        },
        async () => {
          const reader = readers[below(Math.max(1, readers.length))];
          if (!reader) return;
          try {
            for (const envelope of await release(reader.id)) {
              const { keys } = await openEnvelope(envelope, party.hpke, PLACE);
              const mine = held.get(reader.id) ?? new Set();
              held.set(reader.id, mine);
              for (const { generation } of keys) mine.add(generation);
            }
            released += 1;
          } catch (error) {
            expect(error).to.include(REFUSED);
            refused += 1;
          }
        },
        () => {
          const reader = readers[below(Math.max(1, readers.length))];
          if (!reader) return;
          // The patient signs it, and the gateway hears of it; or only one of the two does.
          if (below(3) > 0) rig.patient.markRevoked(reader.id);
          if (below(3) > 0) rig.watch.endedIds.add(reader.id);
        },
        async () => {
          rig.ways.time += 1;
          if (below(2) === 0) return;
          await rig.patient.moveToSpare([STREAM]);
          moved += 1;
        },
      ];
      const often = [2, 4, 4, 4, 5, 1, 1].flatMap((weight, act) => Array.from({ length: weight }, () => acts[act]));
      for (let step = 0; step < 60; step++) {
        await often[below(often.length)]?.();
        await gateway.retireEnded();
        const writing = generationNow();
        if (writing === undefined) continue;
        for (const { id } of readers) {
          if (!rig.watch.endedIds.has(id)) continue;
          expect(held.get(id)?.has(writing) ?? false, `round ${round}, step ${step}`).to.equal(false);
        }
      }
    }
    console.log(`      ${released} released, ${refused} refused, ${moved} moves`);
    expect(Math.min(released, refused, moved)).to.be.greaterThan(SCHEDULES / 2);
  });

  /** The generation in which the gateway would write now. */
  function generationNow(): number | undefined {
    const state = new GatewayState(new Journal(at.rows, rig.deps(at).keys.secret));
    const lease = state.leases.get(rig.write.id);
    const usable = lease?.keys.filter(({ data }) => data !== undefined) ?? [];
    return (usable.find(({ role }) => role === "current") ?? usable[0])?.generation;
  }
});

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // An older receipt than one that was confirmed.
  }
}
