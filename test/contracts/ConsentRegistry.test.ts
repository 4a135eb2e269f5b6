import { expect } from "chai";
import { network } from "hardhat";
import { consentId } from "../../src/consent/consent.ts";
import { consentOf, DAY, deployBoth, MINUTE, signGrant, signRevoke, signRevokeAll, word } from "./ground.ts";

// grant       given nothing: in force from this block · granted or revoked or ended in this second before: refuses
// grantBySig  given a fresh message: in force, whoever relays · too early, too late, held back too long: refuses
//             given an older or newer one of the same consent: refuses · takes it
// revoke      given a grant: ends it · given none: stops the grant still out · given an end: does nothing
// revokeAll   ends what was issued up to it, granted or out, and nothing later · never goes back
describe("ConsentRegistry", () => {
  const chain = network.create();

  async function ground() {
    const connection = await chain;
    const parts = await deployBoth(connection);
    const consent = consentOf(parts.patient.address, parts.clinician.address);
    return { ...parts, consent, id: consentId(consent), time: connection.networkHelpers.time };
  }
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  it("names its EIP-712 domain", async () => {
    const { registry, domain } = await load();
    const { name, version, chainId, verifyingContract } = await registry.eip712Domain();
    expect({ name, version, chainId: Number(chainId), verifyingContract }).to.deep.equal(domain);
  });

  it("has no way to change its code", async () => {
    const { registry, anchor } = await load();
    for (const contract of [registry, anchor]) {
      const entries = contract.interface.fragments.filter(({ type }) => type === "function");
      expect(entries.map((entry) => entry.format())).to.not.match(/owner|upgrade|initiali|admin|pause/i);
    }
  });

  it("computes the id that the SDK computes", async () => {
    const { registry, patient, clinician } = await load();
    for (const purpose of ["TREAT", "", "HRESCH+DUO:0000042", "ü".repeat(100)]) {
      const consent = consentOf(patient.address, clinician.address, { purpose, actions: 127, parent: word() });
      expect(await registry.consentIdOf(consent)).to.equal(consentId(consent));
    }
  });

  describe("grant", () => {
    it("puts the caller's consent in force from this block", async () => {
      const { registry, patient, id, time } = await load();
      expect(await registry.isActive(patient, id)).to.equal(false);
      const granting = registry.connect(patient).grant(id);
      await expect(granting).to.emit(registry, "ConsentGranted");
      const now = BigInt(await time.latest());
      await expect(granting).to.emit(registry, "ConsentGranted").withArgs(patient.address, id, now);
      expect(await registry.entryOf(patient, id)).to.deep.equal([now, now, 0n]);
      expect(await registry.isActive(patient, id)).to.equal(true);
    });

    it("puts it in force for nobody else", async () => {
      const { registry, patient, stranger, id } = await load();
      await registry.connect(stranger).grant(id);
      expect(await registry.isActive(patient, id)).to.equal(false);
    });

    it("refuses a consent that was revoked, even before it was ever granted", async () => {
      const { registry, patient, id, time } = await load();
      await registry.connect(patient).revoke(id);
      await expect(registry.connect(patient).grant(id))
        .to.be.revertedWithCustomError(registry, "ConsentRevokedAlready")
        .withArgs(id, await time.latest());
    });

    it("takes it again after revokeAll, but not in the same second", async () => {
      const { registry, patient, id, time } = await load();
      const owned = registry.connect(patient);
      await owned.grant(id);
      const { networkHelpers, ethers } = await chain;
      await ethers.provider.send("evm_setAutomine", [false]);
      const now = (await time.latest()) + 10;
      await time.setNextBlockTimestamp(now);
      await owned.revokeAll({ gasLimit: 100_000 });
      const tied = await owned.grant(word(), { gasLimit: 100_000 });
      await networkHelpers.mine();
      await ethers.provider.send("evm_setAutomine", [true]);
      expect((await ethers.provider.getTransactionReceipt(tied.hash))?.status).to.equal(0);
      expect(await registry.isActive(patient, id)).to.equal(false);

      await owned.grant(id);
      expect(await registry.isActive(patient, id)).to.equal(true);
    });
  });

  describe("grantBySig", () => {
    async function signed() {
      const parts = await ground();
      const issuedAt = await parts.time.latest();
      const grant = await signGrant(parts.patient, parts.domain, parts.consent, issuedAt);
      return { ...parts, grant };
    }
    const loadSigned = async () => (await chain).networkHelpers.loadFixture(signed);

    it("puts the grantor's consent in force, whoever relays it", async () => {
      const { registry, patient, relayer, id, grant, time } = await loadSigned();
      const { issuedAt, deadline, signature } = grant;
      await expect(registry.connect(relayer).grantBySig(patient, id, issuedAt, deadline, signature))
        .to.emit(registry, "ConsentGranted")
        .withArgs(patient.address, id, issuedAt);
      expect(await registry.entryOf(patient, id)).to.deep.equal([BigInt(issuedAt), BigInt(await time.latest()), 0n]);
      expect(await registry.isActive(patient, id)).to.equal(true);
    });

    it("refuses the same message again, and an older one", async () => {
      const { registry, patient, consent, domain, id, grant } = await loadSigned();
      await registry.grantBySig(patient, id, grant.issuedAt, grant.deadline, grant.signature);
      const older = await signGrant(patient, domain, consent, grant.issuedAt - 1);
      for (const { issuedAt, deadline, signature } of [grant, older]) {
        await expect(registry.grantBySig(patient, id, issuedAt, deadline, signature))
          .to.be.revertedWithCustomError(registry, "ConsentGrantedAlready")
          .withArgs(id, grant.issuedAt);
      }
    });

    it("takes a newer message of the same consent", async () => {
      const { registry, patient, consent, domain, id, grant } = await loadSigned();
      await registry.grantBySig(patient, id, grant.issuedAt, grant.deadline, grant.signature);
      const newer = await signGrant(patient, domain, consent, grant.issuedAt + 1);
      await registry.grantBySig(patient, id, newer.issuedAt, newer.deadline, newer.signature);
      expect((await registry.entryOf(patient, id)).issuedAt).to.equal(newer.issuedAt);
    });

    it("refuses a grant signed before revokeAll", async () => {
      const { registry, patient, relayer, id, grant, time } = await loadSigned();
      await registry.connect(patient).revokeAll();
      const endedBefore = await time.latest();
      const { issuedAt, deadline, signature } = grant;
      await expect(registry.connect(relayer).grantBySig(patient, id, issuedAt, deadline, signature))
        .to.be.revertedWithCustomError(registry, "ConsentIssuedBeforeRevokeAll")
        .withArgs(issuedAt, endedBefore);
    });

    it("takes an issue time up to 15 minutes ahead, and none later", async () => {
      const { registry, patient, consent, domain, id, time } = await loadSigned();
      const now = (await time.latest()) + 10;
      const bound = now + 15 * MINUTE;
      const future = await signGrant(patient, domain, consent, bound + 1);
      await time.setNextBlockTimestamp(now);
      await expect(registry.grantBySig(patient, id, future.issuedAt, future.deadline, future.signature))
        .to.be.revertedWithCustomError(registry, "ConsentIssuedInFuture")
        .withArgs(bound + 1, bound);
      const last = 2 ** 48 - 1;
      const never = await signGrant(patient, domain, consent, last, last);
      await expect(registry.grantBySig(patient, id, last, last, never.signature)).to.be.revertedWithCustomError(
        registry,
        "ConsentIssuedInFuture",
      );
      const latest = await signGrant(patient, domain, consent, bound);
      await time.setNextBlockTimestamp(now);
      await registry.grantBySig(patient, id, latest.issuedAt, latest.deadline, latest.signature);
      expect(await registry.isActive(patient, id)).to.equal(true);
    });

    it("refuses it a second after its deadline", async () => {
      const { registry, patient, id, grant, time } = await loadSigned();
      const { issuedAt, deadline, signature } = grant;
      await time.setNextBlockTimestamp(deadline + 1);
      await expect(registry.grantBySig(patient, id, issuedAt, deadline, signature))
        .to.be.revertedWithCustomError(registry, "ConsentDeadlinePassed")
        .withArgs(deadline);
    });

    it("takes it in the second of its deadline", async () => {
      const { registry, patient, id, grant, time } = await loadSigned();
      await time.setNextBlockTimestamp(grant.deadline);
      await registry.grantBySig(patient, id, grant.issuedAt, grant.deadline, grant.signature);
      expect(await registry.isActive(patient, id)).to.equal(true);
    });

    it("refuses a deadline more than 7 days after the issue", async () => {
      const { registry, patient, consent, domain, id, grant } = await loadSigned();
      const bound = grant.issuedAt + 7 * DAY;
      const late = await signGrant(patient, domain, consent, grant.issuedAt, bound + 1);
      await expect(registry.grantBySig(patient, id, late.issuedAt, late.deadline, late.signature))
        .to.be.revertedWithCustomError(registry, "ConsentDeadlineTooLate")
        .withArgs(bound + 1, bound);
    });
  });

  describe("revoke", () => {
    it("ends a consent from this block for good", async () => {
      const { registry, patient, id, time } = await load();
      await registry.connect(patient).grant(id);
      const granted = BigInt(await time.latest());
      await expect(registry.connect(patient).revoke(id))
        .to.emit(registry, "ConsentRevoked")
        .withArgs(patient.address, id);
      expect(await registry.isActive(patient, id)).to.equal(false);
      expect(await registry.entryOf(patient, id)).to.deep.equal([granted, granted, BigInt(await time.latest())]);
      await expect(registry.connect(patient).grant(id)).to.be.revertedWithCustomError(
        registry,
        "ConsentRevokedAlready",
      );
    });

    it("stops a signed grant that is still out", async () => {
      const { registry, patient, consent, domain, id, time } = await load();
      const grant = await signGrant(patient, domain, consent, await time.latest());
      await registry.revokeBySig(patient, id, await signRevoke(patient, domain, consent));
      await expect(
        registry.grantBySig(patient, id, grant.issuedAt, grant.deadline, grant.signature),
      ).to.be.revertedWithCustomError(registry, "ConsentRevokedAlready");
    });

    it("does nothing the second time, direct or relayed", async () => {
      const { registry, patient, consent, domain, id } = await load();
      await registry.connect(patient).revoke(id);
      const before = await registry.entryOf(patient, id);
      const signature = await signRevoke(patient, domain, consent);
      await expect(registry.connect(patient).revoke(id)).to.not.emit(registry, "ConsentRevoked");
      await expect(registry.revokeBySig(patient, id, signature)).to.not.emit(registry, "ConsentRevoked");
      expect(await registry.entryOf(patient, id)).to.deep.equal(before);
    });

    it("is relayed by anybody, years later", async () => {
      const { registry, patient, stranger, consent, domain, id, time } = await load();
      const signature = await signRevoke(patient, domain, consent);
      await registry.connect(patient).grant(id);
      await time.increase(3650 * DAY);
      await expect(registry.connect(stranger).revokeBySig(patient, id, signature))
        .to.emit(registry, "ConsentRevoked")
        .withArgs(patient.address, id);
    });

    it("ends nobody else's consent of the same id", async () => {
      const { registry, patient, stranger, id } = await load();
      await registry.connect(patient).grant(id);
      await registry.connect(stranger).revoke(id);
      expect(await registry.isActive(patient, id)).to.equal(true);
    });
  });

  describe("revokeAll", () => {
    it("ends every consent of the caller, and none granted later", async () => {
      const { registry, patient, stranger, time } = await load();
      const ids = [word(), word(), word()];
      for (const id of ids) await registry.connect(patient).grant(id);
      await registry.connect(stranger).grant(word());
      const revoking = registry.connect(patient).revokeAll();
      await expect(revoking).to.emit(registry, "AllConsentsRevoked");
      const now = BigInt(await time.latest());
      await expect(revoking).to.emit(registry, "AllConsentsRevoked").withArgs(patient.address, now);
      expect(await registry.endedBefore(patient)).to.equal(now);
      expect(await registry.endedBefore(stranger)).to.equal(0n);
      for (const id of ids) expect(await registry.isActive(patient, id)).to.equal(false);
      const later = word();
      await registry.connect(patient).grant(later);
      expect(await registry.isActive(patient, later)).to.equal(true);
    });

    it("ends, when relayed late, what was issued before it was signed and nothing after", async () => {
      const { registry, patient, relayer, clinician, domain, time } = await load();
      const signedAt = await time.latest();
      const signature = await signRevokeAll(patient, domain, patient.address, signedAt);
      const ended = consentOf(patient.address, clinician.address);
      const kept = consentOf(patient.address, clinician.address);
      for (const [consent, issuedAt] of [
        [ended, signedAt],
        [kept, signedAt + 1],
      ] as const) {
        const grant = await signGrant(patient, domain, consent, issuedAt);
        await registry.grantBySig(patient, grant.id, grant.issuedAt, grant.deadline, grant.signature);
      }
      await expect(registry.connect(relayer).revokeAllBySig(patient, signedAt, signature))
        .to.emit(registry, "AllConsentsRevoked")
        .withArgs(patient.address, signedAt);
      expect(await registry.isActive(patient, consentId(ended))).to.equal(false);
      expect(await registry.isActive(patient, consentId(kept))).to.equal(true);
    });

    it("never goes back: an older message, or the same again, does nothing", async () => {
      const { registry, patient, domain, time } = await load();
      const now = await time.latest();
      const ahead = now + 10 * MINUTE;
      for (const issuedAt of [ahead, ahead, now]) {
        const signature = await signRevokeAll(patient, domain, patient.address, issuedAt);
        const revoking = registry.revokeAllBySig(patient, issuedAt, signature);
        if (issuedAt === ahead && (await registry.endedBefore(patient)) === 0n) await revoking;
        else await expect(revoking).to.not.emit(registry, "AllConsentsRevoked");
      }
      await registry.connect(patient).revokeAll();
      expect(await registry.endedBefore(patient)).to.equal(ahead);
    });

    it("refuses an issue time more than 15 minutes ahead", async () => {
      const { registry, patient, domain, time } = await load();
      const now = (await time.latest()) + 10;
      const issuedAt = now + 15 * MINUTE + 1;
      const signature = await signRevokeAll(patient, domain, patient.address, issuedAt);
      await time.setNextBlockTimestamp(now);
      await expect(registry.revokeAllBySig(patient, issuedAt, signature))
        .to.be.revertedWithCustomError(registry, "ConsentIssuedInFuture")
        .withArgs(issuedAt, issuedAt - 1);
    });
  });
});
