import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { expect } from "chai";
import type { Disk } from "../../../scripts/crash/power.ts";
import { fromHex, hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { KuboStore } from "../../../src/ipfs/client.ts";
import { startNode } from "../../../src/ipfs/node.ts";
import { twinRows } from "../../../src/state/twin.ts";
import { dice } from "../log/mutate.ts";
import { forgetfulDisk } from "./forgetful.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "the power is cut";
const WRITERS = {
  rows: join(import.meta.dirname, "power-writer.ts"),
  blocks: join(import.meta.dirname, "../ipfs/crash-writer.ts"),
};

describe(`a disk that forgets what was not synced (MEDSEAL_SEED=${SEED})`, () => {
  let folder: string;
  let disk: Disk;
  const roll = dice(SEED);

  forgetfulDisk((made) => ({ folder, disk } = made));

  /** What a process said until it had said so many lines and was killed. */
  async function saidBy(writer: keyof typeof WRITERS, lines: number, ...words: string[]): Promise<string[]> {
    const child = spawn(process.execPath, [WRITERS[writer], ...words], {
      env: { ...process.env, ...disk.environment },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said: string[] = [];
    createInterface(child.stdout).on("line", (line) => {
      if (said.push(line) >= lines) child.kill("SIGKILL");
    });
    await once(child, "close");
    return said;
  }

  it("has every row that the journal acknowledged, and both its files whole", async () => {
    const file = join(folder, "journal.sqlite");
    let changed = 0;
    // A kill falls between a write and its sync now and then only.
    for (let life = 0; life < 5 || (changed === 0 && life < 60); life++) {
      const said = await saidBy("rows", 5 + roll(150), file);
      changed += await disk.cut(roll);
      const rows = twinRows(file);
      expect(rows.load("row").length, `life ${life}`).to.be.at.least(Number(said.at(-1)));
      rows.close();
    }
    expect(changed, "so that the test can fail").to.be.greaterThan(0);
  });

  it("has lost rows of a writer that does not wait for it, so that the others can fail", async () => {
    const file = join(folder, "careless.sqlite");
    const said = await saidBy("rows", 200, file, "careless");
    await disk.cut(() => 0);
    const database = new DatabaseSync(file);
    const tables = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get() as { n: number };
    database.close();
    expect(said.length).to.be.at.least(200);
    expect(tables.n).to.equal(0);
  });

  it("has every block and pin that the embedded store acknowledged", async () => {
    const state = new Map<string, string>();
    let changed = 0;
    for (let life = 0; life < 2 || (changed === 0 && life < 20); life++) {
      for (const line of await saidBy("blocks", 40 + roll(60), folder)) {
        const [word = "", name = ""] = line.split(" ");
        state.set(name, word);
      }
      changed += await disk.cut(roll);
      const node = await startNode({ folder });
      const store = new KuboStore(node.url);
      const pins = new Set((await store.pins()).map(({ cid }) => cid));
      try {
        for (const [name, word] of state) {
          if (word === "block") expect(hex(sha256(await store.get(fromHex(name))))).to.equal(name);
          if (word === "pinned") expect(pins.has(name), name).to.equal(true);
        }
      } finally {
        await node.stop();
      }
      await disk.keep();
    }
    expect(state.size).to.be.greaterThan(60);
    expect(changed, "so that the test can fail").to.be.greaterThan(0);
  });

  it("refuses a row when it is full, has all before, and takes the next when there is room", async () => {
    const file = join(folder, "journal.sqlite");
    await saidBy("rows", 20, file);
    await disk.keep();
    await disk.fill(true);
    const child = spawn(process.execPath, [WRITERS.rows, file], {
      env: { ...process.env, ...disk.environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    await once(child, "close");
    expect(err).to.include("ERR_JOURNAL_FAILED");
    await disk.fill(false);
    const said = await saidBy("rows", 5, file);
    expect(Number(said[0])).to.be.greaterThan(20);
  });
});
