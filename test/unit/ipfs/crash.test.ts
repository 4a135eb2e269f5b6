import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { create } from "ipfs-http-client";
import { fromHex, hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { KuboStore } from "../../../src/ipfs/client.ts";
import { startNode } from "../../../src/ipfs/node.ts";
import { folders } from "./support.ts";

const ROUNDS = Number(process.env["MEDSEAL_CRASH_ROUNDS"] ?? 2);
const WRITER = join(import.meta.dirname, "crash-writer.ts");

/** Runs writers on one folder, and kills each with SIGKILL once it has acknowledged `lines` lines. */
async function killedAfter(folder: string, lines: readonly number[]): Promise<string[][]> {
  const run = async (limit: number): Promise<string[]> => {
    const child = spawn(process.execPath, [WRITER, folder], { stdio: ["ignore", "pipe", "inherit"] });
    const said: string[] = [];
    createInterface(child.stdout).on("line", (line) => {
      if (said.push(line) >= limit) child.kill("SIGKILL");
    });
    await once(child, "close");
    return said;
  };
  return await Promise.all(lines.map(run));
}

describe("embedded node killed while it writes", function () {
  this.timeout(300_000 + ROUNDS * 10_000);
  const fresh = folders();

  it(`has every block and pin that it acknowledged, over ${ROUNDS} rounds`, async () => {
    const folder = await fresh();
    const acknowledged = new Set<string>();
    const state = new Map<string, string>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const line of (await killedAfter(folder, [60 + 37 * round])).flat()) {
        const [word, text] = line.split(" ") as [string, string];
        if (word === "block") acknowledged.add(text);
        else state.set(text, word);
      }
      const node = await startNode({ folder });
      const store = new KuboStore(node.url);
      for (const digest of acknowledged) expect(hex(sha256(await store.get(fromHex(digest))))).to.equal(digest);
      const pins = new Set((await store.pins()).map(({ cid }) => cid));
      for (const [cid, word] of state) if (word !== "letting") expect(pins.has(cid), word).to.equal(word === "pinned");
      for (const left of ["tmp", "blocks/tmp", "under-way"])
        expect(await readdir(join(folder, left))).to.deep.equal([]);
      await node.stop();
    }
    expect(acknowledged.size).to.be.greaterThan(40 * ROUNDS);

    // Nothing is held by a pin that is not there: all of it can be let go, and then collected.
    const node = await startNode({ folder });
    const store = new KuboStore(node.url);
    for (const { cid } of await store.pins()) {
      const { checkpoint, blocks } = await store.getPinset(cid);
      for (const digest of [checkpoint, ...blocks]) expect(await store.has(digest)).to.be.true;
      await store.unpin(cid);
    }
    for await (const { err } of create(node.url).repo.gc()) expect(err).to.equal(null);
    expect((await create(node.url).repo.stat()).numObjects).to.equal(0n);
    await node.stop();
  });

  it("has every block of two processes that wrote to one folder at a time", async () => {
    const folder = await fresh();
    const said = (await killedAfter(folder, [70, 110])).flat();
    const node = await startNode({ folder });
    const store = new KuboStore(node.url);
    const last = new Map(said.map((line) => line.split(" ").reverse() as [string, string]));
    const pins = new Set((await store.pins()).map(({ cid }) => cid));
    for (const [text, word] of last) {
      if (word === "block") expect(hex(sha256(await store.get(fromHex(text))))).to.equal(text);
      if (word === "pinned") expect(pins.has(text)).to.be.true;
    }
    expect(last.size).to.be.greaterThan(100);
    await node.stop();
  });
});
