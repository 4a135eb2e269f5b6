import { expect } from "chai";
import { fromHex, hex, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { needBlock } from "../../src/chain/rpc.ts";
import { encodeConsent } from "../../src/consent/encoding.ts";
import { BlockMissingError, StoreUnavailableError } from "../../src/ipfs/errors.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import type { Bundle } from "../../src/evidence/bundle.ts";
import type { TrustedChain } from "../../src/evidence/chain.ts";
import { exportEvidence, type ExportOptions } from "../../src/evidence/export.ts";
import { decodeBundle, encodeBundle } from "../../src/evidence/format.ts";
import { verifyEvidence, type EvidenceReport } from "../../src/evidence/verify.ts";
import { readZip, writeZip } from "../../src/evidence/zip.ts";
import { dice, mutate } from "../unit/log/mutate.ts";
import { closeProving, codeOf, gatewayOf, openProving, outcome, type Proving } from "./proving.ts";
import { failureOf } from "./times.ts";
import { EPOCH } from "./ward.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "a case";
/** Of what the bundle says, at random places. */
const FLIPS = Number(process.env["MEDSEAL_FLIPS"] ?? 1500);

describe("an evidence bundle", function () {
  this.timeout(300_000);
  let at: Proving;
  let bundle: Bundle;
  let trusted: TrustedChain;

  before(async () => {
    at = await openProving();
    bundle = await exported();
    trusted = codeOf(at);
  });
  after(() => closeProving(at));

  async function exported(options: Partial<ExportOptions> = {}, deps = at.deps): Promise<Bundle> {
    const all = { software: "medseal test", shows: "readings", ...options } as const;
    const { bundle: made, unproven } = await exportEvidence(at.access, at.request, deps, all);
    expect(unproven).to.equal(undefined);
    return made;
  }

  const verified = (one: Bundle): Promise<EvidenceReport> => verifyEvidence(decodeBundle(encodeBundle(one)), trusted);

  it("verifies as a file, without chain and store, and is the same file every time", async () => {
    const report = await verified(bundle);
    const counts = { headers: 4, batches: 4, readings: 4 * EPOCH, unrecorded: 0, checkpoints: 2 };
    expect(report).to.deep.include({ ok: true, findings: [], missing: [], ...counts });
    expect(report.consents.map(({ inForce }) => inForce?.length)).to.deep.equal([1, 1]);
    expect(hex(encodeBundle(await exported()))).to.equal(hex(encodeBundle(bundle)));
    expect(hex(encodeBundle(await exported({ askNode: true }))), "paths as the node has them").to.equal(
      hex(encodeBundle(bundle)),
    );
  });

  it("is refused when it rests on another block, or on contracts with other code", async () => {
    const other = `0x${"1".repeat(64)}` as const;
    const { block } = await verified(bundle);
    expect((await verifyEvidence(bundle, { ...trusted, blockHash: block.hash })).ok).to.equal(true);
    for (const wrong of [{ blockHash: other }, { registryCode: other }, { anchorCode: other }])
      expect(await outcome(() => verifyEvidence(bundle, { ...trusted, ...wrong }))).to.equal("ERR_EVIDENCE");
  });

  it("holds no key of an epoch, and with headers alone no reading", async () => {
    const nodes = at.access.keys.flatMap(({ audit, data }) => [...audit, ...(data ?? [])]).map(({ key }) => hex(key));
    expect(nodes.length).to.be.greaterThan(0);
    const whole = hex(encodeBundle(bundle)) + hex(readZip(encodeBundle(bundle)).get("evidence.json")!);
    for (const node of nodes) {
      expect(whole).to.not.include(node);
      expect(whole).to.not.include(hex(utf8(node)));
    }
    const headers = await exported({ shows: "headers" });
    const report = await verified(headers);
    expect(report).to.deep.include({ ok: true, headers: 4, batches: 0, readings: 0 });
    const batches = headers.generations.flatMap((one) => one.batches);
    expect(batches.filter(({ batchKey }) => batchKey)).to.deep.equal([]);
    expect(headers.blocks.size).to.equal(bundle.blocks.size - 4);
  });

  it("names every block that is missing, altered or swapped, and no other", async () => {
    const digests = [...bundle.blocks.keys()];
    for (const [i, digest] of digests.entries()) {
      const cid = cidOf(fromHex(digest));
      const without = new Map(bundle.blocks);
      without.delete(digest);
      const gone = await verified({ ...bundle, blocks: without });
      expect(gone.ok).to.equal(false);
      expect(gone.missing.join()).to.include(cid);
      const honest = bundle.blocks.get(digest) as Uint8Array;
      const other = bundle.blocks.get(digests[(i + 1) % digests.length] as string) as Uint8Array;
      for (const [kind, block] of [
        ["altered", honest.with(honest.length - 1, (honest.at(-1) as number) ^ 1)],
        ["swapped", other],
      ] as const) {
        const report = await verified({ ...bundle, blocks: new Map(bundle.blocks).set(digest, block) });
        expect(report.findings.map((finding) => [finding.kind, finding.cid])).to.deep.equal([[kind, cid]]);
      }
    }
  });

  it("says what the store did not have, and makes no bundle in an outage", async () => {
    const [digest] = at.deps
      .archiveOf("")
      .entries()
      .map(({ header }) => header)
      .filter((one) => bundle.blocks.has(hex(one)));
    const cid = cidOf(digest as Uint8Array);
    const holey = async (one: Uint8Array): Promise<Uint8Array> => {
      if (hex(one) === hex(digest as Uint8Array)) throw new BlockMissingError(cid);
      return at.deps.read(one);
    };
    const report = await verified(await exported({}, { ...at.deps, read: holey }));
    expect(report.missing.join()).to.include(cid);
    const away = (): Promise<Uint8Array> => Promise.reject(new StoreUnavailableError("away"));
    expect(await failureOf(exported({}, { ...at.deps, read: away }))).to.include({ exit: 4 });
  });

  it("holds what is final, and the exporter is told what is not", async () => {
    const { ledger, rpc, historyOf } = at.deps;
    const [first, second] = await historyOf(gatewayOf(at));
    if (!first || !second) throw new Error("no checkpoints");
    const { number, hash, timestamp: time } = await needBlock(rpc, second.block - 1);
    const early = { final: { number, hash, time }, prove: ledger.prove.bind(ledger) };
    const options = { software: "medseal test", shows: "readings" } as const;
    const deps = { ...at.deps, ledger: early };
    const made = await exportEvidence(at.access, at.request, deps, options);
    expect(made.notFinal).to.deep.equal({ checkpoints: 1, epochs: 2, batches: 2 });
    const counts = { headers: 2, unrecorded: 2, checkpoints: 1 };
    expect(await verified(made.bundle)).to.deep.include({ ok: true, findings: [], missing: [], ...counts });
    const refused = await failureOf(exportEvidence(at.access, at.request, deps, { ...options, whole: true }));
    expect(refused).to.include({ code: "ERR_NOT_FINAL_YET", exit: 4, block: second.block });
  });

  it("shows a header or checkpoint that was left out, a block or consent that does not belong there", async () => {
    const [generation] = bundle.generations;
    if (!generation) throw new Error("no generation");
    const without = generation.batches.filter((_, i) => i !== 1);
    const gap = await verified({ ...bundle, generations: [{ ...generation, batches: without }] });
    expect(gap.findings.map(({ kind }) => kind)).to.deep.equal(["epoch-missing"]);
    expect(gap.unrecorded).to.equal(1);

    const [gateway] = bundle.gateways;
    const shorter = [{ ...gateway!, checkpoints: gateway!.checkpoints.slice(0, -1) }];
    expect(await outcome(() => verified({ ...bundle, gateways: shorter }))).to.equal("ERR_EVIDENCE");

    const stowaway = utf8("a block that nothing names");
    const more = new Map(bundle.blocks).set(hex(sha256(stowaway)), stowaway);
    expect(await outcome(() => verified({ ...bundle, blocks: more }))).to.equal("ERR_EVIDENCE");

    const { registryAccount: _, ...silent } = bundle;
    const stateless = silent.consents.map(({ consent, scope }) => ({ consent, scope }));
    const incomplete = await verified({ ...silent, consents: stateless });
    expect([incomplete.ok, incomplete.findings, incomplete.missing.length]).to.deep.equal([false, [], 1]);
    const other = encodeConsent(at.access.release.chain[0]!.consent);
    const swapped = bundle.consents.map((one, i) => (i === 0 ? { ...one, consent: other } : one));
    expect(await outcome(() => verified({ ...bundle, consents: swapped }))).to.equal("ERR_STATE_PROOF");
  });

  it("is refused with a bit flipped anywhere in the file, or cut off", async () => {
    const bytes = encodeBundle(bundle);
    const roll = dice(SEED);
    console.log(`      seed ${SEED}; ${bytes.length} bytes, ${bundle.blocks.size} blocks`);
    const ends = [...Array(400).keys()].flatMap((i) => [i, 8 * bytes.length - 1 - i]);
    for (const bit of [...ends, ...Array.from({ length: 4000 }, () => roll(8 * bytes.length))]) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit % 8));
      expect(await outcome(() => decodeBundle(changed)), `bit ${bit}`).to.equal("ERR_MALFORMED");
    }
    for (let i = 0; i < 300; i++) {
      const size = roll(bytes.length);
      expect(await outcome(() => decodeBundle(bytes.slice(0, size))), `${size} bytes`).to.equal("ERR_MALFORMED");
    }
    for (let i = 0; i < 1000; i++) {
      const changed = mutate(bytes, roll);
      if (hex(changed) !== hex(bytes)) expect(await outcome(() => decodeBundle(changed))).to.equal("ERR_MALFORMED");
    }
  });

  it("is refused or found wrong with any bit of what it says flipped, checksums mended; but for what is the exporter's word", async () => {
    const files = readZip(encodeBundle(bundle));
    const manifest = files.get("evidence.json") as Uint8Array;
    const text = new TextDecoder().decode(manifest);
    const word = /"software":"[^"]*"|"from":\d+|"to":\d+|"block":\d+|"time":\d+/g;
    const claims = [...text.matchAll(word)].map(({ index, 0: found }) => [index, index + found.length] as const);
    const roll = dice(SEED);
    const { block } = await verified(bundle);
    let [seen, claimed] = [0, 0];
    for (let i = 0; i < FLIPS; i++) {
      const bit = roll(8 * manifest.length);
      const changed = manifest.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit % 8));
      const whole = writeZip(new Map(files).set("evidence.json", changed));
      const result = await outcome(() => verifyEvidence(decodeBundle(whole), { ...trusted, blockHash: block.hash }));
      const isClaim = claims.some(([from, to]) => bit >> 3 >= from && bit >> 3 < to);
      if (typeof result === "string" || !result.ok) seen += 1;
      else if (isClaim) claimed += 1;
      else
        throw new Error(
          `bit ${bit} went unseen: ${text
            .slice(0, bit >> 3)
            .replace(/[0-9a-f]{20,}/g, "…")
            .slice(-200)}`,
        );
    }
    console.log(`      seed ${SEED}; ${FLIPS} flips: ${seen} seen, ${claimed} in the exporter's word`);
    expect(claimed).to.be.lessThan(FLIPS / 100);
  });
});
