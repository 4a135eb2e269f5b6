import { readFile, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { lacking, runIndependent } from "../../scripts/deep/independent.ts";
import { readDeployment } from "../../src/chain/deployment.ts";
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
    expect(online.reading).to.deep.include({
      time: AT,
      value: { kind: "quantity", decimal: String(70 + (125 % 9)), comparator: "" },
    });

    const nowhere = { MEDSEAL_RPC: undefined, MEDSEAL_IPFS: undefined, MEDSEAL_DEPLOYMENTS: world.path("none") };
    const { hash } = online.anchoredBy;
    const offline = await world.try(`verify --proof proof.json --block-header ${hash}`, nowhere);
    expect(offline.exit, offline.err).to.equal(0);
    await writeFile(world.path("block.json"), JSON.stringify({ jsonrpc: "2.0", id: 1, result: { hash } }));
    expect((await world.try("verify --proof proof.json --block-header block.json", nowhere)).exit).to.equal(0);

    const other = await world.try(`verify --proof proof.json --block-header 0x${"1".repeat(64)}`, nowhere);
    expect(other.exit).to.equal(1);
    expect(other.err).to.match(/another block/);
    expect((await world.try("verify --proof proof.json", { MEDSEAL_RPC: "http://127.0.0.1:9" })).exit).to.equal(4);
    const text = await readFile(world.path("proof.json"), "utf8");
    await writeFile(
      world.path("bad.json"),
      text.replace(/"salt":"0x(.)/, (_, digit) => `"salt":"0x${digit === "0" ? "1" : "0"}`),
    );
    const bad = await world.try(`verify --proof bad.json --block-header ${hash}`, nowhere);
    expect(bad.exit, bad.err).to.equal(1);
  });

  it("exports a window, which verifies on a machine with neither chain nor store", async () => {
    const window = "--from 2026-03-01T08:01:00Z --to 2026-03-01T08:03:00Z";
    await world.run(`evidence export --stream heart-rate ${window} --ask-node --out case.zip --as Lee`);
    const elsewhere = {
      MEDSEAL_RPC: undefined,
      MEDSEAL_IPFS: undefined,
      MEDSEAL_DEPLOYMENTS: world.path("none"),
      MEDSEAL_HOME: world.path("other"),
    };
    const verified = await world.try("evidence verify case.zip --json", elsewhere);
    expect(verified.exit, verified.err + verified.out).to.equal(0);
    const report = JSON.parse(verified.out) as { block: { hash: string } };
    expect(report).to.deep.include({ ok: true, headers: 2, batches: 2, readings: 120, unrecorded: 0, findings: [] });
    const { hash } = report.block;
    expect((await world.try(`evidence verify case.zip --block-header ${hash}`, elsewhere)).exit).to.equal(0);
    const other = await world.try(`evidence verify case.zip --block-header 0x${"1".repeat(64)}`, elsewhere);
    expect(other.exit).to.equal(1);

    // anvil keeps storage in another way than the registry's events lead to.
    await world.run(`evidence export --stream heart-rate ${window} --headers --out headers.zip --as Lee`);
    const incomplete = await world.try("evidence verify headers.zip", elsewhere);
    expect([incomplete.exit, incomplete.out.includes("MISSING: the state of the consents")]).to.deep.equal([1, true]);
    expect(incomplete.out).to.include("2 headers, without readings");

    // Who is shown a bundle from a deployment unknown here sees which contracts it names, and who gave the leave to write.
    expect((await world.try("evidence verify case.zip", elsewhere)).out)
      .to.match(/RecordAnchor 0x[0-9a-f]{40}/)
      .and.match(/ConsentRegistry 0x[0-9a-f]{40}/)
      .and.match(/WRITE to 0x[0-9a-fA-F]{40} by 0x[0-9a-fA-F]{40}; in force/);

    const bytes = await readFile(world.path("case.zip"));
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    await writeFile(world.path("bad.zip"), bytes);
    const bad = await world.try("evidence verify bad.zip", elsewhere);
    expect(bad.exit).to.equal(1);
    expect(bad.err).to.match(/was altered/);
  });

  it("hands out what a reader written from the formats alone takes as well", async function () {
    const why = lacking();
    if (why !== undefined) {
      console.log(`      skipped: ${why}`);
      this.skip();
    }
    const { chainId, anchoredBy } = (await world.json("verify --proof proof.json")) as {
      chainId: number;
      anchoredBy: { hash: string };
    };
    const { contracts } = await readDeployment(world.env["MEDSEAL_DEPLOYMENTS"]!, chainId);
    const [anchor, registry] = [contracts.RecordAnchor.codeHash, contracts.ConsentRegistry.codeHash];
    const proof = runIndependent("proof", world.path("proof.json"), anchoredBy.hash, anchor) as {
      reading: { time: string };
    };
    expect(proof.reading.time).to.equal(AT);
    const { block } = (await world.json("evidence verify case.zip")) as { block: { hash: string } };
    const bundle = runIndependent("evidence", world.path("case.zip"), block.hash, registry, anchor);
    const counts = { headers: 2, batches: 2, readings: 120, unrecorded: 0, unshown: 0, missing: 0 };
    expect(bundle).to.deep.include({ ok: true, findings: [], ...counts });
  });
});
