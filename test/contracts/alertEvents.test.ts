import { expect } from "chai";
import { Wallet } from "ethers";
import { network } from "hardhat";
import { alertDomain, newAlert, signAcknowledgement } from "./alerts.ts";
import { badForms, MINUTE } from "./ground.ts";

// raise, escalate, acknowledge   each tells who, which slot and which alert, and nothing when it is refused
// acknowledge                    given the responder's signature for this chain and contract: done · in any other form: refused
describe("alerts in public", () => {
  const chain = network.create();
  const SLOT = 7;

  async function ground() {
    const { ethers, networkHelpers } = await chain;
    const rules = await ethers.deployContract("AlertRules");
    const [, gateway, relayer] = await ethers.getSigners();
    if (!gateway || !relayer) throw new Error("the node has too few accounts");
    const { chainId } = await ethers.provider.getNetwork();
    const domain = alertDomain({ chainId, contract: await rules.getAddress() });
    const responder = Wallet.createRandom();
    const { sealedAlert, digest } = newAlert(responder.address);
    const sign = (differs: object = {}) =>
      signAcknowledgement(responder, { ...domain, ...differs }, gateway.address, SLOT, sealedAlert);
    const raise = () => rules.connect(gateway).raise(SLOT, digest);
    const acknowledge = (signature: string) =>
      rules.connect(relayer).acknowledge(gateway, SLOT, sealedAlert, signature);
    const told = [gateway.address, SLOT, digest] as const;
    return { rules, gateway, relayer, chainId, sign, raise, acknowledge, told, time: networkHelpers.time };
  }
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  it("tell each step of an alert once", async () => {
    const { rules, gateway, relayer, sign, raise, acknowledge, told, time } = await load();
    await expect(raise())
      .to.emit(rules, "AlertRaised")
      .withArgs(...told);
    await expect(raise()).to.be.revertedWithCustomError(rules, "AlertStillOpen").withArgs(SLOT);

    await time.increase(15 * MINUTE);
    await expect(rules.connect(relayer).escalate(gateway, SLOT))
      .to.emit(rules, "AlertEscalated")
      .withArgs(...told);

    const signature = await sign();
    await expect(acknowledge(signature))
      .to.emit(rules, "AlertAcknowledged")
      .withArgs(...told);
    await expect(acknowledge(signature))
      .to.be.revertedWithCustomError(rules, "AlertNotOpen")
      .withArgs(gateway.address, SLOT, 3);
  });

  it("are taken on by the answer that they had, when the very same one is raised once more, and by no other alert's", async () => {
    const { rules, gateway, sign, raise, acknowledge, time } = await load();
    await raise();
    const signature = await sign();
    await acknowledge(signature);
    await rules.connect(gateway).raise(SLOT, newAlert(Wallet.createRandom().address).digest);
    await expect(acknowledge(signature)).to.be.revertedWithCustomError(rules, "AlertAcknowledgementInvalid");
    await time.increase(15 * MINUTE + 1);
    await rules.escalate(gateway, SLOT);
    await raise();
    await expect(acknowledge(signature)).to.emit(rules, "AlertAcknowledged");
  });

  it("are taken on by no signature for another chain or contract, or in another form", async () => {
    const { rules, gateway, chainId, sign, raise, acknowledge } = await load();
    await raise();
    const refused = {
      anotherChain: await sign({ chainId: chainId + 1n }),
      anotherContract: await sign({ verifyingContract: gateway.address }),
      anotherName: await sign({ name: "MedSeal VaultRecovery" }),
      anotherVersion: await sign({ version: "2" }),
      ...badForms(await sign()),
    };
    for (const [what, signature] of Object.entries(refused)) {
      await expect(acknowledge(signature), what).to.be.revertedWithCustomError(rules, "AlertAcknowledgementInvalid");
    }
    await expect(acknowledge(await sign())).to.emit(rules, "AlertAcknowledged");
  });
});
