import { expect } from "chai";
import type { Hex } from "../../src/consent/consent.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { GatewayState } from "../../src/gateway/state.ts";
import { Journal } from "../../src/state/journal.ts";
import { failureOf } from "./times.ts";
import { openRig, outside, PLACE, record, type Outside, type PaperParty, type Rig } from "./rig.ts";
import { EPOCH, EPOCHS, START, STREAM } from "./ward.ts";

const REFUSED = { code: "ERR_RELEASE_REFUSED", exit: 3 };

describe("the end of a consent whose keys are out", () => {
  let rig: Rig;
  let at: Outside;
  let gateway: Gateway;
  let lee: PaperParty;
  let roy: PaperParty;

  beforeEach(async () => {
    rig = await openRig("heeded");
    at = outside();
    gateway = new Gateway(rig.deps(at));
    lee = await rig.newParty("Dr Lee");
    roy = await rig.newParty("Dr Roy");
  });

  const release = (id: Hex): Promise<Uint8Array[]> => rig.patient.release(id, "a patient");

  const lease = async (write = rig.write.id): Promise<Uint8Array> =>
    (await rig.patient.lease(write, "a patient")).envelope;

  const hand = async (write = rig.write.id): Promise<void> => {
    rig.patient.confirmLease(receiptOf(await gateway.acceptLease(await lease(write))));
  };

  const generationsOf = async (id: Hex, to: PaperParty): Promise<number[]> => {
    const parts = await Promise.all((await release(id)).map((envelope) => openEnvelope(envelope, to.hpke, PLACE)));
    return parts.flatMap(({ keys }) => keys.map(({ generation }) => generation)).sort();
  };

  /** The generation in which the gateway would write `stream` now. */
  function writing(write = rig.write.id, name = STREAM): number | undefined {
    const state = new GatewayState(new Journal(at.rows, rig.deps(at).keys.secret));
    const usable = (state.leases.get(write)?.keys ?? []).filter(({ data, stream }) => data && stream.name === name);
    return (usable.find(({ role }) => role === "current") ?? usable[0])?.generation;
  }

  it("is told once, also when a batch that was sealed was the first to heed it", async () => {
    const consent = rig.consent(lee);
    await hand();
    await release(consent.id);
    const before = writing();
    rig.watch.endedIds.add(consent.id);
    await record(gateway, rig, 0, 1);
    expect(writing()).to.not.equal(before);
    expect(await gateway.retireEnded()).to.equal(1);
    expect(await gateway.retireEnded()).to.equal(0);
  });

  it("is heeded when the consent had ended before, was granted again, and ends again", async () => {
    const consent = rig.consent(lee);
    await hand();
    await release(consent.id);
    rig.watch.endedIds.add(consent.id);
    await gateway.retireEnded();
    await rig.patient.moveToSpare([STREAM]);
    // Ended by `revokeAll`, a consent can be granted again under its id.
    rig.watch.endedIds.delete(consent.id);
    await hand();
    const held = await generationsOf(consent.id, lee);
    expect(held).to.include(writing());
    // The patient signs its end and renews the lease; the chain says so later.
    rig.patient.markRevoked(consent.id);
    rig.ways.time += 1;
    await gateway.acceptLease(await lease());
    rig.watch.endedIds.add(consent.id);
    await gateway.retireEnded();
    expect(held).to.not.include(writing());
  });

  it("is heeded however the patient's clock was set back between two leases", async () => {
    rig.ways.time += 100;
    const early = await lease();
    const consent = rig.consent(lee);
    rig.ways.time -= 50;
    const { envelope, receipt } = await rig.patient.lease(rig.write.id, "a patient");
    await gateway.acceptLease(envelope);
    rig.patient.confirmLease(receipt);
    const held = await generationsOf(consent.id, lee);
    rig.ways.time += 50;
    await gateway.acceptLease(early).catch(() => undefined);
    rig.watch.endedIds.add(consent.id);
    await gateway.retireEnded();
    expect(held).to.not.include(writing());
  });

  it("is heeded by a gateway that slept while its own leave ended and was granted again", async () => {
    await hand();
    rig.ways.time += 10;
    rig.watch.endedIds.add(rig.write.id);
    const consent = rig.consent(lee);
    expect(await generationsOf(consent.id, lee)).to.deep.equal([0]);
    rig.watch.endedIds.delete(rig.write.id);
    rig.watch.before.set(rig.write.id, rig.ways.time);
    await gateway.retireEnded();
    expect(writing()).to.equal(undefined);
    rig.ways.time += 1000;
    await hand();
    expect(writing()).to.equal(0);
    rig.watch.endedIds.add(consent.id);
    await gateway.retireEnded();
    expect(writing()).to.equal(1);
  });

  it("moves every stream of the gateway's lease, so that nobody else is left without keys", async () => {
    const { channels } = rig.stream;
    rig.patient.openStream({ name: "second", channels, epochLength: EPOCH, batchClass: 0 });
    const terms = {
      purpose: "TREAT",
      periodStart: START,
      periodEnd: START + 86_400,
      dataStart: START,
      dataEnd: START + EPOCHS * EPOCH,
    };
    const write = await rig.patient.authorizeGateway({ to: rig.gateway.party, streams: [STREAM, "second"], ...terms });
    const first = rig.patient.draft({ to: lee.party, streams: [STREAM], actions: ["READ"], ...terms });
    const other = rig.patient.draft({ to: roy.party, streams: ["second"], actions: ["READ"], ...terms });
    for (const { id } of [write, first, other]) rig.watch.granted.add(id);
    await hand();
    await hand(write.id);
    await release(first.id);
    rig.watch.endedIds.add(first.id);
    await gateway.retireEnded();
    const due = await rig.patient.moveToSpare([STREAM]);
    expect(due.releases).to.include(other.id);
    for (const id of due.leases) await hand(id);
    await gateway.retireEnded();
    expect(await generationsOf(other.id, roy)).to.include(writing(write.id, "second"));
  });

  it("keeps nobody from the past of a gateway whose leave is over", async () => {
    await hand();
    rig.ways.time = rig.write.consent.periodEnd;
    const { dataStart, dataEnd, purpose } = rig.write.consent;
    const consent = rig.patient.draft({
      to: lee.party,
      streams: [STREAM],
      actions: ["READ"],
      purpose,
      dataStart,
      dataEnd,
      periodStart: rig.ways.time,
      periodEnd: rig.ways.time + 86_400,
    });
    rig.watch.granted.add(consent.id);
    expect(await generationsOf(consent.id, lee)).to.deep.equal([0]);
  });

  it("is not left to a gateway that does not know yet that its leave has ended", async () => {
    await hand();
    rig.patient.markRevoked(rig.write.id);
    const consent = rig.consent(lee);
    expect(await failureOf(release(consent.id)), "only signed").to.include(REFUSED);
    rig.watch.endedIds.add(rig.write.id);
    rig.watch.recent.add(rig.write.id);
    expect(await failureOf(release(consent.id)), "not final").to.include(REFUSED);
    rig.watch.recent.delete(rig.write.id);
    expect(await generationsOf(consent.id, lee)).to.deep.equal([0]);
  });
});
