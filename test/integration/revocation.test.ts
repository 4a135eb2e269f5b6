import { expect } from "chai";
import { Wallet } from "ethers";
import { hex0x } from "../../src/bytes/bytes.ts";
import { random } from "../../src/bytes/random.ts";
import { openBatches } from "../../src/archive/batches.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import { consentId, NO_PARENT } from "../../src/consent/consent.ts";
import { draftConsent, type ConsentWish } from "../../src/consent/draft.ts";
import { linkOf } from "../../src/consent/scope.ts";
import { signGrant, signRevoke, signRevokeAll, type TypedSigner } from "../../src/consent/sign.ts";
import { openEnvelope, sealEnvelope } from "../../src/envelope/envelope.ts";
import type { AskPermission } from "../../src/chain/permission.ts";
import { acceptRelease, type Access } from "../../src/grantee/access.ts";
import { readStream, type ReadRequest } from "../../src/grantee/read.ts";
import { coverOf } from "../../src/keys/cover.ts";
import { epochsOf } from "../../src/log/stream.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import { DHKEM_X25519 } from "../../src/seal/hpke.ts";
import { granted, handLease, relayed } from "../../scripts/demo/patient.ts";
import { newIdentity } from "../../scripts/demo/parties.ts";
import { openInbox } from "../../scripts/demo/reader.ts";
import { openArchive, openViewer } from "../../scripts/demo/world.ts";
import { EPOCH, EPOCHS, openWard, reading, START, STREAM, type Ward } from "./ward.ts";
import { failureOf } from "./times.ts";
import { isOutside } from "../unit/keys/outside.ts";

