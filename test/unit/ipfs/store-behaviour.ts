import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { MalformedError } from "../../../src/errors.ts";
import { cidOf } from "../../../src/ipfs/cid.ts";
import { BlockMissingError, BlockPinnedError, BlockTooBigError } from "../../../src/ipfs/errors.ts";
import { MAX_BLOCK, type BlockStore } from "../../../src/ipfs/store.ts";
import { failure } from "./support.ts";

/** What every store does. Its blocks are random, so it may run against a store that is in use, and takes them out again. */
export function behavesAsBlockStore(store: () => BlockStore): void {
  const used: Uint8Array[] = [];
  const pinsets: string[] = [];
  const fresh = (size = 300): Uint8Array => new Uint8Array(randomBytes(size));
  const put = async (block: Uint8Array): Promise<Uint8Array> => {
    const digest = await store().put(block);
    used.push(digest);
    return digest;
  };
  const pin = async (checkpoint: Uint8Array, blocks: Uint8Array[], name?: string): Promise<string> => {
    const cid = await store().putPinset({ checkpoint, blocks }, name);
    pinsets.push(cid);
    return cid;
  };

  after(async () => {
    for (const cid of pinsets) await store().unpin(cid);
    await store().remove(used);
  });

  for (const size of [0, 1, 1023, 65_536, 262_145, 1024 * 1024, MAX_BLOCK]) {
    it(`gives back a block of ${size} bytes under its SHA-256 digest`, async () => {
      const block = fresh(size);
      const digest = await put(block);
      expect(hex(digest)).to.equal(hex(sha256(block)));
      expect(Buffer.compare(await store().get(digest), block)).to.equal(0);
    });
  }

  it("refuses a block above the limit", async () => {
    const error = await failure(store().put(new Uint8Array(MAX_BLOCK + 1)), BlockTooBigError);
    expect(error.size).to.equal(MAX_BLOCK + 1);
  });

  it("takes the same block any number of times, also at once", async () => {
    const block = fresh();
    const digests = await Promise.all([1, 2, 3, 4].map(() => put(block)));
    expect(new Set(digests.map(hex))).to.deep.equal(new Set([hex(sha256(block))]));
    expect(hex(await store().get(digests[0] as Uint8Array))).to.equal(hex(block));
  });

  it("takes many blocks and answers in their order", async () => {
    const blocks = Array.from({ length: 40 }, (_, i) => fresh(10 + i));
    const digests = await store().putMany(blocks);
    used.push(...digests);
    expect(digests.map(hex)).to.deep.equal(blocks.map((block) => hex(sha256(block))));
    for (const [i, digest] of digests.entries())
      expect(hex(await store().get(digest))).to.equal(hex(blocks[i] as Uint8Array));
    expect(await store().putMany([])).to.deep.equal([]);
  });

  it("tells a block that it has from one that it lacks", async () => {
    expect(await store().has(await put(fresh()))).to.be.true;
    expect(await store().has(sha256(fresh()))).to.be.false;
  });

  it("says which block is missing", async () => {
    const digest = sha256(fresh());
    const error = await failure(store().get(digest), BlockMissingError);
    expect(error).to.include({ cid: cidOf(digest), code: "ERR_BLOCK_MISSING", exit: 1 });
  });

  it("removes a block for good, and one that it lacks without complaint", async () => {
    const digest = await store().put(fresh());
    await store().remove([digest, digest]);
    await failure(store().get(digest), BlockMissingError);
    expect(await store().has(digest)).to.be.false;
  });

  it("keeps a pinset that can be read again, and names its pin", async () => {
    const [checkpoint, a, b] = [await put(fresh()), await put(fresh()), await put(fresh())];
    const cid = await pin(checkpoint, [a, b], "medseal test");
    const found = await store().getPinset(cid);
    expect(hex(found.checkpoint)).to.equal(hex(checkpoint));
    expect(found.blocks.map(hex)).to.have.members([a, b].map(hex));
    expect(await store().pins()).to.deep.include({ cid, name: "medseal test" });
  });

  it("pins the same pinset again without harm", async () => {
    const [checkpoint, a] = [await put(fresh()), await put(fresh())];
    const cid = await pin(checkpoint, [a]);
    expect(await pin(checkpoint, [a])).to.equal(cid);
    expect((await store().pins()).filter((pin) => pin.cid === cid)).to.have.length(1);
  });

  it("removes no block under a pin until the last pinset that links to it is let go", async () => {
    const [one, two, shared] = [await put(fresh()), await put(fresh()), await put(fresh())];
    const [first, second] = [await pin(one, [shared]), await pin(two, [shared])];
    await store().unpin(first);
    const error = await failure(store().remove([shared]), BlockPinnedError);
    expect(error.cid).to.equal(cidOf(shared));
    expect(await store().has(shared)).to.be.true;
    await store().unpin(second);
    await store().remove([shared]);
    expect(await store().has(shared)).to.be.false;
  });

  it("lists no pin that was let go, and lets go of one that never was", async () => {
    const cid = await pin(await put(fresh()), []);
    await store().unpin(cid);
    await store().unpin(cid);
    expect((await store().pins()).map((pin) => pin.cid)).to.not.include(cid);
  });

  it("pins no pinset with a missing block, and says which", async () => {
    const [checkpoint, absent] = [await put(fresh()), sha256(fresh())];
    const before = (await store().pins()).length;
    const error = await failure(store().putPinset({ checkpoint, blocks: [absent] }), BlockMissingError);
    expect(error.cid).to.equal(cidOf(absent));
    expect(await store().pins()).to.have.length(before);
  });

  it("takes no CID of a raw block for a pinset", async () => {
    await failure(store().getPinset(cidOf(await put(fresh()))), MalformedError);
    await failure(store().getPinset("not a CID"), MalformedError);
  });
}
