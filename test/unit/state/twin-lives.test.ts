import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import type { Disk, Fault } from "../../../scripts/crash/power.ts";
import { damage, someFault } from "../../../scripts/crash/trouble.ts";
import { hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { twinRows } from "../../../src/state/twin.ts";
import { dice } from "../log/mutate.ts";
import { forgetfulDisk } from "./forgetful.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "the lives of a journal";
/** Long campaigns: `npm run test:deep -- storage`. */
const LIVES = Number(process.env["MEDSEAL_LIVES"] ?? 20);
/** A journal grows, and is looked through after each of its lives. */
const OF_ONE = 100;
const WRITER = join(import.meta.dirname, "power-writer.ts");

interface Life {
  readonly opened: boolean;
  /** Rows that it said to have written, at the most. */
  readonly acknowledged: number;
  readonly err: string;
}

describe(`a journal under kills, failing calls, power cuts and damage (MEDSEAL_SEED=${SEED}, MEDSEAL_LIVES=${LIVES})`, function () {
  this.timeout(300_000 + 2_000 * LIVES);
  let folder: string;
  let disk: Disk;

  forgetfulDisk((made) => ({ folder, disk } = made));

  const at = (where: string): string => join(where, "journal-1.sqlite");

  /** Writes until it has said so many lines, is killed after some milliseconds, or fails. */
  async function live(lines: number, fault?: Fault, early?: number): Promise<Life> {
    const child = spawn(process.execPath, [WRITER, at(folder)], {
      env: { ...process.env, ...(fault ? disk.failing(fault) : disk.environment) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [opened, acknowledged, said, err] = [false, 0, 0, ""];
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    createInterface(child.stdout).on("line", (line) => {
      opened = true;
      acknowledged = Number(line);
      if (++said >= lines) child.kill("SIGKILL");
    });
    if (early !== undefined) void pause(early).then(() => child.kill("SIGKILL"));
    await once(child, "close");
    return { opened, acknowledged, err };
  }

  /** What opens, on a copy. */
  async function rowsThere(change: (copy: string) => Promise<void> = () => Promise.resolve()): Promise<number> {
    const copy = join(folder, "../copy");
    await rm(copy, { recursive: true, force: true });
    await cp(folder, copy, { recursive: true });
    await change(copy);
    const rows = twinRows(at(copy));
    try {
      return rows.load("row").length;
    } finally {
      rows.close();
    }
  }

  const digests = async (): Promise<string[]> =>
    Promise.all(
      (await readdir(folder)).sort().map(async (name) => name + hex(sha256(await readFile(join(folder, name))))),
    );

  const neverLacks = async (lives: number, seed: string): Promise<void> => {
    const roll = dice(seed);
    let acknowledged = 0;
    // A second damage before the first was mended would be one too many.
    let mended = true;
    const counts = { lives, failedCalls: 0, powerCuts: 0, damages: 0 };
    for (let i = 0; i < lives; i++) {
      const fault = roll(3) === 0 ? someFault(roll) : undefined;
      const life = await live(1 + roll(120), fault, roll(4) === 0 ? 30 + roll(60) : undefined);
      expect(life.err, `life ${i}`).not.to.include("ERR_JOURNAL_DAMAGED");
      mended ||= life.opened;
      acknowledged = Math.max(acknowledged, life.acknowledged);
      counts.failedCalls += await disk.failed();
      if (roll(2) === 0) {
        await disk.cut(roll);
        counts.powerCuts += 1;
      } else await disk.keep();
      expect(await rowsThere(), `life ${i}`).to.be.at.least(acknowledged);
      if (!mended || roll(3) > 0) continue;
      mended = false;
      await damage(folder, roll);
      counts.damages += 1;
    }
    console.log(`      ${JSON.stringify({ ...counts, acknowledged })}`);
    expect(Math.min(acknowledged, counts.failedCalls, counts.powerCuts, counts.damages)).to.be.greaterThan(0);
  };

  for (let begun = 0; begun < LIVES; begun += OF_ONE) {
    const lives = Math.min(OF_ONE, LIVES - begun);
    it(`never lacks what was acknowledged, over ${lives} lives`, () => neverLacks(lives, `${SEED}/${begun}`));
  }

  it("takes a file that the disk does not give for no damaged one, and touches nothing", async () => {
    const { acknowledged } = await live(150);
    twinRows(at(folder)).close();
    await disk.keep();
    const before = await digests();
    for (const first of [1, 2, 3, 4, 5, 6, 8, 12, 20]) {
      const { err } = await live(5, { call: "read", error: "EIO", first, last: 1_000_000 });
      expect(err, `from call ${first} on`).to.include("ERR_JOURNAL_FAILED");
      await disk.keep();
    }
    expect(await digests()).to.deep.equal(before);

    // Where one call fails and the next do not, it is opened, or is not; the other file lacks rows.
    const files = [at(folder), `${at(folder)}.twin`];
    const behind = join(folder, "../behind");
    await cp(files[1] as string, behind);
    const rows = twinRows(at(folder));
    for (let i = 0; i < 10; i++)
      await rows.apply([{ table: "row", name: new Uint8Array([9, 9, i]), value: new Uint8Array(9) }]);
    rows.close();
    await cp(behind, files[1] as string);
    const inodes = (): Promise<number[]> => Promise.all(files.map(async (file) => (await stat(file)).ino));
    const [whole] = await inodes();
    for (const first of [3, 4, 5, 6, 7, 9, 20]) {
      await live(1, { call: "read", error: "EIO", first, last: first });
      await disk.keep();
      expect((await inodes())[0], `call ${first}`).to.equal(whole);
      expect(await rowsThere(), `call ${first}`).to.be.at.least(acknowledged + 10);
    }
  });

  it("gives a file that is one commit behind the other what it lacks, and breaks it at no moment", async () => {
    const { acknowledged } = await live(20);
    await disk.keep();
    const twin = join(folder, "../twin");
    await rm(twin, { recursive: true, force: true });
    const ahead = join(folder, "../ahead");
    // Both whole and alike, then one that has one more.
    twinRows(at(folder)).close();
    await cp(folder, twin, { recursive: true });
    const rows = twinRows(at(folder));
    await rows.apply([{ table: "row", name: new Uint8Array([9, 9, 9]), value: new Uint8Array(5000) }]);
    rows.close();
    await cp(join(twin, "journal-1.sqlite.twin"), `${at(folder)}.twin`);
    await cp(folder, ahead, { recursive: true });
    let failed = 0;
    for (let first = 1; first < 8; first++) {
      await rm(folder, { recursive: true });
      await cp(ahead, folder, { recursive: true });
      await disk.keep();
      const { err } = await live(1, { call: "write", error: "EIO", first, last: 1_000_000 });
      if (err.includes("ERR_JOURNAL_FAILED")) failed += 1;
      await disk.keep();
      const left = await rowsThere(async (copy) => {
        await rm(`${at(copy)}-wal`, { force: true });
        await writeFile(at(copy), "no database at all");
      });
      expect(left, `from call ${first} on`).to.be.at.least(acknowledged);
    }
    expect(failed, "so that the test can fail").to.be.greaterThan(2);
  });
});
