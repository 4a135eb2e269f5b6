import { expect } from "chai";
import { signGrant } from "../../src/consent/sign.ts";
import { sealEnvelope } from "../../src/envelope/envelope.ts";
import { random } from "../../src/bytes/random.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import { coverOf } from "../../src/keys/cover.ts";
import { epochsOf } from "../../src/log/stream.ts";
import { handLease, relayed } from "../../scripts/demo/patient.ts";
import { newIdentity } from "../../scripts/demo/parties.ts";
import { openInbox } from "../../scripts/demo/reader.ts";
import { openArchive, openViewer } from "../../scripts/demo/world.ts";
import { openBatches } from "../../src/archive/batches.ts";
import type { Access } from "../../src/grantee/access.ts";
import { EPOCH, EPOCHS, openWard, reading, START, STREAM, type Ward } from "./ward.ts";
import { failureOf } from "./times.ts";

describe("revocation and leases", function () {
  this.timeout(120_000);
  let ward: Ward;
  beforeEach(async () => {
    ward = await openWard();
  });
  afterEach(() => ward.world.close());

  /** Epochs of the recording that open with somebody's keys. */
  async function opened(accesses: readonly Access[]): Promise<number[]> {
    const archive = await openArchive(ward.world, ward.gateway.address);
    const found = new Set<number>();
    for (const { keys } of accesses) {
      for (const generation of keys) {
        const { from, to } = epochsOf(generation.stream, START, START + EPOCHS * EPOCH);
        for await (const { header } of openBatches(generation, archive, from, to, (digest) =>
          ward.world.blocks.get(digest),
        ))
          found.add(header.epoch - from);
      }
    }
    return [...found].sort();
  }

  it("moves to the spare on a signed end that no block holds, before it seals anything more, and never back", async () => {
    const lee = await ward.admit("Dr Lee");
    await ward.release(lee);
    await handLease(ward.patient, ward.write.id, ward.gateway);
    await ward.record(0, 2);
    const inbox = await openInbox(ward.world, lee.identity, ward.gateway);
    expect(await opened(inbox.access)).to.deep.equal([0, 1]);

    ward.gateway.viewer.ledger.noteSigned(await ward.patient.revoke(lee.consent));
    await ward.record(2, 4);
    expect(await opened(inbox.access), "the revoked sees nothing new").to.deep.equal([0, 1]);
    // No transaction was ever sent: the signature alone did it, and goes on doing it.
    await ward.record(4, 5);
    expect(await opened(inbox.access)).to.deep.equal([0, 1]);
  });

  it("gives the remaining grantees what comes after, by a release of their own", async () => {
    const [lee, roy] = [await ward.admit("Dr Lee"), await ward.admit("Dr Roy")];
    for (const reader of [lee, roy]) await ward.release(reader);
    await handLease(ward.patient, ward.write.id, ward.gateway);
    await ward.record(0, 2);
    await relayed(ward.world, await ward.patient.revoke(lee.consent));
    await ward.record(2, 4);
    const due = await ward.patient.self.moveToSpare([STREAM]);
    expect(due).to.deep.equal({ leases: [ward.write.id], releases: [roy.consent.id] });
    for (const id of due.leases) await handLease(ward.patient, id, ward.gateway);
    await ward.release(roy);
    await ward.record(4, 5);
    const inbox = await openInbox(ward.world, roy.identity, ward.gateway);
    expect(await opened(inbox.access)).to.deep.equal([0, 1, 2, 3, 4]);
    expect((await failureOf(ward.patient.self.release(lee.consent.id, "a patient"))).code).to.equal(
      "ERR_RELEASE_REFUSED",
    );
  });

  it("releases nothing before the grant is final, nor to who ended it themselves", async () => {
    const reader = await newIdentity("Dr Lee");
    const window = { dataStart: START, dataEnd: START + EPOCH, ...ward.patient.period };
    const consent = ward.patient.self.draft({
      to: reader.party,
      streams: [STREAM],
      purpose: "TREAT",
      actions: ["READ"],
      ...window,
    });
    expect(await failureOf(ward.patient.self.release(consent.id, "a patient"))).to.include({
      code: "ERR_RELEASE_REFUSED",
      exit: 3,
    });
    await relayed(
      ward.world,
      await signGrant(ward.patient.wallet.signer(consent.relationship), ward.world.registry, consent.consent),
    );
    expect(await ward.patient.self.release(consent.id, "a patient")).to.have.length.greaterThan(0);
  });

  it("writes nothing outside the lease's window, and nothing once the leave to write has ended", async () => {
    const [stream] = ward.gateway.self.streams();
    const session = ward.gateway.self.ingest(stream!, { kind: "source" });
    expect(await failureOf(session.add(reading(-1)))).to.include({ code: "ERR_NO_LEASE", exit: 3 });
    expect(await failureOf(session.add(reading(EPOCHS * EPOCH)))).to.include({ code: "ERR_NO_LEASE" });
    await session.add(reading(5));
    await relayed(ward.world, await ward.patient.revoke(ward.write));
    expect(await failureOf(session.finish())).to.include({ code: "ERR_NO_LEASE" });
  });

  it("takes no lease that its grantor did not sign, none for another gateway, none older than the one it has", async () => {
    const genuine = await ward.patient.self.lease(ward.write.id, "a patient");
    const lease = await openEnvelope(genuine, ward.identity.hpke, ward.world.registry);
    // Whoever was shown the WRITE consent makes up keys that they hold themselves.
    const { from, to } = epochsOf(lease.keys[0]!.stream, START, START + EPOCHS * EPOCH);
    const root = random(32);
    const keys = lease.keys.map((generation) => ({
      ...generation,
      data: coverOf(root, from, to),
      audit: coverOf(root, from, to),
    }));
    const mallory = ward.patient.wallet.signer(77);
    const forged = await sealEnvelope(
      { ...lease, keys, issuedAt: lease.issuedAt + 10 },
      mallory,
      ward.identity.party.recipient,
      ward.world.registry,
    );
    expect((await failureOf(ward.gateway.self.acceptLease(forged))).code).to.equal("ERR_RELEASE_FORGED");

    const signer = ward.patient.wallet.signer(ward.write.relationship);
    const old = await sealEnvelope(
      { ...lease, issuedAt: lease.issuedAt - 10 },
      signer,
      ward.identity.party.recipient,
      ward.world.registry,
    );
    expect((await failureOf(ward.gateway.self.acceptLease(old))).code).to.equal("ERR_NO_LEASE");
    const other = await newIdentity("Another gateway");
    const elsewhere = await sealEnvelope(lease, signer, other.party.recipient, ward.world.registry);
    expect((await failureOf(ward.gateway.self.acceptLease(elsewhere))).code).to.equal("ERR_HPKE_OPEN");
  });

  it("cuts keys that reach further than the consent to its window", async () => {
    const lee = await ward.admit("Dr Lee");
    await ward.record(0, 3);
    const envelope = await ward.patient.self.release(lee.consent.id, "a patient");
    const release = await openEnvelope(envelope, lee.identity.hpke, ward.world.registry);
    const all = release.keys.map((generation) => ({ ...generation, audit: coverOf(random(32), 0, 2 ** 32) }));
    const signer = ward.patient.wallet.signer(lee.consent.relationship);
    const wide = await sealEnvelope(
      { ...release, keys: all },
      signer,
      lee.identity.party.recipient,
      ward.world.registry,
    );
    await ward.gateway.self.post(wide, lee.identity.party.recipient.viewKey);
    await ward.gateway.self.checkpoint();
    const { access } = await openInbox(ward.world, lee.identity, ward.gateway);
    const nodes = access.flatMap(({ keys }) => keys.flatMap(({ audit }) => audit));
    const { from, to } = epochsOf(release.keys[0]!.stream, START, START + EPOCHS * EPOCH);
    expect(nodes.every(({ first, level }) => first >= from && first + 2 ** (32 - level) <= to)).to.equal(true);
    const viewer = await openViewer(ward.world);
    viewer.ledger.close();
  });
});
