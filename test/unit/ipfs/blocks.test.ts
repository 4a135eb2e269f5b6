import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { CID } from "multiformats/cid";
import * as dagCbor from "@ipld/dag-cbor";
import { hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { FileBlockstore, NotFoundError } from "../../../src/ipfs/blocks.ts";
import { cidWith, digestIn, rawCid } from "../../../src/ipfs/cid.ts";
import { bytesOf, failure, folders } from "./support.ts";

const entry = (label: string, size = 100): { cid: CID; bytes: Uint8Array } => {
  const bytes = bytesOf(size, label);
  return { cid: rawCid(sha256(bytes)), bytes };
};

async function read(store: FileBlockstore, cid: CID): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of store.get(cid)) parts.push(part);
  return hex(Buffer.concat(parts));
}

async function digests(source: AsyncIterable<{ cid: CID }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { cid } of source) found.push(hex(digestIn(cid)));
  return found.sort();
}

describe("blockstore over files", () => {
  const fresh = folders();
  let folder: string;
  let store: FileBlockstore;

  beforeEach(async () => {
    folder = await fresh();
    store = new FileBlockstore(folder);
    await store.open();
  });

  it("names the file of a block by its CID, in a folder by the last byte of its digest", async () => {
    const { cid, bytes } = entry("a");
    await store.put(cid, bytes);
    const last = hex(digestIn(cid)).slice(-2);
    expect(hex(await readFile(join(folder, last, `${cid.toString()}.block`)))).to.equal(hex(bytes));
  });

  it("knows a block by its multihash, whatever the codec", async () => {
    const bytes = dagCbor.encode({ a: 1 });
    await store.put(cidWith(dagCbor.code, sha256(bytes)), bytes);
    expect(await read(store, rawCid(sha256(bytes)))).to.equal(hex(bytes));
  });

  it("takes bytes in one piece or in many", async () => {
    const { cid, bytes } = entry("a");
    for (const source of [bytes, [bytes.subarray(0, 3), bytes.subarray(3)], chunked(bytes)]) {
      await store.delete(cid);
      await store.put(cid, source);
      expect(await read(store, cid)).to.equal(hex(bytes));
    }
  });

  it("puts, gives, lists and deletes many", async () => {
    const entries = Array.from({ length: 150 }, (_, i) => entry(`many ${i}`));
    const cids = entries.map(({ cid }) => cid);
    const put: CID[] = [];
    for await (const cid of store.putMany(entries)) put.push(cid);
    expect(put.map(String)).to.deep.equal(cids.map(String));
    expect(await digests(store.getAll())).to.deep.equal(cids.map((cid) => hex(digestIn(cid))).sort());
    let i = 0;
    for await (const { cid } of store.getMany(cids)) {
      expect(await read(store, cid)).to.equal(hex((entries[i++] as { bytes: Uint8Array }).bytes));
    }
    for await (const _ of store.deleteMany(cids.slice(10)));
    expect(await digests(store.getAll())).to.have.length(10);
  });

  it("says that a block is not found in the words that Helia looks for", async () => {
    const error = await failure(read(store, entry("absent").cid), NotFoundError);
    expect(error.name).to.equal("NotFoundError");
    expect(await store.has(entry("absent").cid)).to.be.false;
    await store.delete(entry("absent").cid);
  });

  it("tells a block that is not there from a folder that is not there", async () => {
    const { cid, bytes } = entry("a");
    await store.put(cid, bytes);
    await rename(folder, `${folder}-away`);
    try {
      for (const work of [() => read(store, cid), () => store.has(cid), () => store.delete(cid)]) {
        expect(await failure(work(), Error)).to.be.not.instanceOf(NotFoundError);
      }
    } finally {
      await rename(`${folder}-away`, folder);
    }
    expect(await read(store, cid)).to.equal(hex(bytes));
  });

  it("takes no half-written file for a block, and clears those of dead processes when opened", async () => {
    const { pid: dead } = spawnSync(process.execPath, ["--version"]);
    await writeFile(join(folder, "tmp", `${dead}-0011`), "half");
    await writeFile(join(folder, "tmp", `${process.pid}-0022`), "of a process that still writes");
    expect(await digests(store.getAll())).to.deep.equal([]);
    await new FileBlockstore(folder).open();
    expect(await readdir(join(folder, "tmp"))).to.deep.equal([`${process.pid}-0022`]);
  });

  it("leaves no temporary file behind, also when it cannot write", async () => {
    const { cid, bytes } = entry("a");
    await store.put(cid, bytes);
    const blocked = entry("b");
    await mkdir(store.path(blocked.cid));
    await failure(store.put(blocked.cid, blocked.bytes), Error);
    expect(await readdir(join(folder, "tmp"))).to.deep.equal([]);
  });

  it("passes over files that are no blocks", async () => {
    for (const name of ["README.txt", "nonsense.block", ".block"]) await writeFile(join(folder, "00", name), "x");
    expect(await digests(store.getAll())).to.deep.equal([]);
  });

  it("opens no folder of a version that it does not know", async () => {
    await writeFile(join(folder, "MEDSEAL-BLOCKS"), "medseal-blocks 2\n");
    expect((await failure(new FileBlockstore(folder).open(), Error)).message).to.match(/another version/);
  });

  it("is one store for several objects on one folder, writing the same blocks at once", async () => {
    const stores = [store, new FileBlockstore(folder), new FileBlockstore(folder)];
    await Promise.all(stores.map((each) => each.open()));
    const entries = Array.from({ length: 30 }, (_, i) => entry(`shared ${i}`, 5000));
    await Promise.all(stores.flatMap((each) => entries.map(({ cid, bytes }) => each.put(cid, bytes))));
    for (const { cid, bytes } of entries) expect(await read(store, cid)).to.equal(hex(bytes));
    expect(await readdir(join(folder, "tmp"))).to.deep.equal([]);
  });
});

async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += 30) yield await Promise.resolve(bytes.subarray(i, i + 30));
}
