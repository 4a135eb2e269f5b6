import { expect } from "chai";
import { concat, hex } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { verifyArchive, type AuditReport } from "../../src/auditor/verify.ts";
import type { ObjectKind } from "../../src/auditor/findings.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import { StoreUnavailableError } from "../../src/ipfs/errors.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import {
  checkpointRoot,
  decodeCheckpoint,
  encodeCheckpoint,
  SHORTEST_CHECKPOINT,
  SHORTEST_PAGE,
  type Checkpoint,
  type Entry,
} from "../../src/log/checkpoint.ts";
import { copyOf, openRig, outside, record, type Outside, type Rig } from "./rig.ts";
import { failureOf } from "./times.ts";

interface Block {
  readonly digest: Uint8Array;
  readonly object: ObjectKind;
  readonly checkpoint: number;
}

describe("an audit of every block in turn", () => {
  let rig: Rig;
  let whole: Outside;

  before(async () => {
    rig = await openRig("audit");
    const lee = await rig.newParty("Dr Lee");
    whole = outside();
    const gateway = new Gateway(rig.deps(whole));
    await gateway.acceptLease(await rig.lease(rig.write.id));
    await record(gateway, rig, 0, 2);
    await gateway.post(await rig.release(rig.consent(lee).id), lee.party.recipient.viewKey);
    await gateway.checkpoint();
    await record(gateway, rig, 2, 4);
    await gateway.checkpoint();
  });

  const audit = ({ blocks, anchor }: Outside, gate: () => void = () => undefined): Promise<AuditReport> =>
    verifyArchive(rig.deps(whole).place, anchor.history, (digest) => {
      gate();
      return blocks.get(digest);
    });

  const named = ({ findings }: AuditReport): string[] =>
    findings.map(({ kind, object, cid, checkpoint }) => `${kind} ${object} ${cid} in ${checkpoint}`).sort();
  const as = (kind: string, { object, digest, checkpoint }: Block): string =>
    `${kind} ${object} ${cidOf(digest)} in ${checkpoint}`;

  /** All that the archive names. */
  function blocksOf({ blocks, anchor }: Outside): Block[] {
    return anchor.history.flatMap(({ digest, index: checkpoint }) => {
      const { entries, mail, pages } = decodeCheckpoint(blocks.shelf.get(hex(digest)) as Uint8Array);
      const list = (object: ObjectKind, digests: readonly Uint8Array[]): Block[] =>
        digests.map((one) => ({ digest: one, object, checkpoint }));
      return [
        ...list("checkpoint", [digest]),
        ...list("page", pages),
        ...list(
          "header",
          (entries ?? []).map(({ header }) => header),
        ),
        ...list(
          "batch",
          (entries ?? []).map(({ batch }) => batch),
        ),
        ...list(
          "envelope",
          mail.map(({ envelope }) => envelope),
        ),
      ];
    });
  }

  const bytesOf = ({ blocks }: Outside, { digest }: Block): Uint8Array => blocks.shelf.get(hex(digest)) as Uint8Array;

  it("names each, altered, cut short, missing or swapped, and blames no other", async () => {
    const all = blocksOf(whole);
    expect(all).to.have.lengthOf(2 * (1 + 8 + 8 + 16));
    expect(await audit(whole)).to.include({ ok: true, objects: all.length, erased: 0 });
    const at = await copyOf(whole);
    for (const [i, block] of all.entries()) {
      const bytes = bytesOf(whole, block);
      const put = (change: Uint8Array): void => at.blocks.alter(block.digest, change);
      const flipped = bytes.slice();
      flipped[(i * 37) % bytes.length] = (flipped[(i * 37) % bytes.length] as number) ^ (1 << (i % 8));
      put(flipped);
      expect(named(await audit(at))).to.deep.equal([as("altered", block)]);
      put(bytes.subarray(0, 100));
      expect(named(await audit(at))).to.deep.equal([as("truncated", block)]);
      put(concat(bytes, Uint8Array.of(0)));
      expect(named(await audit(at))).to.deep.equal([as("altered", block)]);
      put(new Uint8Array(0));
      expect(named(await audit(at))).to.deep.equal([as("truncated", block)]);
      // Of the same kind or of another, in the same checkpoint or another one; what only a lost checkpoint names, nobody knows.
      const others =
        block.object === "checkpoint" ? all.filter(({ checkpoint }) => checkpoint !== block.checkpoint) : all;
      const other = others[(i * 7 + 1) % others.length] as Block;
      put(bytesOf(whole, other));
      if (other.digest !== block.digest) expect(named(await audit(at))).to.deep.equal([as("swapped", block)]);
      put(bytes);
    }
    expect(named(await audit(at))).to.deep.equal([]);

    const [first, second] = [all[3] as Block, all[40] as Block];
    at.blocks.alter(first.digest, bytesOf(whole, second));
    at.blocks.alter(second.digest, bytesOf(whole, first));
    expect(named(await audit(at))).to.deep.equal([as("swapped", first), as("swapped", second)].sort());
  });

  it("names each that is gone, unless a later checkpoint lists it as erased", async () => {
    for (const block of blocksOf(whole)) {
      const gone = await copyOf(whole);
      await gone.blocks.remove([block.digest]);
      expect(named(await audit(gone))).to.deep.equal([as("missing", block)]);
      if (block.checkpoint > 0) continue;

      const listed = await copyOf(whole);
      const gateway = new Gateway(rig.deps(listed));
      await gateway.erase([block.digest]);
      await gateway.checkpoint();
      expect(named(await audit(listed)), "listed, and there").to.deep.equal([]);
      for (const { cid } of await listed.blocks.pins()) await listed.blocks.unpin(cid);
      await listed.blocks.remove([block.digest]);
      const report = await audit(listed);
      if (block.object === "checkpoint") expect(named(report)).to.deep.equal([as("missing", block)]);
      else expect(report).to.deep.include({ ok: true, erased: 1, findings: [] });
      const last = listed.anchor.history.at(-1)!;
      await listed.blocks.remove([last.digest]);
      const unsure = (await audit(listed)).findings.filter(({ cid }) => cid === cidOf(block.digest));
      expect(unsure.map(({ text }) => text).join(), "the list is gone").to.include("no checkpoint that can be read");
      listed.blocks.alter(last.digest, bytesOf(listed, { ...block, digest: last.digest }));
      listed.blocks.alter(block.digest, new Uint8Array(bytesOf(whole, block).length));
      expect(named(await audit(listed)), "listed, and altered").to.deep.equal([as("altered", block)]);
    }
  });

  it("comes to no verdict when the store stops at any moment", async () => {
    const { objects } = await audit(whole);
    for (let at = 0; at < objects; at++) {
      let reads = 0;
      const stopping = audit(whole, () => {
        if (reads++ >= at) throw new StoreUnavailableError("stopped");
      });
      expect(await failureOf(stopping), `read ${at}`).to.include({ code: "ERR_STORE_UNAVAILABLE", exit: 4 });
    }
  });

  it("names a block of a size that none of its kind has", async () => {
    const at = outside();
    const [header, batch, envelope] = await at.blocks.putMany([1023, 2048, 16_383].map((size) => new Uint8Array(size)));
    const entries = [{ tag: sha256(), header: header!, batch: batch! }];
    const mail = [{ envelope: envelope!, ephemeral: sha256(), viewTag: 0 }];
    const links = { index: 0, headBefore: new Uint8Array(32), previous: new Uint8Array(32), erased: [] };
    const { block } = encodeCheckpoint({ ...rig.deps(at).place, ...links, entries, mail });
    const digest = await at.blocks.put(block);
    await at.anchor.anchor({ root: checkpointRoot(entries), digest, size: 1 }, new Uint8Array(32));
    const blocks = { header: header!, batch: batch!, envelope: envelope! };
    const expected = Object.entries(blocks).map(([object, one]) =>
      as("malformed", { object: object as ObjectKind, digest: one, checkpoint: 0 }),
    );
    expect(named(await audit(at))).to.deep.equal(expected.sort());
  });

  describe("names the checkpoint at fault and no other, when", () => {
    /** Anchors something after the two honest checkpoints, and one honest-looking after it. */
    async function withThird(
      change: (honest: Checkpoint) => Partial<Checkpoint>,
      onChain: { root?: Uint8Array; size?: number; block?: Uint8Array } = {},
    ): Promise<{ at: Outside; third: Block }> {
      const at = await copyOf(whole);
      const last = at.anchor.history.at(-1);
      const [entry] = decodeCheckpoint(bytesOf(whole, blocksOf(whole)[0] as Block)).entries as [Entry];
      const fresh = { ...entry, tag: sha256(entry.tag) };
      const honest: Checkpoint = {
        ...rig.deps(at).place,
        index: 2,
        headBefore: last?.head as Uint8Array,
        previous: last?.digest as Uint8Array,
        entries: [fresh],
        mail: [],
        erased: [],
      };
      const checkpoint = { ...honest, ...change(honest) };
      const block = onChain.block ?? encodeCheckpoint(checkpoint).block;
      const digest = await at.blocks.put(block);
      const root = onChain.root ?? checkpointRoot(checkpoint.entries);
      const size = onChain.size ?? checkpoint.entries.length;
      await at.anchor.anchor({ root, digest, size }, (await at.anchor.head()).head);
      const [anchored] = at.anchor.history.slice(-1);
      const next = { ...honest, entries: [{ ...entry, tag: sha256(fresh.tag) }], index: 3, previous: digest };
      const { block: after } = encodeCheckpoint({ ...next, headBefore: anchored?.head as Uint8Array });
      const link = { root: checkpointRoot(next.entries), digest: await at.blocks.put(after), size: 1 };
      await at.anchor.anchor(link, (await at.anchor.head()).head);
      return { at, third: { digest, object: "checkpoint", checkpoint: 2 } };
    }

    it("nothing is (so that the others can fail)", async () => {
      expect(await audit((await withThird(() => ({}))).at)).to.include({ ok: true, checkpoints: 4 });
    });

    const other20 = new Uint8Array(20).fill(7);
    const other32 = new Uint8Array(32).fill(7);
    const cases: Record<string, Parameters<typeof withThird>> = {
      "its root is not that of its entries": [() => ({}), { root: other32 }],
      "its size is not that of its entries": [() => ({}), { size: 2 }],
      "its index is not its place": [() => ({ index: 7 })],
      "its head before is another": [() => ({ headBefore: other32 })],
      "its predecessor is another": [() => ({ previous: other32 })],
      "it is for another gateway": [() => ({ gateway: other20 })],
      "it is for another contract": [() => ({ anchor: other20 })],
      "it is for another chain": [() => ({ chainId: 1n })],
    };
    for (const [what, given] of Object.entries(cases))
      it(what, async () => {
        const { at, third } = await withThird(...given);
        expect(named(await audit(at))).to.deep.equal([as("mismatch", third)]);
      });

    it("it is no checkpoint at all", async () => {
      const { at, third } = await withThird(() => ({}), { block: new Uint8Array(500) });
      expect(named(await audit(at))).to.deep.equal([as("malformed", third)]);
    });

    it("it has a tag that stood in an earlier one", async () => {
      const [entry] = decodeCheckpoint(bytesOf(whole, blocksOf(whole)[0] as Block)).entries as [Entry];
      const { at } = await withThird(() => ({ entries: [entry] }));
      const report = await audit(at);
      expect(report.findings.map(({ kind, checkpoint, cid }) => [kind, checkpoint, cid])).to.deep.equal([
        ["duplicate-tag", 2, cidOf(entry.header)],
      ]);
    });
  });

  it("names each page, altered, cut short, missing or swapped", async () => {
    const at = outside();
    const [header, batch] = await at.blocks.putMany([new Uint8Array(1024), new Uint8Array(1024).fill(1)]);
    const entries = Array.from({ length: 4096 + 5 }, (_, i) => ({
      tag: concat(new Uint8Array(30), Uint8Array.of(i >> 8, i & 255)),
      header: header as Uint8Array,
      batch: batch as Uint8Array,
    }));
    const place = rig.deps(at).place;
    const links = { index: 0, headBefore: new Uint8Array(32), previous: new Uint8Array(32), mail: [], erased: [] };
    const { block, pages } = encodeCheckpoint({ ...place, ...links, entries });
    await at.blocks.putMany(pages);
    const digest = await at.blocks.put(block);
    await at.anchor.anchor({ root: checkpointRoot(entries), digest, size: entries.length }, new Uint8Array(32));
    expect(await audit(at)).to.include({ ok: true, objects: 1 + 2 + 2 });
    const listed = blocksOf(at).filter(({ object }) => object === "page");
    expect(listed).to.have.lengthOf(2);
    for (const [i, page] of listed.entries()) {
      const bytes = pages[i] as Uint8Array;
      const flipped = bytes.slice();
      flipped[bytes.length - 1] = (flipped[bytes.length - 1] as number) ^ 1;
      for (const [kind, change] of [
        ["altered", flipped],
        ["truncated", bytes.subarray(0, SHORTEST_PAGE - 1)],
        ["swapped", pages[1 - i] as Uint8Array],
        ["swapped", block],
      ] as const) {
        at.blocks.alter(page.digest, change);
        expect(named(await audit(at))).to.deep.equal([as(kind, page)]);
      }
      at.blocks.alter(page.digest, bytes);
      const gone = await copyOf(at);
      await gone.blocks.remove([page.digest]);
      expect(named(await audit(gone))).to.deep.equal([as("missing", page)]);
    }
    for (const [i, page] of listed.entries()) at.blocks.alter(page.digest, pages[1 - i] as Uint8Array);
    expect(named(await audit(at)), "both").to.deep.equal(listed.map((page) => as("swapped", page)).sort());
    expect(block.length).to.be.greaterThan(SHORTEST_CHECKPOINT - 96);
  });
});
