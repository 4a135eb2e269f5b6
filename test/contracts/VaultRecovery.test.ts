import { expect } from "chai";
import { network } from "hardhat";
import type { Hex } from "../../src/consent/consent.ts";
import { recoveryDomain, recoveryIdOf, VETO_TYPES, type Recovery } from "../../src/emergency/typed-data.ts";
import { badForms, DAY, word } from "./ground.ts";

// declare     given nothing: opens after 7 days, closes 14 days later · declared or vetoed before: refuses
// veto        by the patient's address or signature: ends it for good, declared or not, open or not · twice: nothing
describe("VaultRecovery", () => {
  const chain = network.create();
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  async function ground() {
    const { ethers, networkHelpers } = await chain;
    const recovery = await ethers.deployContract("VaultRecovery");
    const [thief, relayer, other] = await ethers.getSigners();
    if (!thief || !relayer || !other) throw new Error("the node has too few accounts");
    // A patient without ether.
    const patient = ethers.Wallet.createRandom();
    const { chainId } = await ethers.provider.getNetwork();
    const domain = recoveryDomain({ chainId: Number(chainId), contract: (await recovery.getAddress()) as Hex });
    const document: Recovery = {
      patient: patient.address as Hex,
      hpkeKey: word(),
      keyVersion: 1,
      salt: word(),
      statement: "A lost phone; recognised in person.",
    };
    const id = recoveryIdOf(document);
    const declare = () => recovery.connect(thief).declareRecovery(patient, id);
    const sign = (recoveryId: Hex, differs: object = {}, as = patient) =>
      as.signTypedData({ ...domain, ...differs }, VETO_TYPES, { patient: patient.address, recoveryId });
    return { recovery, thief, relayer, other, patient, domain, document, id, declare, sign, time: networkHelpers.time };
  }

  it("computes the id that the SDK computes, and names its domain", async () => {
    const { recovery, document, domain } = await load();
    for (const statement of ["", "ü".repeat(100)]) {
      const other = { ...document, statement };
      expect(await recovery.recoveryIdOf(other)).to.equal(recoveryIdOf(other));
    }
    const { name, version, chainId, verifyingContract } = await recovery.eip712Domain();
    expect({ name, version, chainId: Number(chainId), verifyingContract }).to.deep.equal(domain);
  });

  it("knows no owner and no authority", async () => {
    const { recovery } = await load();
    const functions = recovery.interface.fragments.filter(({ type }) => type === "function");
    expect(functions.map((entry) => entry.format()).join()).to.not.match(
      /owner|authority|upgrade|initiali|admin|pause/i,
    );
  });

  it("is open from 7 days after the declaration, for 14 days", async () => {
    const { recovery, patient, thief, id, declare, time } = await load();
    const now = (await time.latest()) + 10;
    await time.setNextBlockTimestamp(now);
    await expect(declare())
      .to.emit(recovery, "RecoveryDeclared")
      .withArgs(patient.address, id, thief.address, now + 7 * DAY, now + 21 * DAY);
    expect(await recovery.recoveryOf(patient, id)).to.deep.equal([BigInt(now), 0n]);
    for (const [at, open] of [
      [now + 7 * DAY - 1, false],
      [now + 7 * DAY, true],
      [now + 21 * DAY - 1, true],
      [now + 21 * DAY, false],
    ] as const) {
      await time.increaseTo(at);
      expect(await recovery.isRecoveryOpen(patient, id), `${at - now}`).to.equal(open);
    }
  });

  it("does not begin anew when declared again", async () => {
    const { recovery, patient, id, declare, time } = await load();
    await declare();
    const declaredAt = await time.latest();
    await time.increase(30 * DAY);
    await expect(declare()).to.be.revertedWithCustomError(recovery, "RecoveryDeclaredAlready").withArgs(id, declaredAt);
    expect(await recovery.isRecoveryOpen(patient, id)).to.equal(false);
  });

  it("is not open before anybody declared it", async () => {
    const { recovery, patient, id } = await load();
    expect(await recovery.isRecoveryOpen(patient, id)).to.equal(false);
  });

  it("ends at once and for good by a veto that anybody relays, waiting or open", async () => {
    const { recovery, patient, relayer, id, declare, sign, time } = await load();
    const { networkHelpers } = await chain;
    await declare();
    const waiting = await networkHelpers.takeSnapshot();
    for (const wait of [0, 8 * DAY]) {
      await time.increase(wait + 1);
      await expect(recovery.connect(relayer).vetoRecoveryBySig(patient, id, await sign(id)))
        .to.emit(recovery, "RecoveryVetoed")
        .withArgs(patient.address, id);
      const vetoedAt = BigInt(await time.latest());
      expect((await recovery.recoveryOf(patient, id)).vetoedAt).to.equal(vetoedAt);
      await time.increase(8 * DAY);
      expect(await recovery.isRecoveryOpen(patient, id)).to.equal(false);
      await expect(declare()).to.be.revertedWithCustomError(recovery, "RecoveryVetoedAlready").withArgs(id, vetoedAt);
      const again = recovery.vetoRecoveryBySig(patient, id, await sign(id));
      await expect(again).to.not.emit(recovery, "RecoveryVetoed");
      expect((await recovery.recoveryOf(patient, id)).vetoedAt).to.equal(vetoedAt);
      await waiting.restore();
    }
  });

  it("can never be declared when it was vetoed before", async () => {
    const { recovery, patient, id, declare, sign } = await load();
    await recovery.vetoRecoveryBySig(patient, id, await sign(id));
    await expect(declare()).to.be.revertedWithCustomError(recovery, "RecoveryVetoedAlready");
  });

  it("is vetoed directly for the caller's own vault only", async () => {
    const { recovery, other, patient, id, declare, time } = await load();
    await declare();
    await recovery.connect(other).vetoRecovery(id);
    await time.increase(7 * DAY);
    expect(await recovery.isRecoveryOpen(patient, id)).to.equal(true);
    await recovery.declareRecovery(other, word());
    const own = word();
    await recovery.declareRecovery(other, own);
    await expect(recovery.connect(other).vetoRecovery(own))
      .to.emit(recovery, "RecoveryVetoed")
      .withArgs(other.address, own);
  });

  it("is vetoed by the word of the patient's contract, and by none that reverts, burns, floods or says something else", async () => {
    const { recovery, patient, id, domain } = await load();
    const { ethers } = await chain;
    const wallet = await ethers.deployContract("OwnedWallet", [patient.address]);
    const message = { patient: await wallet.getAddress(), recoveryId: id };
    const signature = await patient.signTypedData(domain, VETO_TYPES, message);
    const hostile = ["RevertingWallet", "BurningWallet", "FloodingWallet"].map((name) => ethers.deployContract(name));
    for (const code of await Promise.all([...hostile, ethers.deployContract("AnsweringWallet", [word()])])) {
      await expect(recovery.vetoRecoveryBySig(code, id, signature)).to.be.revertedWithCustomError(
        recovery,
        "RecoverySignatureInvalid",
      );
    }
    await expect(recovery.vetoRecoveryBySig(wallet, id, signature)).to.emit(recovery, "RecoveryVetoed");
  });

  it("is vetoed by the own key of an account delegated by EIP-7702, whatever its code says", async () => {
    const { recovery, patient, relayer, id, sign } = await load();
    const { ethers } = await chain;
    const code = await ethers.deployContract("RevertingWallet");
    const authorization = await patient
      .connect(ethers.provider)
      .authorize({ address: await code.getAddress(), nonce: 0, chainId: 31337n });
    await relayer.sendTransaction({ type: 4, to: relayer.address, authorizationList: [authorization] });
    expect(await ethers.provider.getCode(patient.address)).to.not.equal("0x");
    await expect(recovery.vetoRecoveryBySig(patient, id, await sign(id))).to.emit(recovery, "RecoveryVetoed");
  });

  it("takes no veto but the patient's for this recovery, contract and chain", async () => {
    const { recovery, other, patient, id, declare, sign } = await load();
    const { ethers } = await chain;
    await declare();
    const stranger = ethers.Wallet.createRandom();
    const forged = {
      stranger: await sign(id, {}, stranger),
      anotherId: await sign(word()),
      anotherChain: await sign(id, { chainId: 1 }),
      anotherContract: await sign(id, { verifyingContract: other.address }),
      anotherName: await sign(id, { name: "MedSeal EmergencyAccess" }),
      ...badForms(await sign(id)),
    };
    for (const [what, signature] of Object.entries(forged)) {
      await expect(recovery.vetoRecoveryBySig(patient, id, signature), what).to.be.revertedWithCustomError(
        recovery,
        "RecoverySignatureInvalid",
      );
    }
    await expect(recovery.vetoRecoveryBySig(other, id, await sign(id))).to.be.revertedWithCustomError(
      recovery,
      "RecoverySignatureInvalid",
    );
    await recovery.vetoRecoveryBySig(patient, id, await sign(id));
    expect((await recovery.recoveryOf(patient, id)).vetoedAt).to.not.equal(0n);
  });
});
