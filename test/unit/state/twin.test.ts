import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { sqliteRows, type RowChange } from "../../../src/state/rows.ts";
import { JournalDamagedError, twinRows } from "../../../src/state/twin.ts";
import { dice } from "../log/mutate.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "a bit on the disk";
const ROWS = 60;

const row = (i: number, text = `value ${i}`): RowChange => ({ table: "t", name: utf8(`row ${i}`), value: utf8(text) });

describe("a journal in two files", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "medseal-twin-"));
  });
  after(() => rm(folder, { recursive: true }));

  /** The files as a process that was killed leaves them: nothing is closed. */
  async function killed(): Promise<string> {
    const rows = twinRows(join(folder, "alive"));
    for (let i = 0; i < ROWS; i++) await rows.apply([row(i)]);
    await rows.apply([row(0, "changed"), { ...row(1), value: undefined }, row(2), row(2, "twice in one commit")]);
    const left = await mkdtemp(join(folder, "killed-"));
    for (const name of await readdir(folder))
      if (name.startsWith("alive") && !name.endsWith("-shm"))
        await copyFile(join(folder, name), join(left, name.replace("alive", "journal")));
    rows.close();
    for (const name of await readdir(folder)) if (name.startsWith("alive")) await rm(join(folder, name));
    return left;
  }

  const copy = async (from: string): Promise<string> => {
    const to = await mkdtemp(join(folder, "case-"));
    for (const name of await readdir(from)) await copyFile(join(from, name), join(to, name));
    return to;
  };

  const all = (path: string): string[] => {
    const rows = twinRows(join(path, "journal"));
    const values = rows.load("t").map((value) => new TextDecoder().decode(value));
    rows.close();
    return values.sort();
  };

  const expected = [
    ...Array.from({ length: ROWS - 3 }, (_, i) => `value ${i + 3}`),
    "changed",
    "twice in one commit",
  ].sort();

  it("is as it was written after a kill", async () => {
    expect(all(await killed())).to.deep.equal(expected);
  });

  it(`has every row after a bit flipped or a log was cut, wherever (MEDSEAL_SEED=${SEED})`, async () => {
    const roll = dice(SEED);
    const left = await killed();
    let mended = 0;
    for (let i = 0; i < 150; i++) {
      const path = await copy(left);
      const names = (await readdir(path)).sort();
      const name = names[roll(names.length)] as string;
      const bytes = await readFile(join(path, name));
      const at = roll(bytes.length);
      const cut = name.endsWith("-wal") && i % 3 === 0;
      if (cut) await truncate(join(path, name), at);
      else {
        bytes[at] = (bytes[at] as number) ^ (1 << roll(8));
        await writeFile(join(path, name), bytes);
      }
      const rows = twinRows(join(path, "journal"));
      if (rows.mended) mended += 1;
      rows.close();
      expect(all(path), `${name} at ${at}${cut ? " cut" : ""}`).to.deep.equal(expected);
      await rm(path, { recursive: true });
    }
    expect(mended, "so that the test can fail").to.be.greaterThan(20);
  });

  it("shows that one file alone loses rows without a word", async () => {
    const left = await killed();
    const name = join(left, "journal-wal");
    const bytes = await readFile(name);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    await writeFile(name, bytes);
    const rows = sqliteRows(join(left, "journal"));
    expect(rows.load("t").length).to.be.lessThan(expected.length);
    rows.close();
    expect(all(left)).to.deep.equal(expected);
  });

  it("refuses to go on when both files are damaged, and when the whole one lacks what the other had", async () => {
    const left = await killed();
    const both = await copy(left);
    for (const name of ["journal", "journal.twin"]) await writeFile(join(both, name), "no database at all");
    for (const name of ["journal-wal", "journal.twin-wal"]) await rm(join(both, name));
    expect(() => twinRows(join(both, "journal"))).to.throw(JournalDamagedError);

    // The twin was not written for a while, and then a row of the journal was damaged.
    const path = await mkdtemp(join(folder, "behind-"));
    await mkdir(join(path, "old"));
    let rows = twinRows(join(path, "journal"));
    await rows.apply([row(0)]);
    rows.close();
    await copyFile(join(path, "journal.twin"), join(path, "old", "twin"));
    rows = twinRows(join(path, "journal"));
    for (let i = 1; i < 5; i++) await rows.apply([row(i)]);
    rows.close();
    await copyFile(join(path, "old", "twin"), join(path, "journal.twin"));
    const raw = sqliteRows(join(path, "journal"));
    await raw.apply([row(3, "altered")]);
    raw.close();
    expect(() => twinRows(join(path, "journal"))).to.throw(JournalDamagedError);
  });

  it("makes a twin that is gone anew, and a journal that is gone", async () => {
    for (const gone of ["journal", "journal.twin"]) {
      const path = await copy(await killed());
      for (const end of ["", "-wal"]) await rm(join(path, `${gone}${end}`));
      const rows = twinRows(join(path, "journal"));
      expect(rows.mended).to.equal(gone === "journal" ? "journal" : "twin");
      expect(hex(rows.get("t", utf8("row 5")) ?? utf8(""))).to.equal(hex(utf8("value 5")));
      rows.close();
    }
  });

  it("has nowhere on the disk what was deleted, once it has settled", async () => {
    const path = await mkdtemp(join(folder, "settled-"));
    const rows = twinRows(join(path, "journal"));
    const places = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const name of (await readdir(path)).sort())
        if ((await readFile(join(path, name))).includes("a key to be forgotten")) found.push(name);
      return found;
    };
    await rows.apply([row(0, "a key to be forgotten"), row(1)]);
    await rows.apply([{ ...row(0), value: undefined }]);
    expect(await places(), "so that the test can fail").to.deep.equal(["journal-wal", "journal.twin-wal"]);
    rows.settle?.();
    expect(await places()).to.deep.equal([]);
    await rows.apply([row(2)]);
    rows.close();
    expect(all(path)).to.deep.equal(["value 1", "value 2"]);
  });
});
