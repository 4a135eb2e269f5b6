import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { compare } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { FileBlockstore } from "../../src/ipfs/blocks.ts";
import { cidOf, rawCid } from "../../src/ipfs/cid.ts";
import type { Finding } from "../../src/auditor/findings.ts";
import { anchorCheckpoint, anchoredCheckpoints } from "../../src/chain/anchor.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/log/checkpoint.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import { audit } from "../../scripts/demo/audit.ts";
import { openArchive, placeOf } from "../../scripts/demo/world.ts";
import { openWard, type Ward } from "./ward.ts";
import { failureOf } from "./times.ts";

describe("what the audit finds", () => {
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
      const bytes = await Promise.all([one, other].map((digest) => readFile(pathOf(digest))));
      const swapped = await findingsAfter([one, other], (path, whole) =>
        writeFile(path, whole.equals(bytes[0]!) ? bytes[1]! : bytes[0]!),
      );
      expect(new Set(swapped.map(({ kind, cid }) => `${kind} ${cid}`))).to.deep.equal(
        new Set([`swapped ${cidOf(one)}`, `swapped ${cidOf(other)}`]),
      );
    });
  }

  it("is a mismatch of the one checkpoint whose root is not that of its entries", async () => {
    const { world, gateway, identity } = ward;
    const { rpc, deployment, accounts } = world;
    const at = await rpc.send("evm_snapshot", []);
    const history = await anchoredCheckpoints(rpc, deployment, gateway.address);
    const last = history.at(-1)!;
    const { entries } = decodeCheckpoint(await world.blocks.get(last.digest));
    const { block } = encodeCheckpoint({
      ...placeOf(world, gateway.address),
      index: history.length,
      headBefore: last.head,
      previous: last.digest,
      entries: entries!.map((entry) => ({ ...entry, tag: sha256(entry.tag) })).sort((a, b) => compare(a.tag, b.tag)),
      mail: [],
      erased: [],
    });
    const digest = await world.blocks.put(block);
    await anchorCheckpoint({ root: last.root, digest, size: 64 }, last.head, accounts.gateway, rpc, deployment);
    const { ok, findings } = await audit(world, gateway);
    expect(ok).to.equal(false);
    expect(findings.map(({ kind, object, cid, checkpoint }) => [kind, object, cid, checkpoint])).to.deep.equal([
      ["mismatch", "checkpoint", cidOf(digest), history.length],
    ]);
    // And the gateway that did not anchor this goes no further.
    expect(await failureOf(gateway.self.checkpoint())).to.include({ code: "ERR_FORKED", exit: 5 });
    expect(identity.party.address).to.equal(gateway.address);
    await rpc.send("evm_revert", [at]);
  });

  /** A node whose answers to one method are changed. */
  const lying = (method: string, change: (answer: unknown) => unknown): Rpc => ({
    async send(asked, params) {
      const answer = await ward.world.rpc.send(asked, params);
      return asked === method ? change(structuredClone(answer)) : answer;
    },
  });

  type Log = { data: string; topics: string[]; logIndex: string; blockNumber: string; blockHash: string };

  const lies: Record<string, (logs: Log[]) => Log[]> = {
    "leaves out the first anchor": (logs) => logs.slice(1),
    "leaves out the last anchor": (logs) => logs.slice(0, -1),
    "leaves out all anchors": () => [],
    "tells an anchor twice": (logs) => [...logs, { ...logs[0]!, logIndex: "0x7" }],
    "exchanges what two anchors say": ([one, two, ...more]) => [
      { ...one!, data: two!.data },
      { ...two!, data: one!.data },
      ...more,
    ],
    "alters a digest": ([one, ...more]) => [
      { ...one!, data: one!.data.replace(/[0-9]/g, (d) => String(9 - +d)) },
      ...more,
    ],
    "moves an anchor to another block": ([one, two, ...more]) => [
      { ...one!, blockHash: two!.blockHash },
      two!,
      ...more,
    ],
  };
  for (const [what, lie] of Object.entries(lies))
    it(`is a lying node, when it ${what}`, async () => {
      const { world, gateway } = ward;
      const node = lying("eth_getLogs", (logs) => lie(logs as Log[]));
      expect(await failureOf(anchoredCheckpoints(node, world.deployment, gateway.address))).to.include({
        code: "ERR_NODE_LIES",
        exit: 1,
      });
    });

  it("is a lying node, when the head it tells is another, and a wrong chain, when it is on one", async () => {
    const { world, gateway } = ward;
    const head = lying("eth_call", () => `0x${"12".repeat(32)}`);
    expect(await failureOf(anchoredCheckpoints(head, world.deployment, gateway.address))).to.include({
      code: "ERR_NODE_LIES",
    });
    const other = lying("eth_chainId", () => "0x1");
    expect(await failureOf(anchoredCheckpoints(other, world.deployment, gateway.address))).to.include({
      code: "ERR_WRONG_CHAIN",
    });
  });

  for (const [how, failing] of Object.entries({
    "is away": () => Promise.reject(Object.assign(new Error("connect"), { code: "ECONNREFUSED" })),
    "answers with errors": () => Promise.reject(Object.assign(new Error("busy"), { code: -32005 })),
    "answers with nothing": () => Promise.resolve(null),
  }))
    it(`is no verdict, when the chain ${how}, from any call on`, async () => {
      const { rpc, deployment } = ward.world;
      let whole = false;
      for (let at = 0; !whole; at++) {
        let calls = 0;
        const node: Rpc = { send: (method, params) => (calls++ >= at ? failing() : rpc.send(method, params)) };
        const done = anchoredCheckpoints(node, deployment, ward.gateway.address);
        const result = await done.catch((error: { code?: string }) => error.code);
        whole = Array.isArray(result);
        if (whole) expect(calls, "no call failed").to.equal(at);
        else
          expect(result, `call ${at}`).to.be.oneOf(
            how === "answers with nothing" ? ["ERR_CHAIN_UNAVAILABLE", "ERR_NODE_LIES"] : ["ERR_CHAIN_UNAVAILABLE"],
          );
      }
    });

  // The last one: the store stays closed.
  it("is an outage and no verdict, when the store is stopped", async () => {
    const { world, gateway } = ward;
    const history = await anchoredCheckpoints(world.rpc, world.deployment, gateway.address);
    await world.blocks.close();
    const verdict = verifyArchive(placeOf(world, gateway.address), history, (digest) => world.blocks.get(digest));
    expect(await failureOf(verdict)).to.include({ code: "ERR_STORE_UNAVAILABLE", exit: 4 });
  });
});
