import { expect } from "chai";
import { hex0x, utf8 } from "../../src/bytes/bytes.ts";
import { hkdfExpand } from "../../src/bytes/hash.ts";
import { open } from "../../src/seal/seal.ts";
import { Journal } from "../../src/state/journal.ts";
import { GatewayState } from "../../src/gateway/state.ts";
import { openBatches } from "../../src/archive/batches.ts";
import { Archive } from "../../src/archive/archive.ts";
import { acceptRelease } from "../../src/grantee/access.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import { verifyWindow } from "../../src/auditor/window.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { readInbox } from "../../src/grantee/inbox.ts";
import { readFiled, writeFiled } from "../../src/late/filed.ts";
import { openLetter } from "../../src/late/letter.ts";
import { readLateBox, type LateBox } from "../../src/patient/late.ts";
import type { MailRow } from "../../src/log/checkpoint.ts";
import { openRig, outside, PaperRows, PLACE, record, type Outside, type PaperParty, type Rig } from "./rig.ts";
import { failureOf } from "./times.ts";
import { EPOCH, EPOCHS, reading, START } from "./ward.ts";

/** Seconds; the recording's first epochs are older than that at its end. */
const BOUND = 2 * EPOCH;
const LATE = [1, 2, 3 * EPOCH + 4];

/** Rows of a journal as whoever has its key reads them. */
const plainRows = ({ rows }: Outside, secret: Uint8Array): Buffer[] =>
  [...rows.rows.values()].map(({ table, value }) =>
    Buffer.from(open(hkdfExpand(secret, utf8("medseal/v1/journal/seal")), utf8(`medseal/v1/journal/${table}`), value)),
  );

