import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { startProxy } from "../../scripts/reorg/proxy.ts";
import { lacking, runIndependent } from "../../scripts/deep/independent.ts";
import { readDeployment } from "../../src/chain/deployment.ts";
import { callNode, toQuantity } from "../../src/chain/rpc.ts";
import { sharedWard } from "./shared-ward.ts";
import type { Ran, World } from "./world.ts";

const AT = "2026-03-01T08:02:05Z";
const WINDOW = "--from 2026-03-01T08:01:00Z --to 2026-03-01T08:03:00Z";
/** Who asks so often what is final does not go on without. */
const WAITING = 6;

describe("proofs from the command line", function () {
  this.timeout(300_000);
  let world: World;
  let first: number;
  before(async () => {
    ({ world, first } = await sharedWard());
  });

  /** As right after the anchoring: no block since is final, until that was asked so often. */
  async function early(line: string, until = Infinity): Promise<Ran> {
    const home = world.path("home/lee");
    for (const file of await readdir(home)) if (file.startsWith("ledger-")) await rm(join(home, file));
    let asked = 0;
    const node = await startProxy((method, params) => {
      const isHeld = params[0] === "finalized" && ++asked < until;
      return callNode(
        world.env["MEDSEAL_RPC"]!,
        method,
        isHeld ? [toQuantity(first), ...params.slice(1)] : [...params],
      );
    }, undefined);
    try {
      return await world.try(line, { MEDSEAL_RPC: node.url });
    } finally {
      await node.close();
    }
  }

  it("prove nothing that rests on a block which is not final yet; with --wait they wait for it", async () => {
    const prove = `prove --stream heart-rate --at ${AT} --as Lee`;
    const refused = await early(prove);
    expect([refused.exit, refused.out]).to.deep.equal([4, ""]);
    expect(refused.err)
      .to.match(/ERR_NOT_ANCHORED_YET/)
      .and.match(/hint: add --wait/);
    const waited = await early(`${prove} --wait --json --out early.json`, WAITING);
    expect(waited.exit, waited.err).to.equal(0);
    expect(await world.json("verify --proof early.json")).to.include({ ok: true });
  });

  it("export what is final and say what is left out; with --wait they wait for the rest", async () => {
    const exported = `evidence export --stream heart-rate ${WINDOW} --ask-node --as Lee --json`;
    const partial = await early(`${exported} --out partial.zip`);
    expect(partial.exit, partial.err).to.equal(0);
    const notFinal = { checkpoints: 1, epochs: 2, batches: 2 };
    expect(JSON.parse(partial.out)).to.deep.include({ ok: true, headers: 0, unrecorded: 2, notFinal });
    expect(partial.err)
      .to.match(/LEFT OUT, since not final yet: 2 batches of 2 epochs, anchored with 1 checkpoint/)
      .and.match(/hint: add --wait/);
    expect((await world.try("evidence verify partial.zip")).out).to.match(/it shows NOTHING of the window/);

    const whole = await early(`${exported} --wait --out whole.zip`, WAITING);
    expect(whole.exit, whole.err).to.equal(0);
    const nothing = { checkpoints: 0, epochs: 0, batches: 0 };
    expect(JSON.parse(whole.out)).to.deep.include({ ok: true, headers: 2, unrecorded: 0, notFinal: nothing });
    expect(whole.err).not.to.include("LEFT OUT");
  });

  it("proves one reading, which verifies with a chain, and without one against its block", async () => {
    await world.run(`prove --stream heart-rate --at ${AT} --wait --out proof.json --as Lee`);
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
    const offline = await world.start(`verify --proof proof.json --block-header ${hash}`, nowhere).done;
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
    await world.run(`evidence export --stream heart-rate ${WINDOW} --ask-node --wait --out case.zip --as Lee`);
    const elsewhere = {
      MEDSEAL_RPC: undefined,
      MEDSEAL_IPFS: undefined,
      MEDSEAL_DEPLOYMENTS: world.path("none"),
      MEDSEAL_HOME: world.path("other"),
    };
    const verified = await world.start("evidence verify case.zip --json", elsewhere).done;
    expect(verified.exit, verified.err + verified.out).to.equal(0);
    const report = JSON.parse(verified.out) as { block: { hash: string } };
    expect(report).to.deep.include({ ok: true, headers: 2, batches: 2, readings: 120, unrecorded: 0, findings: [] });
    const { hash } = report.block;
    expect((await world.try(`evidence verify case.zip --block-header ${hash}`, elsewhere)).exit).to.equal(0);
    const other = await world.try(`evidence verify case.zip --block-header 0x${"1".repeat(64)}`, elsewhere);
    expect(other.exit).to.equal(1);

    // anvil keeps storage in another way than the registry's events lead to.
    await world.run(`evidence export --stream heart-rate ${WINDOW} --headers --out headers.zip --as Lee`);
    const incomplete = await world.try("evidence verify headers.zip", elsewhere);
    expect([incomplete.exit, incomplete.out.includes("MISSING: the state of the consents")]).to.deep.equal([1, true]);
    expect(incomplete.out).to.include("2 headers, without readings");

    // Who is shown a bundle from a deployment unknown here sees which contracts it names, and who gave the leave to write.
    expect((await world.try("evidence verify case.zip", elsewhere)).out)
      .to.match(/RecordAnchor 0x[0-9a-f]{40}/)
      .and.match(/ConsentRegistry 0x[0-9a-f]{40}/)
      .and.match(/WRITE to 0x[0-9a-fA-F]{40} by 0x[0-9a-fA-F]{40}; in force/);

    const bytes = await readFile(world.path("case.zip"));
    // Inside the first block, whose bytes begin behind the 66 of its name.
    const within = bytes.indexOf("blocks/") + 166;
    bytes.writeUInt8(bytes.readUInt8(within) ^ 1, within);
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
