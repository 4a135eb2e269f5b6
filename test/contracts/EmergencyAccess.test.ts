import { expect } from "chai";
import { network } from "hardhat";
import { commitmentOf, CO_SIGN_TYPES } from "../../src/emergency/typed-data.ts";
import { deployHospital, HOUR, KIND, ROLE_STATUS } from "./governed.ts";
import { badForms, DAY, word } from "./ground.ts";

const NONE = `0x${"0".repeat(64)}`;

// declare     given two clinicians of one team: open at once, for its term · anything missing or forged: refuses
// isOpen      until the end of the term, of the role, of the team, of an accreditation, whichever comes first
// review      by others, after the end, oldest first, within 14 days or the role is lost · not justified: suspends
// quota       a number a week
describe("EmergencyAccess", () => {
  const chain = network.create();
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  async function ground() {
    const parts = await deployHospital(await chain);
    const { emergency, clinician, reviewer, protector, organisation } = parts;
    const officerDoes = (data: string) => parts.afterDelay("OFFICER", emergency, data);
    const reinstate = (account: { address: string }) =>
      officerDoes(emergency.interface.encodeFunctionData("reinstate", [account.address]));
    const setQuota = (quota: number) =>
      officerDoes(emergency.interface.encodeFunctionData("setQuota", [organisation.address, quota]));
    return {
      ...parts,
      reinstate,
      setQuota,
      declares: emergency.connect(clinician),
      reviews: emergency.connect(reviewer),
      protects: emergency.connect(protector),
      organises: emergency.connect(organisation),
    };
  }

  it("computes the commitment that the SDK computes, and names its domain", async () => {
    const { emergency, domain, declarationOf } = await load();
    for (const reason of ["", "ü".repeat(100)]) {
      const declaration = declarationOf({ reason });
      expect(await emergency.commitmentOf(declaration)).to.equal(commitmentOf(declaration));
    }
    const { name, version, chainId, verifyingContract } = await emergency.eip712Domain();
    expect({ name, version, chainId: Number(chainId), verifyingContract }).to.deep.equal(domain);
  });

  describe("declare", () => {
    it("opens an emergency in this block, for its term", async () => {
      const { emergency, declares, clinician, colleague, organisation, coSigned, time } = await load();
      const { commitment, args } = await coSigned({}, 3600);
      const now = (await time.latest()) + 10;
      await time.setNextBlockTimestamp(now);
      await expect(declares.declare(...args))
        .to.emit(emergency, "EmergencyDeclared")
        .withArgs(clinician.address, organisation.address, commitment, colleague.address, now + 3600);
      expect(await emergency.isOpen(clinician, commitment)).to.equal(true);
      expect(await emergency.emergencyOf(clinician, commitment)).to.deep.equal([
        organisation.address,
        BigInt(now),
        BigInt(now + 3600),
        colleague.address,
        0n,
        false,
      ]);
      expect(await emergency.recordOf(clinician)).to.deep.equal([1n, 0n, BigInt(now + 14 * DAY)]);
      expect(await emergency.quotaOf(organisation)).to.deep.equal([3n, 1n]);
      await time.increaseTo(now + 3599);
      expect(await emergency.isOpen(clinician, commitment)).to.equal(true);
      await time.increaseTo(now + 3600);
      expect(await emergency.isOpen(clinician, commitment)).to.equal(false);
    });

    it("takes a term of up to four hours", async () => {
      const { emergency, declares, coSigned } = await load();
      for (const term of [0, 4 * HOUR + 1, 2 ** 48 - 1]) {
        const { args } = await coSigned({}, term);
        await expect(declares.declare(...args))
          .to.be.revertedWithCustomError(emergency, "EmergencyTermInvalid")
          .withArgs(term, 4 * HOUR);
      }
      for (const term of [1, 4 * HOUR]) {
        const { args } = await coSigned({}, term);
        await expect(declares.declare(...args)).to.emit(emergency, "EmergencyDeclared");
      }
    });

    it("refuses the same declaration again, after its end too", async () => {
      const { emergency, declares, clinician, coSigned } = await load();
      const { commitment, args } = await coSigned();
      await declares.declare(...args);
      const { declaredAt } = await emergency.emergencyOf(clinician, commitment);
      await declares.end(commitment);
      await expect(declares.declare(...args))
        .to.be.revertedWithCustomError(emergency, "EmergencyDeclaredAlready")
        .withArgs(commitment, declaredAt);
    });

    it("cannot be forestalled by another clinician with the same commitment", async () => {
      const { emergency, declares, clinician, colleague, organisation, domain, coSigned, time } = await load();
      const { declaration, commitment, args } = await coSigned();
      // The colleague copies it, with the clinician's signature over it.
      const deadline = (await time.latest()) + 600;
      const message = { declaration, organisation: organisation.address, term: 60, deadline };
      const signature = await clinician.signTypedData(domain, CO_SIGN_TYPES, message);
      await emergency.connect(colleague).declare(organisation, commitment, 60, clinician, deadline, signature);
      expect(await emergency.isOpen(clinician, commitment)).to.equal(false);
      await declares.declare(...args);
      expect(await emergency.isOpen(clinician, commitment)).to.equal(true);
    });

    it("needs a co-signature of somebody else for exactly this, in time", async () => {
      const { emergency, parties, registrar, declares, clinician, colleague, stranger, ...rest } = await load();
      const { organisation, coSigned, time } = rest;
      const { commitment, args } = await coSigned();
      const [, , term, , deadline, signature] = args;
      const changed = {
        organisation: [stranger.address, commitment, term, colleague.address, deadline, signature],
        commitment: [organisation.address, word(), term, colleague.address, deadline, signature],
        term: [organisation.address, commitment, term - 1, colleague.address, deadline, signature],
        deadline: [organisation.address, commitment, term, colleague.address, deadline + 1, signature],
      } as const;
      const inForm = Object.entries(badForms(signature)).map(
        ([form, bytes]) =>
          [form, [organisation.address, commitment, term, colleague.address, deadline, bytes]] as const,
      );
      // Another organisation with the same team, so that nothing but the signature is wrong.
      await parties.connect(registrar).accredit(stranger, KIND.Organisation, (await time.latest()) + DAY, word());
      for (const member of [clinician, colleague]) await emergency.connect(stranger).admit(member);
      for (const [what, forged] of [...Object.entries(changed), ...inForm]) {
        await expect(declares.declare(...forged), what).to.be.revertedWithCustomError(
          emergency,
          "EmergencyCoSignatureInvalid",
        );
      }
      const forgedSigner = await coSigned({}, term, clinician);
      await expect(declares.declare(...forgedSigner.args)).to.be.revertedWithCustomError(
        emergency,
        "EmergencyCoSignatureInvalid",
      );
      const own = await coSigned({ coSigner: clinician.address as `0x${string}` }, term, clinician);
      await expect(declares.declare(...own.args)).to.be.revertedWithCustomError(
        emergency,
        "EmergencyCoSignerIsDeclarant",
      );
      await time.setNextBlockTimestamp(deadline + 1);
      await expect(declares.declare(...args))
        .to.be.revertedWithCustomError(emergency, "EmergencyDeadlinePassed")
        .withArgs(deadline);
    });

    it("takes it in the second of its deadline", async () => {
      const { emergency, declares, coSigned, time } = await load();
      const { args } = await coSigned();
      await time.setNextBlockTimestamp(args[4]);
      await expect(declares.declare(...args)).to.emit(emergency, "EmergencyDeclared");
    });

    it("is refused on another chain and another contract", async () => {
      const { emergency, declares, colleague, organisation, domain, declarationOf, time } = await load();
      for (const foreign of [
        { ...domain, chainId: 1 },
        { ...domain, verifyingContract: organisation.address },
      ]) {
        const declaration = declarationOf();
        const deadline = (await time.latest()) + 600;
        const message = { declaration, organisation: organisation.address, term: 60, deadline };
        const signature = await colleague.signTypedData(foreign, CO_SIGN_TYPES, message);
        await expect(
          declares.declare(organisation, commitmentOf(declaration), 60, colleague, deadline, signature),
        ).to.be.revertedWithCustomError(emergency, "EmergencyCoSignatureInvalid");
      }
    });

    it("takes the word of a co-signer's contract", async () => {
      const { emergency, parties, registrar, declares, organises, colleague, coSigned, time } = await load();
      const { ethers } = await chain;
      const wallet = await ethers.deployContract("OwnedWallet", [colleague]);
      const coSigner = (await wallet.getAddress()) as `0x${string}`;
      await parties.connect(registrar).accredit(coSigner, KIND.Clinician, (await time.latest()) + DAY, word());
      await organises.admit(coSigner);
      const { args } = await coSigned({ coSigner });
      await expect(declares.declare(...args)).to.emit(emergency, "EmergencyDeclared");
      const next = await coSigned({ coSigner });
      await wallet.getFunction("renounce")();
      await expect(declares.declare(...next.args)).to.be.revertedWithCustomError(
        emergency,
        "EmergencyCoSignatureInvalid",
      );
    });

    it("is refused to whoever does not hold the role, declarant or co-signer, and says why", async () => {
      const { emergency, organises, clinician, colleague, stranger, organisation, coSigned, ...rest } = await load();
      const { parties, registrar, protects, protector, time } = rest;
      const refused = async (who: { address: string }, status: bigint) => {
        const { args } = await coSigned();
        expect(await emergency.roleStatus(organisation, who.address)).to.equal(status);
        await expect(emergency.connect(clinician).declare(...args))
          .to.be.revertedWithCustomError(emergency, "EmergencyRoleNotHeld")
          .withArgs(organisation.address, who.address, status);
      };
      const { networkHelpers } = await chain;
      for (const who of [clinician, colleague]) {
        const before = await networkHelpers.takeSnapshot();
        await organises.dismiss(who);
        await refused(who, ROLE_STATUS.NotOnTeam);
        await before.restore();
        await protects.suspend(who);
        await refused(who, ROLE_STATUS.ClinicianSuspended);
        await before.restore();
        await parties.connect(protector).suspend(who);
        await refused(who, ROLE_STATUS.ClinicianNotAccredited);
        await before.restore();
      }
      const before = await networkHelpers.takeSnapshot();
      await protects.suspend(organisation);
      await refused(clinician, ROLE_STATUS.OrganisationSuspended);
      await before.restore();
      await parties.connect(protector).revoke(organisation);
      await refused(clinician, ROLE_STATUS.OrganisationNotAccredited);
      await before.restore();
      // A party of another kind is no clinician, whoever has it on a team.
      await parties.connect(registrar).accredit(stranger, KIND.Researcher, (await time.latest()) + DAY, word());
      await organises.admit(stranger);
      expect(await emergency.roleStatus(organisation, stranger)).to.equal(ROLE_STATUS.ClinicianNotAccredited);
      expect(await emergency.roleStatus(stranger, clinician)).to.equal(ROLE_STATUS.OrganisationNotAccredited);
    });

    it("is refused beyond the quota of the week, and taken again the next", async () => {
      const { emergency, clinician, organisation, coSigned, declared, time } = await load();
      const week = Math.floor((await time.latest()) / (7 * DAY));
      for (let i = 0; i < 3; i++) await declared();
      const { args } = await coSigned();
      await expect(emergency.connect(clinician).declare(...args))
        .to.be.revertedWithCustomError(emergency, "EmergencyQuotaUsed")
        .withArgs(organisation.address, 3);
      expect(await emergency.quotaOf(organisation)).to.deep.equal([3n, 3n]);
      await time.increaseTo((week + 1) * 7 * DAY);
      expect(await emergency.quotaOf(organisation)).to.deep.equal([3n, 0n]);
      for (let i = 0; i < 3; i++) await declared();
      expect(await emergency.quotaOf(organisation)).to.deep.equal([3n, 3n]);
    });
  });

  describe("an open emergency", () => {
    it("is ended by its declarant, once", async () => {
      const { emergency, declares, clinician, colleague, declared } = await load();
      const commitment = await declared();
      await expect(emergency.connect(colleague).end(commitment))
        .to.be.revertedWithCustomError(emergency, "EmergencyUnknown")
        .withArgs(colleague.address, commitment);
      await expect(declares.end(commitment))
        .to.emit(emergency, "EmergencyEnded")
        .withArgs(clinician.address, commitment);
      expect(await emergency.isOpen(clinician, commitment)).to.equal(false);
      await expect(declares.end(commitment))
        .to.be.revertedWithCustomError(emergency, "EmergencyNotOpen")
        .withArgs(clinician.address, commitment);
    });

    it("cannot be ended after its term, which would move its end", async () => {
      const { emergency, declares, clinician, declared, time } = await load();
      const commitment = await declared(60);
      const { declaredAt, endsAt } = await emergency.emergencyOf(clinician, commitment);
      expect(endsAt - declaredAt).to.equal(60n);
      for (const late of [0n, 1n]) {
        await time.setNextBlockTimestamp(endsAt + late);
        await expect(declares.end(commitment)).to.be.revertedWithCustomError(emergency, "EmergencyNotOpen");
      }
      expect((await emergency.emergencyOf(clinician, commitment)).endsAt).to.equal(endsAt);
    });

    it("closes with the role of its declarant", async () => {
      const { emergency, parties, organises, protects, protector, clinician, organisation, declared } = await load();
      const { networkHelpers } = await chain;
      const commitment = await declared();
      const before = await networkHelpers.takeSnapshot();
      for (const stop of [
        () => organises.dismiss(clinician),
        () => protects.suspend(clinician),
        () => protects.suspend(organisation),
        () => parties.connect(protector).suspend(clinician),
        () => parties.connect(protector).revoke(organisation),
      ]) {
        await stop();
        expect(await emergency.isOpen(clinician, commitment), stop.toString()).to.equal(false);
        await before.restore();
      }
      expect(await emergency.isOpen(clinician, commitment)).to.equal(true);
    });

    it("takes notices of custodians while it is open, and changes nothing by them", async () => {
      const { emergency, declares, clinician, custodian, declared } = await load();
      const commitment = await declared();
      const before = await emergency.emergencyOf(clinician, commitment);
      const notice = word();
      await expect(emergency.connect(custodian).postNotice(clinician, commitment, notice))
        .to.emit(emergency, "NoticePosted")
        .withArgs(custodian.address, clinician.address, commitment, notice);
      expect(await emergency.emergencyOf(clinician, commitment)).to.deep.equal(before);
      await declares.end(commitment);
      for (const closed of [commitment, word()]) {
        await expect(emergency.connect(custodian).postNotice(clinician, closed, notice))
          .to.be.revertedWithCustomError(emergency, "EmergencyNotOpen")
          .withArgs(clinician.address, closed);
      }
    });
  });

  describe("review", () => {
    it("is recorded once the emergency is over, the oldest first", async () => {
      const { emergency, reviews, reviewer, clinician, declared, time } = await load();
      const [first, second] = [await declared(), await declared()];
      const due = (await emergency.emergencyOf(clinician, second)).declaredAt + BigInt(14 * DAY);
      await time.increase(4 * HOUR);
      await expect(reviews.review(clinician, second, NONE, true, word()))
        .to.be.revertedWithCustomError(emergency, "EmergencyReviewOutOfOrder")
        .withArgs(1, 0);
      const report = word();
      await expect(reviews.review(clinician, first, second, true, report))
        .to.emit(emergency, "EmergencyReviewed")
        .withArgs(clinician.address, first, reviewer.address, true, report);
      expect(await emergency.recordOf(clinician)).to.deep.equal([2n, 1n, due]);
      expect((await emergency.emergencyOf(clinician, first)).reviewed).to.equal(true);
      expect((await emergency.emergencyOf(clinician, second)).reviewed).to.equal(false);
      expect((await emergency.emergencyOf(clinician, word())).reviewed, "there is none").to.equal(false);
      await expect(reviews.review(clinician, first, second, false, report))
        .to.be.revertedWithCustomError(emergency, "EmergencyReviewOutOfOrder")
        .withArgs(0, 1);
      await reviews.review(clinician, second, NONE, true, report);
      expect(await emergency.recordOf(clinician)).to.deep.equal([2n, 2n, 0n]);
    });

    it("is refused while the emergency runs, unless it was ended", async () => {
      const { emergency, declares, reviews, clinician, declared } = await load();
      const commitment = await declared();
      const { endsAt } = await emergency.emergencyOf(clinician, commitment);
      await expect(reviews.review(clinician, commitment, NONE, true, word()))
        .to.be.revertedWithCustomError(emergency, "EmergencyNotOver")
        .withArgs(endsAt);
      await declares.end(commitment);
      await expect(reviews.review(clinician, commitment, NONE, true, word())).to.emit(emergency, "EmergencyReviewed");
    });

    it("must name the next emergency, and none when there is none", async () => {
      const { emergency, reviews, clinician, declared, time } = await load();
      const [first, second, third] = [await declared(), await declared(), await declared()];
      await time.increase(4 * HOUR);
      for (const next of [NONE, first, third, word()]) {
        await expect(reviews.review(clinician, first, next, true, word()))
          .to.be.revertedWithCustomError(emergency, "EmergencyNextMismatch")
          .withArgs(next);
      }
      await reviews.review(clinician, first, second, true, word());
      await reviews.review(clinician, second, third, true, word());
      for (const next of [first, third, word()]) {
        await expect(reviews.review(clinician, third, next, true, word())).to.be.revertedWithCustomError(
          emergency,
          "EmergencyNextMismatch",
        );
      }
      await reviews.review(clinician, third, NONE, true, word());
    });

    it("is refused for what was never declared", async () => {
      const { emergency, reviews, clinician } = await load();
      const commitment = word();
      await expect(reviews.review(clinician, commitment, NONE, true, word()))
        .to.be.revertedWithCustomError(emergency, "EmergencyUnknown")
        .withArgs(clinician.address, commitment);
      await expect(emergency.connect(clinician).end(commitment)).to.be.revertedWithCustomError(
        emergency,
        "EmergencyUnknown",
      );
    });

    it("is refused to declarant and co-signer, reviewers or not", async () => {
      const { emergency, manager, steward, clinician, colleague, declared, time } = await load();
      const commitment = await declared();
      for (const party of [clinician, colleague]) await manager.connect(steward).grantRole(6, party, 0);
      await time.increase(2 * DAY);
      for (const party of [clinician, colleague]) {
        await expect(emergency.connect(party).review(clinician, commitment, NONE, true, word()))
          .to.be.revertedWithCustomError(emergency, "EmergencyReviewOfOwn")
          .withArgs(party.address);
      }
    });

    it("is refused through the authority, behind which a declarant could hide", async () => {
      const { emergency, manager, steward, clinician, declared, time } = await load();
      const commitment = await declared();
      await manager.connect(steward).grantRole(6, clinician, 0);
      await time.increase(2 * DAY);
      const data = emergency.interface.encodeFunctionData("review", [
        clinician.address,
        commitment,
        NONE,
        true,
        word(),
      ]);
      await expect(manager.connect(clinician).execute(emergency, data))
        .to.be.revertedWithCustomError(emergency, "EmergencyReviewOfOwn")
        .withArgs(await manager.getAddress());
      expect((await emergency.recordOf(clinician)).reviewed).to.equal(0n);
    });

    it("takes the role from a declarant whose review is overdue, and gives it back when it comes", async () => {
      const { emergency, reviews, clinician, colleague, organisation, declared, coSigned, time } = await load();
      const commitment = await declared();
      const { reviewDueAt } = await emergency.recordOf(clinician);
      await time.increaseTo(reviewDueAt - 1n);
      expect(await emergency.roleStatus(organisation, clinician)).to.equal(ROLE_STATUS.Held);
      await time.increaseTo(reviewDueAt);
      expect(await emergency.roleStatus(organisation, clinician)).to.equal(ROLE_STATUS.ReviewOverdue);
      const { args } = await coSigned();
      await expect(emergency.connect(clinician).declare(...args))
        .to.be.revertedWithCustomError(emergency, "EmergencyRoleNotHeld")
        .withArgs(organisation.address, clinician.address, ROLE_STATUS.ReviewOverdue);
      expect(await emergency.roleStatus(organisation, colleague), "the co-signer keeps it").to.equal(ROLE_STATUS.Held);
      await reviews.review(clinician, commitment, NONE, true, word());
      expect(await emergency.roleStatus(organisation, clinician)).to.equal(ROLE_STATUS.Held);
      await declared();
    });

    it("suspends the declarant of an emergency that was none", async () => {
      const { emergency, reviews, declares, clinician, organisation, declared, reinstate } = await load();
      const [first, second] = [await declared(), await declared()];
      await declares.end(first);
      await expect(reviews.review(clinician, first, second, false, word()))
        .to.emit(emergency, "RoleSuspended")
        .withArgs(clinician.address);
      expect(await emergency.isOpen(clinician, second), "what is open closes").to.equal(false);
      await reinstate(clinician);
      expect(await emergency.roleStatus(organisation, clinician)).to.equal(ROLE_STATUS.Held);
    });
  });

  describe("suspend, reinstate, setQuota, teams", () => {
    it("suspends at once and reinstates after the delay", async () => {
      const { emergency, protects, clinician, organisation, reinstate, time } = await load();
      await expect(protects.suspend(clinician)).to.emit(emergency, "RoleSuspended").withArgs(clinician.address);
      const at = await time.latest();
      await time.increase(60);
      await expect(protects.suspend(clinician)).to.not.emit(emergency, "RoleSuspended");
      expect(await emergency.suspendedAt(clinician)).to.equal(at);
      await reinstate(clinician);
      expect(await emergency.suspendedAt(clinician)).to.equal(0n);
      await expect(reinstate(organisation))
        .to.be.revertedWithCustomError(emergency, "EmergencyNotSuspended")
        .withArgs(organisation.address);
    });

    it("lets a lower quota count for the week that runs", async () => {
      const { emergency, clinician, organisation, declared, coSigned, setQuota } = await load();
      for (let i = 0; i < 2; i++) await declared();
      await setQuota(2);
      expect(await emergency.quotaOf(organisation)).to.deep.equal([2n, 2n]);
      const { args } = await coSigned();
      await expect(emergency.connect(clinician).declare(...args))
        .to.be.revertedWithCustomError(emergency, "EmergencyQuotaUsed")
        .withArgs(organisation.address, 2);
    });

    it("lets organisations change their own teams, and says so once", async () => {
      const { emergency, organises, stranger, clinician, organisation } = await load();
      await expect(organises.admit(clinician)).to.not.emit(emergency, "TeamMemberAdmitted");
      await expect(organises.dismiss(clinician))
        .to.emit(emergency, "TeamMemberDismissed")
        .withArgs(organisation.address, clinician.address);
      await expect(organises.dismiss(clinician)).to.not.emit(emergency, "TeamMemberDismissed");
      await expect(emergency.connect(stranger).admit(clinician))
        .to.emit(emergency, "TeamMemberAdmitted")
        .withArgs(stranger.address, clinician.address);
      expect(await emergency.roleStatus(organisation, clinician)).to.equal(ROLE_STATUS.NotOnTeam);
    });
  });
});
