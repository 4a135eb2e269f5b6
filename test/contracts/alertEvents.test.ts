import { expect } from "chai";
import { concat, dataSlice, keccak256, Wallet } from "ethers";
import { network } from "hardhat";
import { word } from "./ground.ts";

// raise, escalate, acknowledge   each tells who, which slot and which alert, and nothing when it is refused
describe("alerts in public", () => {
  const chain = network.create();
  const SLOT = 7;

  async function ground() {
    const { ethers, networkHelpers } = await chain;
    const rules = await ethers.deployContract("AlertRules");
    const [, gateway, relayer] = await ethers.getSigners();
    if (!gateway || !relayer) throw new Error("the node has too few accounts");
    const { chainId } = await ethers.provider.getNetwork();
    const domain = { name: "MedSeal AlertRules", version: "1", chainId, verifyingContract: await rules.getAddress() };
    return { rules, gateway, relayer, domain, time: networkHelpers.time };
  }
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  it("tell each step of an alert once", async () => {
    const { rules, gateway, relayer, domain, time } = await load();
    const [responder, sealedAlert] = [Wallet.createRandom(), word()];
    const digest = dataSlice(keccak256(concat([sealedAlert, responder.address])), 0, 25);
    const told = [gateway.address, SLOT, digest] as const;

    const raising = rules.connect(gateway).getFunction("raise");
    await expect(raising(SLOT, digest))
      .to.emit(rules, "AlertRaised")
      .withArgs(...told);
    await expect(raising(SLOT, digest)).to.be.revertedWithCustomError(rules, "AlertStillOpen").withArgs(SLOT);

    await time.increase(15 * 60);
    await expect(rules.connect(relayer).getFunction("escalate")(gateway, SLOT))
      .to.emit(rules, "AlertEscalated")
      .withArgs(...told);

    const acknowledging = rules.connect(relayer).getFunction("acknowledge");
    const types = {
      Acknowledge: [
        { name: "gateway", type: "address" },
        { name: "slot", type: "uint32" },
        { name: "sealedAlert", type: "bytes32" },
      ],
    };
    const signature = await responder.signTypedData(domain, types, {
      gateway: gateway.address,
      slot: SLOT,
      sealedAlert,
    });
    await expect(acknowledging(gateway, SLOT, sealedAlert, signature))
      .to.emit(rules, "AlertAcknowledged")
      .withArgs(...told);
    await expect(acknowledging(gateway, SLOT, sealedAlert, signature))
      .to.be.revertedWithCustomError(rules, "AlertNotOpen")
      .withArgs(gateway.address, SLOT, 3);
  });
});
