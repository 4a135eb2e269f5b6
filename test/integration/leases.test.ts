import { expect } from "chai";
import { hex } from "../../src/bytes/bytes.ts";
import { Archive } from "../../src/archive/archive.ts";
import { openBatches } from "../../src/archive/batches.ts";
import { openEnvelope, sealEnvelope } from "../../src/envelope/envelope.ts";
import type { Release } from "../../src/envelope/payload.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { acceptRelease } from "../../src/grantee/access.ts";
import { decodeCheckpoint } from "../../src/log/checkpoint.ts";
import { epochsOf } from "../../src/log/stream.ts";
import { openRig, outside, PLACE, record, type Outside, type PaperParty, type Rig } from "./rig.ts";
import { EPOCH, EPOCHS, reading, START, STREAM } from "./ward.ts";
import { failureOf } from "./times.ts";

const allowed = (): Promise<boolean> => Promise.resolve(true);

describe("who can open what a gateway writes", () => {
  let rig: Rig;
  let at: Outside;
  let gateway: Gateway;
  let lee: PaperParty;
  let roy: PaperParty;

  beforeEach(async () => {
    rig = await openRig("leases");
    at = outside();
    gateway = new Gateway(rig.deps(at));
    lee = await rig.newParty("Dr Lee");
    roy = await rig.newParty("Dr Roy");
  });

  const lease = (): Promise<Uint8Array> => rig.lease(rig.write.id);
  const open = (envelope: Uint8Array, to: PaperParty): Promise<Release> => openEnvelope(envelope, to.hpke, PLACE);
  const release = async (id: `0x${string}`, to: PaperParty): Promise<Release> => open(await rig.release(id), to);

  /** Epochs that open with the keys of these releases, whatever any consent says by now. */
  async function epochsOpenedBy(...releases: readonly Release[]): Promise<number[]> {
    const read = (digest: Uint8Array): Promise<Uint8Array> => at.blocks.get(digest);
    const archive = new Archive(rig.deps(at).place, read);
    await archive.update(at.anchor.history);
    const found = new Set<number>();
    for (const { keys, chain } of releases) {
      const { consent } = chain.at(-1) as Release["chain"][number];
      for (const generation of keys) {
        const { from, to } = epochsOf(generation.stream, consent.dataStart, consent.dataEnd);
        for await (const { header } of openBatches(generation, archive, from, to, read))
          found.add(header.epoch - START / EPOCH);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  async function anchored(from: number, to: number): Promise<void> {
    await record(gateway, rig, from, to);
    await gateway.checkpoint();
  }

  it("moves with what is not sealed yet, and stays moved when the chain takes the end back", async () => {
    const consent = rig.consent(lee);
    await gateway.acceptLease(await lease());
    const keys = await release(consent.id, lee);
    await anchored(0, 1);
    // Half an epoch is taken and acknowledged, not sealed; then the end comes.
    const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: { kind: "source" } });
    for (let second = EPOCH; second < 1.5 * EPOCH; second++) await session.add(reading(second));
    rig.watch.endedIds.add(consent.id);
    for (let second = 1.5 * EPOCH; second < 2 * EPOCH; second++) await session.add(reading(second));
    await session.finish();
    await gateway.checkpoint();
    expect(await epochsOpenedBy(keys)).to.deep.equal([0]);

    // A reorganisation: the chain knows of no end. The gateway does not move back, nor does one that starts again.
    rig.watch.endedIds.delete(consent.id);
    await anchored(2, 3);
    gateway = new Gateway(rig.deps(at));
    await anchored(3, 4);
    // Not even a lease handed over again, as it was.
    await gateway.acceptLease(await lease());
    await anchored(4, 5);
    expect(await epochsOpenedBy(keys)).to.deep.equal([0]);
    expect(rig.patient.ownKeys(rig.write.id).map(({ role }) => role)).to.deep.equal(["current", "spare"]);
  });

  it("moves although the lease was renewed between the signature and its arrival", async () => {
    const consent = rig.consent(lee);
    await gateway.acceptLease(await lease());
    const keys = await release(consent.id, lee);
    await anchored(0, 1);
    // The patient has signed the end. Before the gateway hears of it, it gets a new lease, because Dr Roy was admitted.
    rig.patient.markRevoked(consent.id);
    rig.consent(roy);
    rig.ways.time += 60;
    await gateway.acceptLease(await lease());
    await anchored(1, 2);
    rig.watch.endedIds.add(consent.id);
    await anchored(2, 3);
    expect(await epochsOpenedBy(keys)).to.deep.equal([0, 1]);
  });

  it("counts every end of two leases of one second, in whatever order they come", async () => {
    const early = await lease();
    const consent = rig.consent(lee);
    const late = await lease();
    await gateway.acceptLease(late);
    await gateway.acceptLease(early);
    const keys = await release(consent.id, lee);
    rig.watch.endedIds.add(consent.id);
    await anchored(0, 1);
    expect(await epochsOpenedBy(keys)).to.deep.equal([]);
  });

  it("serves the others in one generation, when the end came by the chain alone, as by revokeAll", async () => {
    const [first, second] = [rig.consent(lee), rig.consent(roy)];
    await gateway.acceptLease(await lease());
    const leeKeys = await release(first.id, lee);
    rig.watch.endedIds.add(first.id);
    await anchored(0, 1);
    rig.ways.time += 60;
    const due = await rig.patient.moveToSpare([STREAM]);
    expect(due).to.deep.equal({ leases: [rig.write.id], releases: [second.id] });
    await gateway.acceptLease(await lease());
    await anchored(1, 2);
    const royKeys = await release(second.id, roy);
    await anchored(2, 3);
    expect(await epochsOpenedBy(royKeys), "Dr Roy").to.deep.equal([0, 1, 2]);
    expect(await epochsOpenedBy(leeKeys), "Dr Lee").to.deep.equal([]);
    // And the next end finds a spare that nobody has.
    rig.watch.endedIds.add(second.id);
    await anchored(3, 4);
    expect(await epochsOpenedBy(royKeys, leeKeys)).to.deep.equal([0, 1, 2]);
    expect(await failureOf(rig.release(first.id))).to.include({ code: "ERR_RELEASE_REFUSED" });
  });

  it("changes nothing at the patient's when the box of a new spare cannot be stored", async () => {
    const consent = rig.consent(lee);
    await gateway.acceptLease(await lease());
    rig.patient.markRevoked(consent.id);
    const before = JSON.stringify(
      rig.patient.state.streams.map(({ generations }) => generations.map(({ role }) => role)),
    );
    rig.ways.boxesAway = true;
    await failureOf(rig.patient.moveToSpare([STREAM]));
    expect(
      JSON.stringify(rig.patient.state.streams.map(({ generations }) => generations.map(({ role }) => role))),
    ).to.equal(before);
    rig.ways.boxesAway = false;
    expect((await rig.patient.moveToSpare([STREAM])).leases).to.deep.equal([rig.write.id]);
    expect((await open(await lease(), rig.gateway)).keys.map(({ role }) => role)).to.deep.equal(["current", "spare"]);
  });

  it("gives out no spare, ever, and no lease once the leave to write has ended", async () => {
    const consent = rig.consent(roy);
    for (let i = 0; i < 3; i++) {
      const { keys } = await release(consent.id, roy);
      expect(keys.map(({ role }) => role)).not.to.include("spare");
      expect(keys).to.have.lengthOf(i + 1);
      await rig.patient.moveToSpare([STREAM]);
    }
    rig.watch.endedIds.add(rig.write.id);
    expect(await rig.patient.moveToSpare([STREAM])).to.deep.equal({ leases: [], releases: [consent.id] });
    expect(await failureOf(lease())).to.include({ code: "ERR_RELEASE_REFUSED", exit: 3 });
    // What the gateway wrote in its spare before it heard of the end is the patient's to give.
    expect((await release(consent.id, roy)).keys).to.have.lengthOf(5);
  });

  it("takes an older lease neither by its time nor by its generations", async () => {
    const old = await lease();
    await gateway.acceptLease(old);
    await rig.patient.moveToSpare([STREAM]);
    await gateway.acceptLease(await lease());
    expect(await failureOf(gateway.acceptLease(old)), "same second").to.include({ code: "ERR_NO_LEASE", exit: 3 });
    rig.ways.time += 1;
    await gateway.acceptLease(await lease());
    expect(await failureOf(gateway.acceptLease(old)), "older").to.include({ code: "ERR_NO_LEASE" });
  });

  it("keeps two gateways of one stream in generations of their own, closed to each other", async () => {
    const other = await rig.newParty("second gateway");
    const window = { dataStart: START, dataEnd: START + EPOCHS * EPOCH };
    const terms = { streams: [STREAM], purpose: "TREAT", periodStart: START, periodEnd: START + 86_400, ...window };
    const write = await rig.patient.authorizeGateway({ to: other.party, ...terms });
    rig.watch.granted.add(write.id);
    const consent = rig.consent(lee);
    const envelope = await rig.lease(write.id);
    expect(await failureOf(gateway.acceptLease(envelope)), "not its own").to.include({ code: "ERR_HPKE_OPEN" });
    // Sealed by somebody else to the first gateway, it is still for the second.
    const second = await open(envelope, other);
    const signer = rig.wallet.signer(write.relationship);
    const moved = await sealEnvelope(second, signer, rig.gateway.party.recipient, PLACE);
    expect(await failureOf(gateway.acceptLease(moved)), "for another").to.include({ code: "ERR_NO_LEASE" });

    const first = await open(await lease(), rig.gateway);
    expect(first.keys.map(({ generation }) => generation)).to.deep.equal([0, 1]);
    expect(second.keys.map(({ generation }) => generation)).to.deep.equal([2, 3]);
    const nodes = (keys: Release): string[] =>
      keys.keys.flatMap(({ data, audit }) => [...(data ?? []), ...audit].map(({ key }) => hex(key)));
    expect(nodes(first).filter((node) => nodes(second).includes(node))).to.deep.equal([]);

    const there = outside();
    const deps = { ...rig.deps(there), address: other.party.address };
    const two = new Gateway({ ...deps, keys: { ...deps.keys, hpke: other.hpke, secret: new Uint8Array(32) } });
    await two.acceptLease(envelope);
    await gateway.acceptLease(await lease());
    await anchored(0, 2);
    await record(two, rig, 0, 2, write.id);
    await two.checkpoint();
    const mine = await tagsOf(at);
    expect(mine).to.have.lengthOf(8);
    expect(
      (await tagsOf(there)).filter((tag) => mine.includes(tag)),
      "tags in common",
    ).to.deep.equal([]);
    // The reader gets both; the end of their consent moves both.
    expect((await release(consent.id, lee)).keys.map(({ generation }) => generation)).to.deep.equal([0, 2]);
    expect(first.retiredBy.map(({ id }) => id)).to.include(consent.id);
    expect(second.retiredBy.map(({ id }) => id)).to.include(consent.id);
  });

  async function tagsOf({ blocks, anchor }: Outside): Promise<string[]> {
    const found = await Promise.all(anchor.history.map(({ digest }) => blocks.get(digest)));
    return found.flatMap((block) => (decodeCheckpoint(block).entries ?? []).map(({ tag }) => hex(tag)));
  }

  it("stores nothing of a reading outside the window or the period of the leave to write", async () => {
    await gateway.acceptLease(await lease());
    const stored = at.blocks.shelf.size;
    const session = gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: { kind: "source" } });
    for (const second of [-1, EPOCHS * EPOCH, -86_400, 10 * 86_400])
      expect(await failureOf(session.add(reading(second)))).to.include({ code: "ERR_NO_LEASE", exit: 3 });
    await session.finish();
    expect(at.blocks.shelf.size).to.equal(stored);
    await session.add(reading(0));
    rig.ways.time = START + 86_400;
    expect(await failureOf(session.finish())).to.include({ code: "ERR_NO_LEASE" });
    expect(at.blocks.shelf.size).to.equal(stored);
    const [{ own } = { own: undefined }] = await gateway.checkpoint();
    expect(own).to.deep.equal([]);
  });

  it("releases nothing outside the period of a consent", async () => {
    const consent = rig.consent(lee);
    for (const time of [START - 1, START + 86_400]) {
      rig.ways.time = time;
      expect(await failureOf(rig.patient.release(consent.id, "a patient"))).to.include({
        code: "ERR_RELEASE_REFUSED",
        exit: 3,
      });
    }
    rig.ways.time = START + 86_399;
    expect((await release(consent.id, lee)).keys).to.have.lengthOf(1);
  });

  it("gives a grantee who may only audit no keys to the values, whatever the envelope holds", async () => {
    const window = { dataStart: START, dataEnd: START + EPOCH, periodStart: START, periodEnd: START + 86_400 };
    const terms = { to: lee.party, streams: [STREAM], purpose: "TREAT", ...window };
    const audit = rig.patient.draft({ ...terms, actions: ["AUDIT"] });
    rig.watch.granted.add(audit.id);
    const opened = await release(audit.id, lee);
    expect(opened.keys.map(({ data }) => data)).to.deep.equal([undefined]);
    const [own] = rig.patient.ownKeys(rig.write.id);
    const generous = { ...opened, keys: opened.keys.map((keys) => ({ ...keys, data: own?.data })) };
    const { keys } = await acceptRelease(generous, lee.party.address, allowed, START);
    expect(keys.map(({ data }) => data)).to.deep.equal([undefined]);
  });

  it("refuses an envelope of a consent that is not in force, even one without keys", async () => {
    const opened = await release(rig.consent(lee).id, lee);
    const never = (): Promise<boolean> => Promise.resolve(false);
    for (const keys of [opened.keys, []]) {
      const refused = acceptRelease({ ...opened, keys }, lee.party.address, never, START);
      expect(await failureOf(refused)).to.include({ code: "ERR_NOT_PERMITTED", exit: 3 });
    }
  });
});
