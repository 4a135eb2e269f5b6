import { execFile } from "node:child_process";
import { mkdir, rename, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { BlockFiles } from "../../../src/ipfs/block-files.ts";
import { FileBlockstore, fileOf } from "../../../src/ipfs/blocks.ts";
import { rawCid } from "../../../src/ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError, StoreUnavailableError } from "../../../src/ipfs/errors.ts";
import { MAX_BLOCK } from "../../../src/ipfs/store.ts";
import { bytesOf, folders } from "./support.ts";

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return expect.fail("nothing was thrown");
}

describe("block files read directly", () => {
  const fresh = folders();
  let folder: string;
  let files: BlockFiles;

  beforeEach(async () => {
    folder = await fresh();
    await new FileBlockstore(folder).open();
    files = new BlockFiles(folder);
  });

  async function put(bytes: Uint8Array): Promise<Uint8Array> {
    const digest = sha256(bytes);
    await new FileBlockstore(folder).put(rawCid(digest), bytes);
    return digest;
  }

  it("are those that the blockstore wrote, of any size that a block has", async () => {
    for (const size of [0, 1, 1024, 65_536, MAX_BLOCK]) {
      const bytes = bytesOf(size, "block");
      const digest = await put(bytes);
      expect(hex(files.read(digest))).to.equal(hex(bytes));
      expect(hex(files.look(digest))).to.equal(hex(bytes));
    }
  });

  it("give bytes of their own with read, and with look such as the next look overwrites", async () => {
    const [one, other] = [await put(bytesOf(100, "one")), await put(bytesOf(100, "other"))];
    const kept = files.read(one);
    const lent = files.look(one);
    files.look(other);
    expect(hex(sha256(kept))).to.equal(hex(one));
    expect(hex(sha256(lent))).to.equal(hex(other));
  });

  it("say of an altered one how long it is and what it hashes to, however long", async () => {
    const digest = await put(bytesOf(1024, "block"));
    for (const found of [bytesOf(1024, "other"), new Uint8Array(0), bytesOf(MAX_BLOCK + 1, "a"), bytesOf(5e6, "b")]) {
      await writeFile(fileOf(folder, digest), found);
      const error = thrown(() => files.look(digest));
      expect(error).to.be.instanceOf(BlockAlteredError);
      const { found: length, foundDigest } = error as BlockAlteredError;
      expect([length, hex(foundDigest!)]).to.deep.equal([found.length, hex(sha256(found))]);
    }
  });

  it("tell a missing one from a folder that is away and from a file that cannot be read", async () => {
    const digest = await put(bytesOf(10, "block"));
    expect(thrown(() => files.look(sha256(digest)))).to.be.instanceOf(BlockMissingError);
    await rename(folder, `${folder}-away`);
    expect(thrown(() => files.look(digest))).to.be.instanceOf(StoreUnavailableError);
    expect(thrown(() => files.check())).to.be.instanceOf(StoreUnavailableError);
    await rename(`${folder}-away`, folder);
    await rm(fileOf(folder, digest));
    await mkdir(fileOf(folder, digest));
    expect(thrown(() => files.look(digest))).to.be.instanceOf(StoreUnavailableError);
  });

  it("do not wait for what never ends: a pipe, a device, a file of many gigabytes", async function () {
    if (process.platform === "win32") return this.skip();
    const digest = await put(bytesOf(1024, "block"));
    const file = fileOf(folder, digest);
    await truncate(file, 2 ** 40);
    expect(thrown(() => files.look(digest)))
      .to.be.instanceOf(BlockAlteredError)
      .and.include({ found: 2 ** 40 });
    await rm(file);
    await promisify(execFile)("mkfifo", [file]);
    expect(thrown(() => files.look(digest))).to.be.instanceOf(StoreUnavailableError);
    await rm(file);
    await symlink("/dev/zero", file);
    expect(thrown(() => files.look(digest))).to.be.instanceOf(StoreUnavailableError);
  });

  it("have a mark that another file in their place has not, once they are older than a tick", async () => {
    const digest = await put(bytesOf(10, "block"));
    const real = Date.now;
    const { ctimeMs } = await stat(fileOf(folder, digest));
    try {
      Date.now = () => ctimeMs + 1;
      expect(files.mark(digest), "too young").to.equal(undefined);
      Date.now = () => ctimeMs + 3_600_000;
      expect(files.mark(sha256(digest)), "missing").to.equal(undefined);
      const before = files.mark(digest);
      expect(before?.size).to.equal(10);
      expect(files.mark(digest)).to.deep.equal(before);
      const copy = join(folder, "copy");
      await writeFile(copy, bytesOf(10, "other"));
      await rename(copy, fileOf(folder, digest));
      expect(files.mark(digest)?.text).to.not.equal(before?.text);
    } finally {
      Date.now = real;
    }
  });
});
