import { execFileSync } from "node:child_process";
import { rename, rm, truncate, writeFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { create } from "ipfs-http-client";
import { hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { KuboStore } from "../../../src/ipfs/client.ts";
import { cidOf, digestIn, parseCid, rawCid } from "../../../src/ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError, StoreUnavailableError } from "../../../src/ipfs/errors.ts";
import { startNode } from "../../../src/ipfs/node.ts";
import { openStore } from "../../../src/ipfs/open.ts";
import type { BlockStore } from "../../../src/ipfs/store.ts";
import { bytesOf, failure, fileOf, folders } from "./support.ts";

const WAYS: Readonly<Record<string, (folder: string) => Promise<BlockStore>>> = {
  "read by the embedded store": (folder) => openStore({ folder }),
  async "read over the node's RPC"(folder) {
    const node = await startNode({ folder });
    const store = new KuboStore(node.url);
    store.close = () => node.stop();
    return store;
  },
};

for (const [way, open] of Object.entries(WAYS))
  describe(`a folder that somebody tampered with, ${way}`, () => {
    const fresh = folders();
    let folder: string;
    let store: BlockStore;

    beforeEach(async () => {
      folder = await fresh();
      store = await open(folder);
    });
    afterEach(() => store.close());

    const put = (label: string, size = 500): Promise<Uint8Array> => store.put(bytesOf(size, label));

    it("shows a flipped bit as altered, wherever it is", async () => {
      const digest = await put("a");
      const whole = await readFile(fileOf(folder, digest));
      for (const at of [0, 250, 499]) {
        await writeFile(
          fileOf(folder, digest),
          whole.map((byte, i) => (i === at ? byte ^ 1 : byte)),
        );
        const error = await failure(store.get(digest), BlockAlteredError);
        expect(error).to.include({ cid: cidOf(digest), found: 500, code: "ERR_BLOCK_ALTERED", exit: 1 });
      }
    });

    for (const length of [0, 1, 499]) {
      it(`shows a block cut to ${length} bytes as altered`, async () => {
        const digest = await put("a");
        await truncate(fileOf(folder, digest), length);
        expect((await failure(store.get(digest), BlockAlteredError)).found).to.equal(length);
      });
    }

    it("shows a block with bytes after it as altered", async () => {
      const digest = await put("a");
      await writeFile(fileOf(folder, digest), "x", { flag: "a" });
      expect((await failure(store.get(digest), BlockAlteredError)).found).to.equal(501);
    });

    it("shows two swapped blocks as altered, both of them", async () => {
      const [a, b] = [await put("a", 100), await put("b", 200)];
      await rename(fileOf(folder, a), join(folder, "aside"));
      await rename(fileOf(folder, b), fileOf(folder, a));
      await rename(join(folder, "aside"), fileOf(folder, b));
      const [forA, forB] = [
        await failure(store.get(a), BlockAlteredError),
        await failure(store.get(b), BlockAlteredError),
      ];
      expect([forA.found, forB.found]).to.deep.equal([200, 100]);
      expect([forA.foundDigest, forB.foundDigest]).to.deep.equal([b, a]);
    });

    it("shows a deleted block as missing and leaves the others readable", async () => {
      const [a, b] = [await put("a"), await put("b")];
      await rm(fileOf(folder, a));
      await failure(store.get(a), BlockMissingError);
      expect(await store.has(a)).to.be.false;
      expect(hex(await store.get(b))).to.equal(hex(bytesOf(500, "b")));
    });

    it("is an outage, not a loss, when all of it is away", async () => {
      const digest = await put("a");
      await rename(join(folder, "blocks"), join(folder, "elsewhere"));
      for (const work of [() => store.get(digest), () => store.has(digest), () => store.remove([digest])]) {
        await failure(work(), StoreUnavailableError);
      }
      await rename(join(folder, "elsewhere"), join(folder, "blocks"));
      expect(await store.has(digest)).to.be.true;
    });

    it("is an outage when a block's file cannot be read", async () => {
      const digest = await put("a");
      await rm(fileOf(folder, digest));
      // A link to itself fails for every user with ELOOP, where a file without permissions is still read by root.
      const { symlink } = await import("node:fs/promises");
      await symlink(fileOf(folder, digest), fileOf(folder, digest));
      await failure(store.get(digest), StoreUnavailableError);
    });

    it("is an outage at once when a pipe lies in place of a block, and mended by putting the block again", async () => {
      const digest = await put("a");
      await rm(fileOf(folder, digest));
      execFileSync("mkfifo", [fileOf(folder, digest)]);
      await failure(store.get(digest), StoreUnavailableError);
      expect(await put("a")).to.deep.equal(digest);
      expect(hex(await store.get(digest))).to.equal(hex(bytesOf(500, "a")));
    });

    it("is mended by putting the block again", async () => {
      const digest = await put("a");
      for (const harm of [() => truncate(fileOf(folder, digest), 7), () => rm(fileOf(folder, digest))]) {
        await harm();
        await put("a");
        expect(hex(await store.get(digest))).to.equal(hex(bytesOf(500, "a")));
      }
    });

    describe("under a pin", () => {
      let checkpoint: Uint8Array;
      let blocks: Uint8Array[];
      let pinset: string;

      beforeEach(async () => {
        checkpoint = await put("checkpoint");
        blocks = await store.putMany(["x", "y", "z"].map((label) => bytesOf(50, label)));
        pinset = await store.putPinset({ checkpoint, blocks });
      });

      it("shows an altered pinset as altered, and pins nothing by it", async () => {
        const digest = digestIn(parseCid(pinset));
        const file = fileOf(folder, digest);
        const whole = await readFile(file);
        await writeFile(
          file,
          whole.map((byte, i) => (i === whole.length - 1 ? byte ^ 1 : byte)),
        );
        await failure(store.getPinset(pinset), BlockAlteredError);
        await store.unpin(pinset);
        const node = await startNode({ folder });
        await failure(rpcPin(node.url, pinset), Error);
        await node.stop();
        expect(await store.pins()).to.deep.equal([]);
      });

      const harms: Record<string, (file: string) => Promise<void>> = {
        lost: (file) => rm(file),
        altered: (file) => truncate(file, 40),
      };
      for (const [name, harm] of Object.entries(harms)) {
        it(`lets all blocks go although the pinset was ${name}`, async () => {
          await harm(fileOf(folder, digestIn(parseCid(pinset))));
          await store.unpin(pinset);
          await store.remove([checkpoint, ...blocks]);
          expect(await Promise.all(blocks.map((digest) => store.has(digest)))).to.deep.equal([false, false, false]);
        });

        it(`lets all blocks go although one was ${name}`, async () => {
          await harm(fileOf(folder, blocks[1] as Uint8Array));
          await store.unpin(pinset);
          await store.remove([checkpoint, ...blocks]);
          expect(await store.pins()).to.deep.equal([]);
        });
      }
    });
  });

describe("garbage collection of the embedded node", () => {
  const fresh = folders();

  it("keeps what a pin holds and takes the rest", async () => {
    const node = await startNode({ folder: await fresh() });
    const store = new KuboStore(node.url);
    const loose = await store.put(bytesOf(100, "loose"));
    const held = await store.putMany([bytesOf(100, "held 1"), bytesOf(100, "held 2")]);
    const checkpoint = await store.put(bytesOf(100, "checkpoint"));
    const pinset = await store.putPinset({ checkpoint, blocks: held });
    const kept = [checkpoint, ...held];

    expect(await collected(node.url)).to.deep.equal([hex(loose)]);
    expect(await store.has(loose)).to.be.false;
    for (const digest of kept) expect(hex(sha256(await store.get(digest)))).to.equal(hex(digest));

    await store.unpin(pinset);
    expect(await collected(node.url)).to.have.members([...kept, digestIn(parseCid(pinset))].map(hex));
    for (const digest of kept) expect(await store.has(digest)).to.be.false;
    await node.stop();
  });

  it("does not come between puts and the pin that holds them", async () => {
    const node = await startNode({ folder: await fresh() });
    const store = new KuboStore(node.url);
    const rpc = create(node.url);
    const digests = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const block = bytesOf(100, `racing ${i}`);
        const cid = await rpc.block.put(block, { pin: true });
        if (i % 10 === 0) await collected(node.url);
        return digestIn(cid);
      }),
    );
    for (const digest of digests) expect(hex(sha256(await store.get(digest)))).to.equal(hex(digest));
    await node.stop();
  });
});

async function collected(url: string): Promise<string[]> {
  const digests: string[] = [];
  for await (const { cid } of create(url).repo.gc()) digests.push(hex(digestIn(cid as ReturnType<typeof rawCid>)));
  return digests;
}

const rpcPin = (url: string, cid: string): Promise<unknown> => create(url).pin.add(parseCid(cid));
