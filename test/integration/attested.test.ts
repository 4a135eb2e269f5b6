import { network } from "hardhat";
import type { JsonRpcServer } from "hardhat/types/network";
import { expect } from "chai";
import { startNode, type RunningNode } from "../../src/ipfs/node.ts";
import { FeedClient } from "../cli/feed.ts";
import { HEART_RATE, openLiveWard } from "../cli/live-ward.ts";
import type { RunningGateway } from "../cli/running.ts";
import { World } from "../cli/world.ts";

const DEVICE = "monitor-7";

describe("a gateway process that takes the node at its proofs only (`attest`), on Hardhat's chain over HTTP", function () {
  this.timeout(300_000);
  let chain: JsonRpcServer;
  let store: RunningNode;
  let world: World;
  let gateway: RunningGateway;

  before(async () => {
    world = await World.open(false, { inTurn: true });
    chain = await network.createServer({ network: "default", override: { initialDate: new Date() } }, "127.0.0.1", 0);
    const { address, port } = await chain.listen();
    store = await startNode({ folder: world.path("ipfs") });
    Object.assign(world.env, {
      MEDSEAL_RPC: `http://${address}:${port}`,
      MEDSEAL_IPFS: store.url,
      MEDSEAL_DEPLOYMENTS: world.path("deployments"),
    });
    await world.run("deploy");
    const attest = { settings: { attest: true } };
    gateway = await openLiveWard(world, { source: `bed-7:${DEVICE}`, streams: HEART_RATE, hours: [1, 2], ...attest });
  });
  after(async () => {
    await gateway?.stop();
    await store?.stop();
    await chain?.close();
    await world.close();
  });

  it("anchors, and heeds an end", async () => {
    const client = await FeedClient.open(gateway.feedPort, await gateway.credential("bed-7"));
    const send = (counter: number): Promise<unknown> => {
      const effective = new Date().toISOString();
      return client.send({
        device: DEVICE,
        counter,
        readings: [{ code: "8867-4", unit: "/min", value: 70 + counter, effective }],
      });
    };
    expect(await send(0)).to.include({ level: "stored" });
    await gateway.until(() => Promise.resolve(client.anchored.get(DEVICE)?.has(0) === true));
    await world.run("consent revoke --to Lee --out lee.end --yes --as Ann");
    // The gateway's own identity is taken while it runs.
    await world.run("fund --as Lee");
    await world.run("relay lee.end --wait --as Lee");
    await gateway.until(() => Promise.resolve(gateway.log("consent.ended").length === 1));
    expect(await send(1)).to.include({ level: "stored" });
    await gateway.until(() => Promise.resolve(client.anchored.get(DEVICE)?.has(1) === true));
    expect(gateway.log("step.failed")).to.deep.equal([]);
    client.close();
  });
});
