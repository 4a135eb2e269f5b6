import { expect } from "chai";
import { network } from "hardhat";
import { statusAt } from "../../src/archive/devices.ts";
import { readDevices } from "../../src/chain/device-registry.ts";
import { NodeLiesError } from "../../src/chain/errors.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { deployDevices, newDevice, STATUS } from "../contracts/devices.ts";
import { word } from "../contracts/ground.ts";

describe("devices as a registry's events have them", () => {
  async function ground() {
    const connection = await network.create();
    const { ethers } = connection;
    const devices = await deployDevices(connection);
    const rpc: Rpc = { send: (method, params) => ethers.provider.send(method, params) };
    const place = {
      chainId: Number((await ethers.provider.getNetwork()).chainId),
      address: (await devices.registry.getAddress()) as Hex,
      block: 0,
    };
    return { ...devices, connection, rpc, place };
  }

  it("have at every time the status that the contract says", async () => {
    const { connection, registry, registrar, safety, enrolled, proofOf, rpc, place } = await ground();
    const { time } = connection.networkHelpers;
    const from = await time.latest();
    const [steady, ended, rotated] = [await enrolled(), await enrolled(), await enrolled()];
    for (const device of [steady, ended]) await registry.connect(safety).suspend(device.id);
    await registry.connect(registrar).resume(steady.id);
    await registry.connect(safety).retire(ended.id);
    await registry.connect(safety).suspend(rotated.id);
    const next = newDevice();
    await registry
      .connect(registrar)
      .rotate(rotated.id, next.key, proofOf(next, { ...rotated.terms, predecessorId: rotated.id }));
    const to = await time.latest();
    const read = await readDevices(rpc, place);
    const names = { active: STATUS.active, suspended: STATUS.suspended, retired: STATUS.retired };
    for (const id of [steady.id, ended.id, rotated.id, next.id]) {
      for (let at = from - 1; at <= to; at++) {
        const status = statusAt(read.recordOf(id)!, at);
        const said = status === undefined ? STATUS.unknown : names[status];
        expect(said, `${id} at ${at - from}`).to.equal(await registry.statusAt(id, at));
      }
    }
    expect(read.recordOf(newDevice().id)).to.equal(undefined);
    await connection.close();
  });

  it("have the recalls of their model, and a node that leaves one out or makes one up is caught", async () => {
    const { connection, registry, safety, enrolled, rpc, place } = await ground();
    const device = await enrolled();
    const modelId = device.terms.modelId;
    expect((await readDevices(rpc, place)).recallsOf(modelId)).to.deep.equal([]);
    await registry.connect(safety).recall(modelId, 1, 4, 0);
    await registry.connect(safety).recall(word(), 7, 7, 5);
    await registry.connect(safety).recall(modelId, 9, 0xffffffff, 1_700_000_000);
    const read = await readDevices(rpc, place);
    expect(read.recallsOf(modelId)).to.deep.equal([
      { firmwareFrom: 1, firmwareTo: 4, anchoredFrom: 0 },
      { firmwareFrom: 9, firmwareTo: 0xffffffff, anchoredFrom: 1_700_000_000 },
    ]);
    const { modelId: known } = read.recordOf(device.id)!;
    expect(known).to.equal(modelId);

    const recalled = registry.interface.getEvent("ModelRecalled").topicHash;
    type RawLog = { topics: string[]; data: string };
    const lying = (change: (logs: RawLog[]) => RawLog[]): Rpc => ({
      async send(method, params) {
        const answer = await rpc.send(method, params);
        return method === "eth_getLogs" ? change(answer as RawLog[]) : answer;
      },
    });
    const isRecall = ({ topics }: RawLog): boolean => topics[0] === recalled;
    const lies: Record<string, (logs: RawLog[]) => RawLog[]> = {
      "the last notice left out": (logs) => logs.filter((log) => log !== logs.findLast(isRecall)),
      "the first notice left out": (logs) => logs.filter((log) => log !== logs.find(isRecall)),
      "every notice left out": (logs) => logs.filter((log) => !isRecall(log)),
      "another firmware": (logs) =>
        logs.map((log) => (isRecall(log) ? { ...log, data: log.data.replace("01", "02") } : log)),
      "a device that was never enrolled": (logs) =>
        logs.filter(({ topics }) => topics[0] !== registry.interface.getEvent("DeviceEnrolled").topicHash),
    };
    await registry.connect(safety).retire(device.id);
    for (const [what, change] of Object.entries(lies)) {
      const error: unknown = await readDevices(lying(change), place).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error, what).to.be.instanceOf(NodeLiesError);
    }
    await connection.close();
  });
});