describe("revocation and leases", () => {
  let ward: Ward;
  beforeEach(async () => {
    ward = await openWard();
  });
  afterEach(() => ward.world.close());

  /** Epochs of the recording that open with somebody's keys. */
  async function opened(accesses: readonly Access[]): Promise<number[]> {
    const archive = await openArchive(ward.world, ward.gateway.address);
    const found = new Set<number>();
    for (const { keys, link } of accesses) {
      for (const generation of keys) {
        const { from, to } = epochsOf(generation.stream, link.consent.dataStart, link.consent.dataEnd);
        for await (const { header } of openBatches(generation, archive, from, to, (digest) =>
          ward.world.blocks.get(digest),
        ))
          found.add(header.epoch - START / EPOCH);
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

  for (const mined of [false, true]) {
    it(`moves on the end of all consents of a relationship, ${mined ? "once it is mined" : "signed and in no block"}`, async () => {
      const [lee, roy] = [await ward.admit("Dr Lee"), await ward.admit("Dr Roy")];
      for (const reader of [lee, roy]) await ward.release(reader);
      await handLease(ward.patient, ward.write.id, ward.gateway);
      await ward.record(0, 1);
      const { access: accessOfLee } = await openInbox(ward.world, lee.identity, ward.gateway);
      const { access: accessOfRoy } = await openInbox(ward.world, roy.identity, ward.gateway);
      const signer = ward.patient.wallet.signer(lee.consent.relationship);
      const end = await signRevokeAll(signer, ward.world.registry, lee.consent.consent.grantor);
      if (mined) await relayed(ward.world, end);
      else ward.gateway.viewer.ledger.noteSigned(end);
      await ward.record(1, 2);
      expect(await opened(accessOfLee)).to.deep.equal([0]);
      if (mined) {
        // The patient's own ledger says so as well: no keys go out, though nobody told the vault.
        expect(await failureOf(ward.patient.self.release(lee.consent.id, "a patient"))).to.include({
          code: "ERR_RELEASE_REFUSED",
          exit: 3,
        });
        expect((await ward.patient.self.moveToSpare([STREAM])).releases).to.deep.equal([roy.consent.id]);
        await ward.release(roy);
        await ward.gateway.self.checkpoint();
        const later = await openInbox(ward.world, roy.identity, ward.gateway);
        expect(await opened(later.access)).to.deep.equal([0, 1]);
      } else expect(await opened(accessOfRoy)).to.deep.equal([0]);
    });
  }

  it("releases nothing of a consent that ended before its keys went out, nor lets itself be granted again", async () => {
    const lee = await ward.admit("Dr Lee");
    const end = await signRevoke(
      ward.patient.wallet.signer(lee.consent.relationship),
      ward.world.registry,
      lee.consent.consent,
    );
    await relayed(ward.world, end);
    const refused = { code: "ERR_RELEASE_REFUSED", exit: 3 };
    expect(await failureOf(ward.patient.self.release(lee.consent.id, "a patient"))).to.include(refused);
    const again = relayed(ward.world, await granted(ward.patient, lee.consent));
    expect((await failureOf(again)).code).to.equal("ERR_CONTRACT_REFUSED");
    expect(await failureOf(ward.patient.self.release(lee.consent.id, "a patient"))).to.include(refused);
  });

  it("lets nobody read after the period, for another purpose, or beyond the window, and opens for nobody else", async () => {
    const [lee, roy] = [await ward.admit("Dr Lee"), await ward.admit("Dr Roy")];
    await ward.record(0, 2);
    const envelope = await ward.release(lee);
    const { registry } = ward.world;
    expect(await failureOf(openEnvelope(envelope, roy.identity.hpke, registry))).to.include({ code: "ERR_HPKE_OPEN" });
    const release = await openEnvelope(envelope, lee.identity.hpke, registry);
    const viewer = await openViewer(ward.world);
    const ask: AskPermission = ({ time, ...question }) => viewer.judge.isPermitted(question, time);
    const { periodStart, periodEnd } = ward.patient.period;
    const me = lee.identity.party.address;
    expect(await failureOf(acceptRelease(release, roy.identity.party.address, ask, periodStart))).to.include({
      code: "ERR_RELEASE_INVALID",
    });
    const refused = { code: "ERR_NOT_PERMITTED", exit: 3 };
    for (const time of [periodStart - 1, periodEnd])
      expect(await failureOf(acceptRelease(release, me, ask, time)), `accepted at ${time}`).to.include(refused);
    const access = await acceptRelease(release, me, ask, periodEnd - 1);
    const archive = await openArchive(ward.world, ward.gateway.address);
    const read = async (change: Partial<ReadRequest>, time = periodStart): Promise<number> => {
      const stream = release.keys[0]!.stream.id;
      const request = { stream, from: START, to: START + 2 * EPOCH, purpose: "TREAT", ...change };
      const deps = {
        archiveOf: () => archive,
        read: (digest: Uint8Array) => ward.world.blocks.get(digest),
        ask,
        watch: watchLedger(viewer.ledger),
        time,
      };
      let batches = 0;
      for await (const { leave } of readStream(access, request, deps)) if (leave === undefined) batches += 1;
      return batches;
    };
    expect(await read({})).to.equal(2);
    expect(await failureOf(read({}, periodEnd)), "period over").to.include(refused);
    expect(await failureOf(read({}, periodStart - 1)), "period not begun").to.include(refused);
    expect(await failureOf(read({ purpose: "HRESCH" })), "purpose").to.include(refused);
    expect(await failureOf(read({ from: START - EPOCH })), "before the window").to.include(refused);
    expect(await failureOf(read({ to: START + (EPOCHS + 1) * EPOCH })), "after the window").to.include(refused);
    expect(await failureOf(read({ stream: random(32) })), "another stream").to.include(refused);
    await relayed(ward.world, await ward.patient.revoke(lee.consent));
    await viewer.ledger.sync();
    expect(await failureOf(read({})), "revoked").to.include(refused);
    viewer.ledger.close();
  });

  it("lets a grantee pass on under their own address what they may share, for as long as they have it themselves", async () => {
    const { world, patient } = ward;
    const wallet = Wallet.createRandom();
    const lee = await newIdentity("Dr Lee", wallet);
    const kim = await newIdentity("Dr Kim");
    const window = { dataStart: START, dataEnd: START + 3 * EPOCH, ...patient.period };
    const terms = { to: lee.party, streams: [STREAM], purpose: "TREAT", ...window };
    const mayShare = patient.self.draft({ ...terms, actions: ["READ", "SHARE"] });
    const mayNot = patient.self.draft({ ...terms, actions: ["READ"] });
    for (const parent of [mayShare, mayNot]) await relayed(world, await granted(patient, parent));
    await ward.record(0, 4);
    const viewer = await openViewer(world);
    const ask: AskPermission = ({ time, ...question }) => viewer.judge.isPermitted(question, time);
    const time = patient.period.periodStart;

    /** What Dr Lee makes of a release of theirs for Dr Kim. */
    const passOn = async (parent: ConsentRecord, change: Partial<ConsentWish> = {}): Promise<Access> => {
      const given = await openEnvelope(await ward.release({ consent: parent }), lee.hpke, world.registry);
      const streams = parent.streams.map(hex0x);
      const wish = { grantor: wallet.address, grantee: kim.party.address, streams, purpose: "TREAT", ...window };
      const child = draftConsent({
        ...wish,
        dataStart: START + EPOCH,
        actions: ["READ"],
        parent: parent.id,
        ...change,
      });
      await relayed(world, await signGrant(wallet, world.registry, child));
      const chain = [...given.chain, linkOf(child, streams)];
      const envelope = await sealEnvelope(
        { ...given, from: "Dr Lee", chain },
        wallet,
        kim.party.recipient,
        world.registry,
      );
      const passed = await openEnvelope(envelope, kim.hpke, world.registry);
      await viewer.ledger.sync();
      return acceptRelease(passed, kim.party.address, ask, time);
    };

    const access = await passOn(mayShare);
    expect(await opened([access]), "the child's window").to.deep.equal([1, 2]);
    const before = access.keys.map(({ data, audit }) =>
      [data, audit].map((cover) => isOutside(cover ?? [], START / EPOCH)),
    );
    expect(before, "cut to it").to.deep.equal(before.map(() => [true, true]));
    const refused = { code: "ERR_NOT_PERMITTED", exit: 3 };
    expect(await failureOf(passOn(mayNot)), "a parent without SHARE").to.include(refused);
    for (const [what, change] of Object.entries<Partial<ConsentWish>>({
      "more data": { dataEnd: START + 4 * EPOCH },
      "another purpose": { purpose: "HRESCH" },
      "more actions": { actions: ["READ", "AUDIT"] },
      "a longer period": { periodEnd: window.periodEnd + 1 },
      "no parent named": { parent: NO_PARENT },
      "another parent named": { parent: mayNot.id },
    }))
      expect(await failureOf(passOn(mayShare, change)), what).to.include(refused);

    // The parent ends, the child was never touched.
    await relayed(world, await patient.revoke(mayShare));
    await viewer.ledger.sync();
    const { consent } = access.link;
    expect(viewer.ledger.stateOf(consent.grantor, consentId(consent)).inForce, "the child itself").to.equal(true);
    expect(await failureOf(acceptRelease(access.release, kim.party.address, ask, time))).to.include(refused);
    viewer.ledger.close();
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
    expect(await ward.release({ consent })).to.have.length.greaterThan(0);
  });

  it("writes nothing outside the lease's window, and nothing once the leave to write has ended", async () => {
    const [stream] = ward.gateway.self.streams();
    const session = ward.gateway.self.ingest(stream!, { clock: { kind: "source" } });
    expect(await failureOf(session.add(reading(-1)))).to.include({ code: "ERR_NO_LEASE", exit: 3 });
    expect(await failureOf(session.add(reading(EPOCHS * EPOCH)))).to.include({ code: "ERR_NO_LEASE" });
    await session.add(reading(5));
    await relayed(ward.world, await ward.patient.revoke(ward.write));
    expect(await failureOf(session.finish())).to.include({ code: "ERR_NO_LEASE" });
  });

  it("takes no lease that its grantor did not sign, none for another gateway, none older than the one it has", async () => {
    const { envelope: genuine } = await ward.patient.self.lease(ward.write.id, "a patient");
    const lease = await openEnvelope(genuine, ward.identity.hpke, ward.world.registry);
    // Whoever was shown the WRITE consent makes up keys that they hold themselves.
    const { from, to } = epochsOf(lease.keys[0]!.stream, START, START + EPOCHS * EPOCH);
    const root = random(32);
    const keys = lease.keys.map((generation) => ({
      ...generation,
      data: coverOf(root, from, to),
      audit: coverOf(root, from, to),
    }));
    const stranger = ward.patient.wallet.signer(77);
    const mallory: TypedSigner = {
      getAddress: () => Promise.resolve(ward.write.consent.grantor),
      signTypedData: (...given) => stranger.signTypedData(...given),
    };
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
    const other = await newIdentity("Another gateway", undefined, DHKEM_X25519);
    const elsewhere = await sealEnvelope(lease, signer, other.party.recipient, ward.world.registry);
    expect((await failureOf(ward.gateway.self.acceptLease(elsewhere))).code).to.equal("ERR_HPKE_OPEN");
  });

  it("cuts keys that reach further than the consent to its window", async () => {
    const lee = await ward.admit("Dr Lee");
    await ward.record(0, 3);
    const envelope = await ward.release(lee);
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
