import { readFile, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { wardOf, World } from "./world.ts";

const AT = "2026-03-01T08:02:05Z";

describe("proofs from the command line", function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    world = await World.open(true);
    await wardOf(world);
  });
  after(() => world.close());

  it("proves one reading, which verifies with a chain, and without one against its block", async () => {
    await world.run(`prove --stream heart-rate --at ${AT} --out proof.json --as Lee`);
    const online = (await world.json("verify --proof proof.json")) as {
      ok: boolean;
      reading: { time: string; value: { decimal: string } };
      anchoredBy: { hash: string; block: number };
    };
    expect(online.ok).to.equal(true);
    expect(online.reading).to.deep.include({ time: AT, value: { kind: "quantity", decimal: String(70 + (125 % 9)), comparator: "" } });

    const nowhere = { MEDSEAL_RPC: undefined, MEDSEAL_IPFS: undefined, MEDSEAL_DEPLOYMENTS: world.path("none") };
    const { hash } = online.anchoredBy;
    const offline = await world.try(`verify --proof proof.json --block-header ${hash}`, nowhere);
    expect(offline.exit, offline.err).to.equal(0);
    await writeFile(world.path("block.json"), JSON.stringify({ jsonrpc: "2.0", id: 1, result: { hash } }));
    expect((await world.try("verify --proof proof.json --block-header block.json", nowhere)).exit).to.equal(0);

    const other = await world.try(`verify --proof proof.json --block-header 0x${"1".repeat(64)}`, nowhere);
    expect([other.exit, other.err]).to.deep.equal([1, other.err]);
    expect(other.err).to.match(/another block/);
    expect((await world.try("verify --proof proof.json", { MEDSEAL_RPC: "http://127.0.0.1:9" })).exit).to.equal(4);
    const text = await readFile(world.path("proof.json"), "utf8");
    await writeFile(world.path("bad.json"), text.replace(/"salt":"0x../, '"salt":"0x00'));
    const bad = await world.try(`verify --proof bad.json --block-header ${hash}`, nowhere);
    expect(bad.exit, bad.err).to.equal(1);
  });
});
