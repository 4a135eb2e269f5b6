import { expect } from "chai";
import { network } from "hardhat";
import { deviceGas, gasWithoutPrecompile } from "../../scripts/bench/devices.ts";
import { deployDevices, newDigest } from "./devices.ts";

describe("DeviceRegistry gas", () => {
  it("verifies in Solidity, where there is no precompile, within what a node lets a call spend", async () => {
    const rows = await deviceGas("osaka");
    const withoutPrecompile = await gasWithoutPrecompile(rows);
    for (const [name, { gas, times }] of Object.entries(withoutPrecompile)) {
      expect(gas, name).to.be.below(500_000);
      expect(gas, name).to.be.above(rows[name as keyof typeof withoutPrecompile].gas);
      expect(times, name).to.be.above(1);
    }
  });

  it("changes a status at the same cost whatever the history; looking back costs a few reads more", async () => {
    const { registry, registrar, safety, stranger, enrolled, time } = await ground();
    const device = await enrolled();
    const digest = newDigest();
    const start = await time.latest();
    const costs = async (changes: number) => {
      for (let i = 0; i < changes; i += 2) {
        await registry.connect(safety).suspend(device.id);
        await registry.connect(registrar).resume(device.id);
      }
      const suspended = await (await registry.connect(safety).suspend(device.id)).wait();
      const resumed = await (await registry.connect(registrar).resume(device.id)).wait();
      const call = await registry.verifyBatch.populateTransaction(device.id, digest, device.sign(digest), start);
      const verified = await (await stranger.sendTransaction(call)).wait();
      return [suspended, resumed, verified].map((receipt) => Number(receipt?.gasUsed));
    };
    const few = await costs(10);
    const many = await costs(1000);
    console.log(
      `      suspend, resume, verifyBatch after 10 changes: ${few.join(", ")}; after 1,000: ${many.join(", ")}`,
    );
    for (const i of [0, 1]) expect((many[i] ?? 0) / (few[i] ?? 0)).to.be.within(0.98, 1.02);
    // A binary search reads one slot, 2,100 gas and a little, for each doubling.
    expect((many[2] ?? 0) - (few[2] ?? 0)).to.be.below(10 * 2_500);
  });
});

async function ground() {
  const connection = await network.create();
  return { ...(await deployDevices(connection)), time: connection.networkHelpers.time };
}
