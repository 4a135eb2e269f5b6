import { expect } from "chai";
import { hex0x } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import type { Disclosure } from "../../src/disclosure/receipt.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { MemoryBook } from "./book.ts";
import { openRig, outside } from "./rig.ts";
import { failureOf } from "./times.ts";

describe("receipts of what is released", () => {
  it("stand before envelopes leave: without the one there is not the other", async () => {
    const book = new MemoryBook();
    const rig = await openRig("receipts", book);
    const lee = await rig.newParty("Dr Lee");
    const consent = rig.consent(lee);
    const envelope = await rig.release(consent.id);
    const leases = book.written.filter(({ act }) => act === "leased");
    expect(leases.map(({ consent: id }) => id)).to.deep.equal([rig.write.id]);
    const { grantee, dataStart, dataEnd } = consent.consent;
    expect(book.written.at(-1)).to.deep.equal({
      act: "released",
      consent: consent.id,
      grantee,
      dataStart,
      dataEnd,
      envelopes: [hex0x(sha256(envelope))],
      reason: "",
    });
    expect(consent.releasedAt).to.equal(book.clock);

    book.broken = true;
    expect(await failureOf(rig.patient.release(consent.id, "a patient"))).to.include({ message: "disk full" });
    expect(await failureOf(rig.patient.lease(rig.write.id, "a patient"))).to.include({ message: "disk full" });
    const gateway = new Gateway({ ...rig.deps(outside()), receipts: book });
    expect(await failureOf(gateway.post(envelope, lee.party.recipient.viewKey))).to.include({ message: "disk full" });
  });

  it("are written of refusals too", async () => {
    const book = new MemoryBook();
    const rig = await openRig("refused", book);
    const lee = await rig.newParty("Dr Lee");
    const consent = rig.consent(lee);
    // No gateway has confirmed that it heeds its end; then it ends.
    expect(await failureOf(rig.patient.release(consent.id, "a patient"))).to.include({ code: "ERR_RELEASE_REFUSED" });
    rig.watch.endedIds.add(consent.id);
    expect(await failureOf(rig.patient.release(consent.id, "a patient"))).to.include({ code: "ERR_RELEASE_REFUSED" });
    expect(await failureOf(rig.patient.lease(consent.id, "a patient"))).to.include({ code: "ERR_RELEASE_REFUSED" });
    const denied = book.written.map(({ act, consent: id, reason }) => [act, id, reason]);
    expect(denied).to.deep.equal(Array.from({ length: 3 }, () => ["denied", consent.id, "ERR_RELEASE_REFUSED"]));
    expect(consent.releasedAt).to.equal(0);
  });

  it("of a gateway say which envelope it carried, and neither whose nor for whom", async () => {
    const book = new MemoryBook();
    const rig = await openRig("carried");
    const lee = await rig.newParty("Dr Lee");
    const envelope = await rig.release(rig.consent(lee).id);
    const gateway = new Gateway({ ...rig.deps(outside()), receipts: book });
    await gateway.post(envelope, lee.party.recipient.viewKey);
    const [carried] = book.written as [Disclosure];
    expect(carried.envelopes).to.deep.equal([hex0x(sha256(envelope))]);
    expect(JSON.stringify(carried)).to.not.include(lee.party.address).and.not.include(rig.write.consent.grantor);
  });
});
