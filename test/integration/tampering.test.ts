import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { FileBlockstore } from "../../src/ipfs/blocks.ts";
import { cidOf, rawCid } from "../../src/ipfs/cid.ts";
import type { Finding } from "../../src/auditor/findings.ts";
import { anchoredCheckpoints } from "../../src/chain/anchor.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import { audit } from "../../scripts/demo/audit.ts";
import { openArchive, placeOf } from "../../scripts/demo/world.ts";
import { openWard, type Ward } from "./ward.ts";
import { failureOf } from "./times.ts";

describe("what the audit finds", function () {
  this.timeout(120_000);
  let ward: Ward;
  let blocks: Record<"checkpoint" | "header" | "batch" | "envelope", [Uint8Array, Uint8Array]>;

  before(async () => {
    ward = await openWard();
    const lee = await ward.admit("Dr Lee");
    await ward.release(lee);
    await ward.record(0, 3);
    await ward.record(3, 6);
    const archive = await openArchive(ward.world, ward.gateway.address);
    const history = await anchoredCheckpoints(ward.world.rpc, ward.world.deployment, ward.gateway.address);
    const [first, second] = [archive.entries()[0]!, archive.entries()[70]!];
    blocks = {
      checkpoint: [history[0]!.digest, history[1]!.digest],
      header: [first.header, second.header],
      batch: [first.batch, second.batch],
      envelope: [archive.mail[0]!.envelope, archive.mail[20]!.envelope],
    };
  });
  after(() => ward.world.close());

  const pathOf = (digest: Uint8Array): string =>
    new FileBlockstore(join(ward.world.folder, "ipfs", "blocks")).path(rawCid(digest));

  /** Damages blocks, audits, and puts them back. */
  async function findingsAfter(
    digests: readonly Uint8Array[],
    damage: (path: string, whole: Buffer) => Promise<void>,
  ): Promise<readonly Finding[]> {
    const wholes = await Promise.all(digests.map((digest) => readFile(pathOf(digest))));
    for (const [i, digest] of digests.entries()) await damage(pathOf(digest), wholes[i]!);
    const { findings } = await audit(ward.world, ward.gateway);
    for (const [i, digest] of digests.entries()) await writeFile(pathOf(digest), wholes[i]!);
    return findings;
  }

  it("is nothing, in an archive that nobody touched", async () => {
    const report = await audit(ward.world, ward.gateway);
    expect(report).to.include({ ok: true, checkpoints: 2, erased: 0 });
    expect(report.objects).to.equal(2 + 2 * (2 * 64 + 16));
  });

  for (const object of ["checkpoint", "header", "batch", "envelope"] as const) {
    it(`names a ${object} that is altered, cut short, missing or swapped, and blames no other`, async () => {
      const [one, other] = blocks[object];
      const flipped = await findingsAfter([one], (path, whole) => {
        const bytes = Buffer.from(whole);
        bytes[bytes.length - 1]! ^= 0x80;
        return writeFile(path, bytes);
      });
      expect(flipped.map(({ kind, object: named, cid }) => [kind, named, cid])).to.deep.equal([
        ["altered", object, cidOf(one)],
      ]);
      const cut = await findingsAfter([one], (path, whole) => writeFile(path, whole.subarray(0, 100)));
      expect(cut.map(({ kind, cid }) => [kind, cid])).to.deep.equal([["truncated", cidOf(one)]]);
      const gone = await findingsAfter([one], (path) => rm(path));
      expect(gone.map(({ kind, cid }) => [kind, cid])).to.deep.equal([["missing", cidOf(one)]]);
      if (object === "checkpoint") return;
      const bytes = await Promise.all([one, other].map((digest) => readFile(pathOf(digest))));
      const swapped = await findingsAfter([one, other], (path, whole) =>
        writeFile(path, whole.equals(bytes[0]!) ? bytes[1]! : bytes[0]!),
      );
      expect(new Set(swapped.map(({ kind, cid }) => `${kind} ${cid}`))).to.deep.equal(
        new Set([`swapped ${cidOf(one)}`, `swapped ${cidOf(other)}`]),
      );
    });
  }

  it("is an outage and no verdict, when the store or the chain is away", async () => {
    const { world, gateway } = ward;
    const away: Rpc = { send: () => Promise.reject(Object.assign(new Error("connect"), { code: "ECONNREFUSED" })) };
    expect(await failureOf(anchoredCheckpoints(away, world.deployment, gateway.address))).to.include({
      code: "ERR_CHAIN_UNAVAILABLE",
      exit: 4,
    });
    const history = await anchoredCheckpoints(world.rpc, world.deployment, gateway.address);
    await world.blocks.close();
    const verdict = verifyArchive(placeOf(world, gateway.address), history, (digest) => world.blocks.get(digest));
    expect(await failureOf(verdict)).to.include({ code: "ERR_STORE_UNAVAILABLE", exit: 4 });
  });

  it("is a lying node, when it leaves out an anchor", async () => {
    const { world, gateway } = ward;
    const lying: Rpc = {
      async send(method, params) {
        const answer = await world.rpc.send(method, params);
        return method === "eth_getLogs" ? (answer as unknown[]).slice(0, -1) : answer;
      },
    };
    expect((await failureOf(anchoredCheckpoints(lying, world.deployment, gateway.address))).code).to.equal(
      "ERR_NODE_LIES",
    );
  });
});
