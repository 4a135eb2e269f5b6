import { expect } from "chai";
import { network } from "hardhat";
import { deployGoverned, HOUR, KIND, STATUS } from "./governed.ts";
import { DAY, word } from "./ground.ts";

// accredit    given nothing: accredited from this block until its term · given the same kind: renewed
//             another kind, no term, too long a term, no credential, suspended, revoked: refuses
// suspend     at once · twice: nothing   resume   as before the suspension   revoke   for good
// statusAt    tells the past as it was
// keys        proposed: in force after two days · cancelled: never · retired: void at once, a proposal stays
describe("PartyRegistry", () => {
  const chain = network.create();
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  async function ground() {
    const parts = await deployGoverned(await chain);
    const { parties, registrar, protector, officer, manager, clinician, time, afterDelay } = parts;
    const until = (await time.latest()) + 100 * DAY;
    const accredit = (differs: { kind?: number; until?: number; digest?: string } = {}) =>
      parties
        .connect(registrar)
        .accredit(clinician, differs.kind ?? KIND.Clinician, differs.until ?? until, differs.digest ?? word());
    const statusNow = async () => parties.statusAt(clinician, await time.latest());
    const resume = () =>
      afterDelay("OFFICER", parties, parties.interface.encodeFunctionData("resume", [clinician.address]));
    return { ...parts, until, accredit, statusNow, resume, officer, manager, protects: parties.connect(protector) };
  }

  describe("accredit", () => {
    it("accredits from this block until the term ends, as that kind only", async () => {
      const { parties, registrar, clinician, until, accredit, statusNow, time } = await load();
      expect(await statusNow()).to.equal(STATUS.None);
      const digest = word();
      await expect(accredit({ digest }))
        .to.emit(parties, "PartyAccredited")
        .withArgs(clinician.address, registrar.address, KIND.Clinician, until, digest);
      expect(await parties.accreditationOf(clinician)).to.deep.equal([BigInt(KIND.Clinician), BigInt(until), digest]);
      const accreditedAt = await time.latest();
      expect(await parties.statusAt(clinician, accreditedAt - 1)).to.equal(STATUS.None);
      expect(await parties.statusAt(clinician, accreditedAt)).to.equal(STATUS.Accredited);
      expect(await parties.statusAt(clinician, until - 1)).to.equal(STATUS.Accredited);
      expect(await parties.statusAt(clinician, until)).to.equal(STATUS.Expired);
      for (const kind of Object.values(KIND)) {
        expect(await parties.isAccredited(clinician, kind), `${kind}`).to.equal(kind === KIND.Clinician);
      }
      await time.increaseTo(until - 1);
      expect(await parties.isAccredited(clinician, KIND.Clinician)).to.equal(true);
      await time.increaseTo(until);
      expect(await parties.isAccredited(clinician, KIND.Clinician)).to.equal(false);
    });

    it("renews, before and after the term has ended, and tells the gap", async () => {
      const { parties, clinician, until, accredit, time } = await load();
      await accredit();
      await accredit({ until: until + DAY });
      expect(await parties.statusAt(clinician, until)).to.equal(STATUS.Accredited);
      await time.increaseTo(until + 2 * DAY);
      await accredit({ until: until + 9 * DAY });
      expect(await parties.statusAt(clinician, until + DAY)).to.equal(STATUS.Expired);
      expect(await parties.isAccredited(clinician, KIND.Clinician)).to.equal(true);
    });

    it("refuses no kind, another kind and no credential", async () => {
      const { parties, accredit } = await load();
      await expect(accredit({ kind: KIND.None })).to.be.revertedWithCustomError(parties, "PartyKindMissing");
      await expect(accredit({ digest: `0x${"0".repeat(64)}` })).to.be.revertedWithCustomError(
        parties,
        "PartyCredentialMissing",
      );
      await accredit();
      await expect(accredit({ kind: KIND.Organisation }))
        .to.be.revertedWithCustomError(parties, "PartyKindDiffers")
        .withArgs(KIND.Clinician);
    });

    it("takes a term of up to three years, and none that has ended", async () => {
      const { parties, accredit, time } = await load();
      const longest = 3 * 365 * DAY;
      for (const term of [-1, 0, longest + 1, 2 ** 47]) {
        const now = (await time.latest()) + 10;
        await time.setNextBlockTimestamp(now);
        await expect(accredit({ until: now + term }))
          .to.be.revertedWithCustomError(parties, "PartyTermInvalid")
          .withArgs(now + term, now + longest);
      }
      for (const term of [1, longest]) {
        const now = (await time.latest()) + 10;
        await time.setNextBlockTimestamp(now);
        await expect(accredit({ until: now + term })).to.emit(parties, "PartyAccredited");
      }
    });
  });

  describe("suspend, resume, revoke", () => {
    it("suspends at once, and the past stays as it was", async () => {
      const { parties, protects, clinician, until, accredit, statusNow, time } = await load();
      await accredit();
      const before = await time.latest();
      await time.increase(DAY);
      await expect(protects.suspend(clinician)).to.emit(parties, "PartySuspended").withArgs(clinician.address);
      expect(await statusNow()).to.equal(STATUS.Suspended);
      expect(await parties.isAccredited(clinician, KIND.Clinician)).to.equal(false);
      expect(await parties.statusAt(clinician, before)).to.equal(STATUS.Accredited);
      expect(await parties.statusAt(clinician, (await time.latest()) - 1)).to.equal(STATUS.Accredited);
      expect(await parties.statusAt(clinician, until + DAY)).to.equal(STATUS.Suspended);
      await expect(protects.suspend(clinician)).to.not.emit(parties, "PartySuspended");
    });

    it("lets no registrar lift a suspension", async () => {
      const { parties, protects, clinician, accredit } = await load();
      await accredit();
      await protects.suspend(clinician);
      await expect(accredit()).to.be.revertedWithCustomError(parties, "PartyIsSuspended").withArgs(clinician.address);
    });

    it("resumes what was suspended", async () => {
      const { parties, protects, clinician, until, accredit, statusNow, resume, time } = await load();
      await accredit();
      await protects.suspend(clinician);
      const suspended = await time.latest();
      await resume();
      expect(await statusNow()).to.equal(STATUS.Accredited);
      expect(await parties.statusAt(clinician, suspended)).to.equal(STATUS.Suspended);
      expect(await parties.statusAt(clinician, until)).to.equal(STATUS.Expired);
    });

    it("resumes nobody who is not suspended", async () => {
      const { parties, clinician, accredit, resume } = await load();
      await accredit();
      await expect(resume()).to.be.revertedWithCustomError(parties, "PartyNotSuspended").withArgs(clinician.address);
    });

    it("revokes for good, suspended or not", async () => {
      const { parties, protects, clinician, accredit, statusNow, resume } = await load();
      await accredit();
      await protects.suspend(clinician);
      await expect(protects.revoke(clinician)).to.emit(parties, "PartyRevoked").withArgs(clinician.address);
      expect(await statusNow()).to.equal(STATUS.Revoked);
      await expect(protects.revoke(clinician)).to.not.emit(parties, "PartyRevoked");
      await expect(protects.suspend(clinician)).to.not.emit(parties, "PartySuspended");
      await expect(accredit())
        .to.be.revertedWithCustomError(parties, "PartyRevokedAlready")
        .withArgs(clinician.address);
      await expect(resume()).to.be.revertedWithCustomError(parties, "PartyRevokedAlready").withArgs(clinician.address);
      expect(await statusNow()).to.equal(STATUS.Revoked);
    });

    it("knows nothing of parties that were never accredited", async () => {
      const { parties, protects, stranger, clinician, resume } = await load();
      await expect(resume()).to.be.revertedWithCustomError(parties, "PartyUnknown").withArgs(clinician.address);
      for (const change of [protects.suspend(stranger), protects.revoke(stranger)]) {
        await expect(change).to.be.revertedWithCustomError(parties, "PartyUnknown").withArgs(stranger.address);
      }
    });

    it("takes several changes in one block for one: the last", async () => {
      const { parties, protects, clinician, accredit, time } = await load();
      const { ethers, networkHelpers } = await chain;
      await ethers.provider.send("evm_setAutomine", [false]);
      const now = (await time.latest()) + 10;
      await time.setNextBlockTimestamp(now);
      const options = { gasLimit: 300_000 };
      await accredit();
      await protects.suspend(clinician, options);
      await networkHelpers.mine();
      await ethers.provider.send("evm_setAutomine", [true]);
      expect(await parties.statusAt(clinician, now)).to.equal(STATUS.Suspended);
      expect(await parties.statusAt(clinician, now - 1)).to.equal(STATUS.None);
    });
  });

  describe("keys", () => {
    const NONE = [`0x${"0".repeat(64)}`, `0x${"0".repeat(64)}`, 0n];

    it("come into force two days after they were proposed, the first ones too", async () => {
      const { parties, clinician, time } = await load();
      const [hpkeKey, viewKey] = [word(), word()];
      const now = (await time.latest()) + 10;
      await time.setNextBlockTimestamp(now);
      await expect(parties.connect(clinician).proposeKeys(hpkeKey, viewKey))
        .to.emit(parties, "KeysProposed")
        .withArgs(clinician.address, hpkeKey, viewKey, now + 2 * DAY);
      const keys = [hpkeKey, viewKey, BigInt(now + 2 * DAY)];
      expect(await parties.proposedKeysOf(clinician)).to.deep.equal(keys);
      await time.increaseTo(now + 2 * DAY - 1);
      expect(await parties.keysOf(clinician)).to.deep.equal(NONE);
      await time.increaseTo(now + 2 * DAY);
      expect(await parties.keysOf(clinician)).to.deep.equal(keys);
      expect(await parties.proposedKeysOf(clinician)).to.deep.equal(NONE);
    });

    it("stay while others are proposed, and until these come into force", async () => {
      const { parties, clinician, time } = await load();
      const owned = parties.connect(clinician);
      const [first, second, third] = [word(), word(), word()];
      await owned.proposeKeys(first, word());
      await time.increase(2 * DAY);
      await owned.proposeKeys(second, word());
      expect((await parties.keysOf(clinician)).hpkeKey).to.equal(first);
      await time.increase(DAY);
      await owned.proposeKeys(third, word());
      await time.increase(DAY + HOUR);
      expect((await parties.keysOf(clinician)).hpkeKey, "the second was replaced in time").to.equal(first);
      await time.increase(DAY);
      expect((await parties.keysOf(clinician)).hpkeKey).to.equal(third);
    });

    it("are cancelled before they come into force, not after", async () => {
      const { parties, clinician, time } = await load();
      const owned = parties.connect(clinician);
      await expect(owned.cancelKeys()).to.be.revertedWithCustomError(parties, "PartyKeysNotProposed");
      const [first, second] = [word(), word()];
      await owned.proposeKeys(first, word());
      await time.increase(2 * DAY);
      await expect(owned.cancelKeys()).to.be.revertedWithCustomError(parties, "PartyKeysNotProposed");
      await owned.proposeKeys(second, word());
      await expect(owned.cancelKeys()).to.emit(parties, "KeysProposalCancelled").withArgs(clinician.address, second);
      await time.increase(9 * DAY);
      expect((await parties.keysOf(clinician)).hpkeKey).to.equal(first);
    });

    it("are retired at once; what was proposed comes into force at its time", async () => {
      const { parties, clinician, time } = await load();
      const owned = parties.connect(clinician);
      const [first, second] = [word(), word()];
      await owned.proposeKeys(first, word());
      await time.increase(2 * DAY);
      await owned.proposeKeys(second, word());
      await expect(owned.retireKeys(first)).to.emit(parties, "KeysRetired").withArgs(clinician.address, first);
      expect(await parties.keysOf(clinician)).to.deep.equal(NONE);
      await time.increase(2 * DAY - HOUR);
      expect(await parties.keysOf(clinician)).to.deep.equal(NONE);
      await time.increase(HOUR);
      expect((await parties.keysOf(clinician)).hpkeKey).to.equal(second);
    });

    it("are not retired by a transaction that was meant for others", async () => {
      const { parties, clinician, time } = await load();
      const owned = parties.connect(clinician);
      const zero = `0x${"0".repeat(64)}`;
      const [first, second] = [word(), word()];
      await expect(owned.retireKeys(zero)).to.be.revertedWithCustomError(parties, "PartyKeyNotInForce");
      await owned.proposeKeys(first, word());
      await expect(owned.retireKeys(first))
        .to.be.revertedWithCustomError(parties, "PartyKeyNotInForce")
        .withArgs(first, zero);
      await time.increase(2 * DAY);
      await owned.proposeKeys(second, word());
      await time.increase(2 * DAY);
      await expect(owned.retireKeys(first))
        .to.be.revertedWithCustomError(parties, "PartyKeyNotInForce")
        .withArgs(first, second);
      await owned.retireKeys(second);
      await expect(owned.retireKeys(second)).to.be.revertedWithCustomError(parties, "PartyKeyNotInForce");
      expect(await parties.keysOf(clinician), "the one before does not come back").to.deep.equal(NONE);
    });

    it("are two digests", async () => {
      const { parties, clinician } = await load();
      const zero = `0x${"0".repeat(64)}`;
      for (const [hpkeKey, viewKey] of [
        [zero, word()],
        [word(), zero],
      ] as const) {
        await expect(parties.connect(clinician).proposeKeys(hpkeKey, viewKey)).to.be.revertedWithCustomError(
          parties,
          "PartyKeyMissing",
        );
      }
    });

    it("are each party's own", async () => {
      const { parties, clinician, stranger, time } = await load();
      const key = word();
      await parties.connect(clinician).proposeKeys(key, word());
      await time.increase(2 * DAY);
      await parties.connect(stranger).proposeKeys(word(), word());
      await expect(parties.connect(stranger).retireKeys(key)).to.be.revertedWithCustomError(
        parties,
        "PartyKeyNotInForce",
      );
      await parties.connect(stranger).cancelKeys();
      expect((await parties.keysOf(clinician)).hpkeKey).to.equal(key);
    });
  });
});