describe("late readings", () => {
  let rig: Rig;
  let ann: PaperParty;
  let at: Outside;
  let gateway: Gateway;

  const opened = (where: Outside): Gateway =>
    new Gateway({
      ...rig.deps(where),
      latenessBound: BOUND,
      late: { signer: rig.wallet.signer(1000), recipientOf: () => ann.party.recipient },
    });
  const leased = () => ({ write: rig.write.id, stream: rig.stream });
  const readings = (seconds: readonly number[]) => seconds.map((second) => reading(second));
  const placeOf = () => rig.deps(at).place;
  const archiveOf = async (where = at): Promise<Archive> => {
    const archive = new Archive(rig.deps(where).place, (digest) => where.blocks.get(digest));
    await archive.update(where.anchor.history);
    return archive;
  };
  const keys = () => ({ hpke: ann.hpke, viewSecret: ann.viewSecret });
  const box = async (): Promise<LateBox> =>
    readLateBox(rig.patient.state, (await archiveOf()).mail, keys(), PLACE, (digest) => at.blocks.get(digest));

  /** A gateway that recorded all but some readings, at a time at which it has forgotten the keys of the first epochs. */
  beforeEach(async () => {
    rig = await openRig("late");
    ann = await rig.newParty("Ann");
    at = outside();
    gateway = opened(at);
    await gateway.acceptLease(await rig.lease());
    await record(gateway, rig, 0, EPOCHS - 1);
    await gateway.checkpoint();
    rig.ways.time = START + EPOCHS * EPOCH;
    await gateway.checkpoint();
  });

  it("are refused where their stream is written, and come to the patient as they were", async () => {
    expect(await failureOf(Promise.resolve().then(() => gateway.admission(leased())(reading(1))))).to.include({
      code: "ERR_TOO_LATE",
    });
    expect(await gateway.sealLate(leased(), "feed-0", readings(LATE))).to.equal(undefined);
    await gateway.checkpoint();
    const { letters, forged, unreadable } = await box();
    expect({ forged, unreadable }).to.deep.equal({ forged: 0, unreadable: 0 });
    const came = letters.flatMap(({ chunks }) => chunks.flatMap(({ chunk }) => chunk.observations));
    expect(came).to.deep.equal(readings(LATE));
  });

  it("are sealed once, and to the same bytes when that is tried again", async () => {
    const before = new PaperRows(at.rows.rows);
    await gateway.sealLate(leased(), "feed-0", readings(LATE));
    await gateway.sealLate(leased(), "feed-0", readings(LATE));
    const twice = { ...outside(), rows: new PaperRows(before.rows) };
    await opened(twice).sealLate(leased(), "feed-0", readings(LATE));
    expect(twice.rows.text).to.equal(at.rows.text);
  });

  it("are filed into their epochs: readers see them as late, and nothing is amiss", async () => {
    await gateway.sealLate(leased(), "feed-0", readings(LATE));
    await gateway.checkpoint();
    const lee = await rig.newParty("Dr Lee");
    const consent = rig.consent(lee);
    const { batches, releases } = await rig.patient.fileLate((await box()).letters, placeOf);
    expect(releases).to.deep.equal([consent.id]);
    const filed = readFiled(writeFiled(batches));
    expect(await gateway.carryFiled(filed)).to.equal(2);
    expect(await gateway.carryFiled(filed), "again").to.equal(0);
    await gateway.checkpoint();
    expect((await box()).letters.every((letter) => letter.filed)).to.equal(true);

    const release = await openEnvelope(await rig.release(consent.id), lee.hpke, PLACE);
    const allowed = (): Promise<boolean> => Promise.resolve(true);
    const access = await acceptRelease(release, lee.party.address, allowed, rig.ways.time);
    const archive = await archiveOf();
    const read = (digest: Uint8Array): Promise<Uint8Array> => at.blocks.get(digest);
    const late: string[] = [];
    for (const generation of access.keys)
      for await (const { header, chunks } of openBatches(
        generation,
        archive,
        START / EPOCH,
        START / EPOCH + EPOCHS,
        read,
      ))
        if (header.late)
          late.push(...(chunks ?? []).flatMap(({ observations }) => observations.map(({ time }) => time)));
    expect(late).to.deep.equal(readings(LATE).map(({ time }) => time));
    const request = { stream: rig.stream.id, from: START, to: START + EPOCHS * EPOCH, purpose: "TREAT" };
    const deps = { archiveOf: () => archive, read, ask: allowed, watch: rig.watch, time: rig.ways.time };
    const report = await verifyWindow(access, request, deps);
    expect(report).to.deep.include({ ok: true, findings: [], late: 2 });
  });

  it("open for nobody but the patient, and as nothing else", async () => {
    await gateway.sealLate(leased(), "feed-0", readings(LATE));
    await gateway.checkpoint();
    const mine = (await archiveOf()).mail;
    const lee = await rig.newParty("Dr Lee");
    const read = (digest: Uint8Array): Promise<Uint8Array> => at.blocks.get(digest);
    const [letter] = (await box()).letters;
    const block = await read(mine.find(({ envelope }: MailRow) => hex0x(envelope) === letter?.digest)!.envelope);
    const known = () => ({ consent: rig.write.consent, epochLength: EPOCH });
    expect(await failureOf(openLetter(block, lee.hpke, PLACE, known))).to.include({ code: "ERR_HPKE_OPEN" });
    expect(await failureOf(openEnvelope(block, ann.hpke, PLACE))).to.include({ code: "ERR_HPKE_OPEN" });
    const { releases, refused } = await readInbox(mine, keys(), PLACE, read);
    expect([...releases, ...refused]).to.deep.equal([]);
  });

  it("are not filed when another than the gateway signed them, nor under a leave that the patient never gave", async () => {
    const forging = new Gateway({
      ...rig.deps(at),
      latenessBound: BOUND,
      late: { signer: rig.wallet.signer(7), recipientOf: () => ann.party.recipient },
    });
    await forging.sealLate(leased(), "feed-0", readings(LATE));
    await forging.checkpoint();
    expect(await box()).to.deep.equal({ letters: [], forged: 1, unreadable: 0 });
    const { state } = rig.patient;
    const elsewhere = { ...state, consents: [] };
    const { mail } = await archiveOf();
    const other = await readLateBox(elsewhere, mail, keys(), PLACE, (digest) => at.blocks.get(digest));
    expect(other).to.deep.equal({ letters: [], forged: 1, unreadable: 0 });
  });

  it("are not readable on a stolen disk, sealed or filed, with all keys that lie there", async () => {
    await gateway.sealLate(leased(), "feed-0", readings(LATE));
    await gateway.checkpoint();
    const { batches } = await rig.patient.fileLate((await box()).letters, placeOf);
    await gateway.carryFiled(batches);
    await gateway.checkpoint();
    await gateway.checkpoint();
    // The thief has the journal, its key and the gateway's own keys, and all blocks.
    const loot = rig.deps(at).keys;
    const plain = plainRows(at, loot.secret);
    expect(
      plain.some((bytes) => bytes.includes("heart-rate")),
      "so that the test can fail",
    ).to.equal(true);
    for (const second of LATE)
      for (const bytes of [...[...at.blocks.shelf.values()].map((block) => Buffer.from(block)), ...plain])
        expect(bytes.includes(reading(second).time)).to.equal(false);
    const archive = await archiveOf();
    const { leases } = new GatewayState(new Journal(new PaperRows(at.rows.rows), loot.secret));
    for (const generation of leases.entries().flatMap(([, lease]) => lease.keys))
      for (const epoch of LATE.map((second) => START / EPOCH + Math.floor(second / EPOCH))) {
        const all = openBatches(generation, archive, epoch, epoch + 1, (one) => at.blocks.get(one));
        expect(await failureOf(all.next())).to.include({ code: "ERR_OUTSIDE_COVER" });
      }
    const known = () => ({ consent: rig.write.consent, epochLength: EPOCH });
    for (const block of at.blocks.shelf.values())
      expect((await failureOf(openLetter(block, loot.hpke, PLACE, known))).code).to.be.oneOf([
        "ERR_HPKE_OPEN",
        "ERR_MALFORMED",
      ]);
  });
});
