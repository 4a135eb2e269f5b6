import { expect } from "chai";
import { Wallet, type AddressLike, type HDNodeWallet, type Interface } from "ethers";
import { network } from "hardhat";
import { registryInterface } from "../../src/chain/contracts.ts";
import { badForms, consentOf, DAY, deployBoth, MINUTE, signGrant, signRevoke, signRevokeAll } from "./ground.ts";

const DONE = "0x00000000";
const selector = (error: string): string => {
  const found = (registryInterface as Interface).getError(error);
  if (found === null) throw new Error(`the registry has no error ${error}`);
  return found.selector;
};

// grantManyBySig    given good messages: all are in force · given a bad one: it is skipped and its reason told, the others are in force
// revokeManyBySig   given good messages: all have ended · given a bad one: it is skipped, the others have ended
// both              never revert · ask no contract · take the own key of a delegated account
describe("ConsentRegistry batches", () => {
  const chain = network.create();

  async function ground() {
    const connection = await chain;
    const { ethers, networkHelpers } = connection;
    const parts = await deployBoth(connection);
    const now = await networkHelpers.time.latest();
    const patients = [Wallet.createRandom(), Wallet.createRandom(), Wallet.createRandom()] as const;
    /** The consent of an account to which `patient` has the key: messages as the batches take them. */
    const sign = async (patient: HDNodeWallet, issuedAt = now, deadline?: number, address = patient.address) => {
      const consent = consentOf(address, parts.clinician.address);
      const { id, ...signed } = await signGrant(patient, parts.domain, consent, issuedAt, deadline);
      const revocation = {
        grantor: address,
        consentId: id,
        signature: await signRevoke(patient, parts.domain, consent),
      };
      return { consent, grant: { grantor: address, consentId: id, ...signed }, revocation };
    };
    const good = [await sign(patients[0]), await sign(patients[1]), await sign(patients[2])] as const;
    const registry = parts.registry.connect(parts.relayer);
    const active = (grantor: AddressLike, id: string) => registry.isActive(grantor, id);
    return { ...parts, ethers, networkHelpers, now, patients, sign, good, registry, active };
  }
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  it("puts the consents of several grantors in force, and ends them", async () => {
    const { registry, good, active } = await load();
    const grants = good.map(({ grant }) => grant);
    expect(await registry.grantManyBySig.staticCall(grants)).to.deep.equal([DONE, DONE, DONE]);
    const granting = registry.grantManyBySig(grants);
    for (const { grantor, consentId, issuedAt } of grants) {
      await expect(granting).to.emit(registry, "ConsentGranted").withArgs(grantor, consentId, issuedAt);
      expect(await active(grantor, consentId)).to.equal(true);
    }
    const revocations = good.map(({ revocation }) => revocation);
    expect(await registry.revokeManyBySig.staticCall(revocations)).to.deep.equal([DONE, DONE, DONE]);
    const revoking = registry.revokeManyBySig(revocations);
    for (const { grantor, consentId } of grants) {
      await expect(revoking).to.emit(registry, "ConsentRevoked").withArgs(grantor, consentId);
      expect(await active(grantor, consentId)).to.equal(false);
    }
  });

  it("does nothing given nothing", async () => {
    const { registry } = await load();
    expect(await registry.grantManyBySig.staticCall([])).to.deep.equal([]);
    expect(await registry.revokeManyBySig.staticCall([])).to.deep.equal([]);
  });

  it("skips each grant that grantBySig refuses, says what grantBySig says, and does the others", async () => {
    const { registry, patients, sign, good, now, networkHelpers, domain, active } = await load();
    const [alice, , carol] = patients;
    const [first, second, third] = good;
    const revoked = await sign(alice);
    await registry.revokeManyBySig([revoked.revocation]);
    const standing = await sign(alice);
    await registry.grantManyBySig([standing.grant]);
    const ended = await sign(carol, now - 1);
    await registry.revokeAllBySig(carol, now - 1, await signRevokeAll(carol, domain, carol.address, now - 1));
    const at = now + 10 * MINUTE;
    const elsewhere = await signGrant(alice, { ...domain, chainId: 1 }, first.consent, now);
    const another = await signGrant(alice, { ...domain, verifyingContract: alice.address }, first.consent, now);
    const forms = Object.values(badForms(first.grant.signature)).map(
      (signature) => [{ ...first.grant, signature }, "ConsentSignatureInvalid"] as const,
    );
    const bad = [
      [(await sign(alice, now, at - 1)).grant, "ConsentDeadlinePassed"],
      [(await sign(alice, now, now + 7 * DAY + 1)).grant, "ConsentDeadlineTooLate"],
      [(await sign(alice, at + 15 * MINUTE + 1)).grant, "ConsentIssuedInFuture"],
      [revoked.grant, "ConsentRevokedAlready"],
      [standing.grant, "ConsentGrantedAlready"],
      [ended.grant, "ConsentIssuedBeforeRevokeAll"],
      [{ ...first.grant, ...elsewhere, consentId: first.grant.consentId }, "ConsentSignatureInvalid"],
      [{ ...first.grant, ...another, consentId: first.grant.consentId }, "ConsentSignatureInvalid"],
      [{ ...first.grant, grantor: second.grant.grantor }, "ConsentSignatureInvalid"],
      [{ ...first.grant, signature: first.revocation.signature }, "ConsentSignatureInvalid"],
      ...forms,
    ] as const;

    const grants = [first.grant, ...bad.map(([grant]) => grant), second.grant, third.grant];
    await networkHelpers.time.setNextBlockTimestamp(at);
    const refusals = await registry.grantManyBySig.staticCall(grants, { blockTag: "pending" });
    expect(refusals).to.deep.equal([DONE, ...bad.map(([, error]) => selector(error)), DONE, DONE]);
    const receipt = await (await registry.grantManyBySig(grants)).wait();
    expect(receipt?.logs.length).to.equal(3);
    for (const { grant } of [first, second, third]) {
      expect(await active(grant.grantor, grant.consentId)).to.equal(true);
    }
    expect(await active(ended.grant.grantor, ended.grant.consentId)).to.equal(false);
  });

  it("skips each revocation that revokeBySig refuses, and does the others", async () => {
    const { registry, patients, good, domain } = await load();
    const [alice] = patients;
    const [first, second, third] = good.map(({ revocation }) => revocation);
    if (!first || !second || !third) throw new Error("too few patients");
    const [{ consent, grant }] = good;
    const signatures = [
      ...Object.values(badForms(first.signature)),
      await signRevoke(alice, { ...domain, chainId: 1 }, consent),
      await signRevoke(alice, { ...domain, verifyingContract: alice.address }, consent),
      grant.signature,
      second.signature,
    ];
    const bad = signatures.map((signature) => ({ ...first, signature }));
    const revocations = [...bad, second, third];
    const refusals = await registry.revokeManyBySig.staticCall(revocations);
    expect(refusals).to.deep.equal([...bad.map(() => selector("ConsentSignatureInvalid")), DONE, DONE]);
    await registry.revokeManyBySig(revocations);
    expect((await registry.entryOf(first.grantor, first.consentId)).revokedAt).to.equal(0n);
    for (const { grantor, consentId } of [second, third]) {
      expect((await registry.entryOf(grantor, consentId)).revokedAt).to.not.equal(0n);
    }
  });

  it("is stopped by nobody who is faster with some of its items", async () => {
    const { registry, stranger, good, active } = await load();
    const [first, ...others] = [good[0].grant, good[1].grant, good[2].grant];
    await registry
      .connect(stranger)
      .grantBySig(first.grantor, first.consentId, first.issuedAt, first.deadline, first.signature);
    await registry.grantManyBySig([first, ...others]);
    for (const { grantor, consentId } of others) expect(await active(grantor, consentId)).to.equal(true);

    const revocations = good.map(({ revocation }) => revocation);
    await registry.connect(stranger).revokeManyBySig(revocations.slice(0, 1));
    expect(await registry.revokeManyBySig.staticCall(revocations)).to.deep.equal([DONE, DONE, DONE]);
    const receipt = await (await registry.revokeManyBySig(revocations)).wait();
    expect(receipt?.logs.length).to.equal(2);
  });

  it("takes an item twice in one batch for one already done", async () => {
    const { registry, good } = await load();
    const [{ grant, revocation }] = good;
    expect(await registry.grantManyBySig.staticCall([grant, grant])).to.deep.equal([
      DONE,
      selector("ConsentGrantedAlready"),
    ]);
    const receipt = await (await registry.revokeManyBySig([revocation, revocation])).wait();
    expect(receipt?.logs.length).to.equal(1);
  });

  it("takes no contract's word, and runs no code of a signer", async () => {
    const { ethers, registry, patients, sign, good, now, active } = await load();
    const [alice] = patients;
    const owned = await ethers.deployContract("OwnedWallet", [alice.address]);
    const theirs = await sign(alice, now, undefined, await owned.getAddress());
    const burner = await ethers.deployContract("BurningWallet");
    const burning = { ...theirs.grant, grantor: await burner.getAddress() };
    const [first] = good;
    const grants = [theirs.grant, burning, burning, first.grant];
    const refused = selector("ConsentSignatureInvalid");
    expect(await registry.grantManyBySig.staticCall(grants)).to.deep.equal([refused, refused, refused, DONE]);
    const receipt = await (await registry.grantManyBySig(grants)).wait();
    expect(Number(receipt?.gasUsed)).to.be.below(120_000);
    expect(await active(first.grant.grantor, first.grant.consentId)).to.equal(true);
    expect(await registry.revokeManyBySig.staticCall([theirs.revocation])).to.deep.equal([refused]);

    const { grantor, consentId, issuedAt, deadline, signature } = theirs.grant;
    await registry.grantBySig(grantor, consentId, issuedAt, deadline, signature);
    expect(await active(grantor, consentId)).to.equal(true);
  });

  it("takes the own key of an account delegated by EIP-7702", async () => {
    const { ethers, registry, patients, relayer, good, active } = await load();
    const code = await ethers.deployContract("BurningWallet");
    const authorization = await patients[0]
      .connect(ethers.provider)
      .authorize({ address: await code.getAddress(), nonce: 0, chainId: 31337n });
    await relayer.sendTransaction({ type: 4, to: relayer.address, authorizationList: [authorization] });
    const [{ grant, revocation }] = good;
    expect(await ethers.provider.getCode(grant.grantor)).to.not.equal("0x");
    await registry.grantManyBySig([grant]);
    expect(await active(grant.grantor, grant.consentId)).to.equal(true);
    await registry.revokeManyBySig([revocation]);
    expect(await active(grant.grantor, grant.consentId)).to.equal(false);
  });
});
