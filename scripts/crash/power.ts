import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join, resolve } from "node:path";

type Roll = (below: number) => number;

/** Kinds of calls on a disk's files. */
export type Call = "sync" | "write" | "truncate" | "read";

/** Calls of a kind that fail, counted from the start of the process. */
export interface Fault {
  readonly call: Call;
  readonly error: "EIO" | "ENOSPC";
  readonly first: number;
  readonly last: number;
}

const SOURCE = resolve(import.meta.dirname, "power/forget.c");
const CACHE = resolve(import.meta.dirname, "../../cache");
/** What a disk writes whole or not at all, in bytes. */
const SECTOR = 512;

/** Compiles the shim once a process. @returns its path, or why there is none. */
export const shim: () => { readonly path: string } | { readonly missing: string } = (() => {
  let made: { path: string } | { missing: string } | undefined;
  return () => (made ??= compiled());
})();

function compiled(): { path: string } | { missing: string } {
  if (process.platform !== "linux") return { missing: "power cuts are tried on Linux only" };
  const path = join(CACHE, `forget-${process.pid}.so`);
  try {
    mkdirSync(CACHE, { recursive: true });
    execFileSync("cc", ["-O2", "-w", "-shared", "-fPIC", "-o", path, SOURCE, "-lpthread"], { stdio: "ignore" });
  } catch {
    return { missing: "there is no C compiler (cc) for the shim that forgets what was not synced" };
  }
  process.once("exit", () => rmSync(path, { force: true }));
  return { path };
}

/** A folder of which a power cut leaves what was synced. */
export class Disk {
  readonly #root: string;
  readonly #shadow: string;
  readonly #shim: string;

  private constructor(root: string, shadow: string, path: string) {
    this.#root = root;
    this.#shadow = shadow;
    this.#shim = path;
  }

  /** @param root - Nothing in it may be written but under `environment`. @throws Error without a shim. */
  static async of(root: string): Promise<Disk> {
    const made = shim();
    if ("missing" in made) throw new Error(made.missing);
    const disk = new Disk(root, `${root}.shadow`, made.path);
    await disk.#settled();
    return disk;
  }

  /** For the one process that writes. */
  get environment(): Record<string, string> {
    return { LD_PRELOAD: this.#shim, MEDSEAL_POWER_ROOT: this.#root, MEDSEAL_POWER_SHADOW: this.#shadow };
  }

  /** Where besides some calls fail. */
  failing({ call, error, first, last }: Fault): Record<string, string> {
    const rule = `${call[0]} ${constants.errno[error]} ${first} ${last}`;
    return { ...this.environment, MEDSEAL_POWER_FAIL: rule };
  }

  /** How many calls failed since the disk was last kept or cut. */
  async failed(): Promise<number> {
    const path = join(this.#shadow, "failed");
    return existsSync(path) ? (await stat(path)).size : 0;
  }

  /** From now on no write finds room, or they do again. */
  async fill(full: boolean): Promise<void> {
    const mark = join(this.#shadow, "full");
    if (full) await writeFile(mark, "");
    else await rm(mark, { force: true });
  }

  /** The process was killed, and the machine goes on: all that was written is on its disk, too. */
  async keep(): Promise<void> {
    await this.#settled();
  }

  /**
   * The process was killed, and its machine with it. Nothing that was not synced is left, or of each sector that was not, one or the
   * other. @returns how many files and folders were changed by that.
   */
  async cut(roll: Roll): Promise<number> {
    const mix = roll(2) === 0 ? undefined : roll;
    const found = await this.#inodes();
    const staged = await mkdtemp(`${this.#root}.staged-`);
    const changed = await this.#rebuild(this.#root, (await stat(this.#root)).ino, staged, found, mix);
    await chmod(staged, (await stat(this.#root)).mode);
    await rm(this.#root, { recursive: true });
    await rename(staged, this.#root);
    await this.#settled();
    return changed;
  }

  async #settled(): Promise<void> {
    await rm(this.#shadow, { recursive: true, force: true });
    for (const kind of ["ino", "dir", "held"]) await mkdir(join(this.#shadow, kind), { recursive: true });
  }

  /** A path of every file that there is, by its inode. */
  async #inodes(): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    for (const folder of [join(this.#shadow, "held"), this.#root])
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        found.set((await stat(path)).ino, path);
      }
    return found;
  }

  async #rebuild(
    path: string | undefined,
    ino: number,
    to: string,
    found: Map<number, string>,
    mix: Roll | undefined,
  ): Promise<number> {
    let changed = 0;
    const noted = join(this.#shadow, "dir", String(ino));
    const now = path === undefined ? [] : await namesIn(path);
    const names = existsSync(noted) ? readNames(await readFile(noted, "utf8")) : now;
    if (String(names.map(String).sort()) !== String(now.map(String).sort())) changed += 1;
    for (const [kind, inode, name] of names) {
      const [from, target] = [found.get(inode), join(to, name)];
      if (kind === "d") {
        await mkdir(target, { mode: 0o700 });
        changed += await this.#rebuild(from, inode, target, found, mix);
        continue;
      }
      const synced = join(this.#shadow, "ino", String(inode));
      if (from === undefined) throw new Error("a file that a folder had is nowhere");
      if (!existsSync(synced)) await copyFile(from, target);
      else {
        const [before, after] = [await readFile(synced), await readFile(from)];
        if (!before.equals(after)) changed += 1;
        await writeFile(target, mix ? mixed(before, after, mix) : before);
      }
      await chmod(target, (await stat(from)).mode);
    }
    return changed;
  }
}

type Name = readonly [kind: string, inode: number, name: string];

const readNames = (text: string): Name[] => {
  const parts = text.split("\0");
  return Array.from({ length: Math.floor(parts.length / 3) }, (_, i): Name => {
    const [kind = "", inode, name = ""] = parts.slice(3 * i, 3 * i + 3);
    return [kind, Number(inode), name];
  });
};

async function namesIn(folder: string): Promise<Name[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter((one) => one.isFile() || one.isDirectory());
  return Promise.all(
    entries.map(async (one): Promise<Name> => {
      const { ino } = await stat(join(folder, one.name));
      return [one.isDirectory() ? "d" : "f", ino, one.name];
    }),
  );
}

/** Of each sector the one or the other, and either length. */
function mixed(before: Buffer, after: Buffer, roll: Roll): Buffer {
  const bytes = Buffer.alloc((roll(2) === 0 ? before : after).length);
  for (let at = 0; at < bytes.length; at += SECTOR) {
    const sectorOf = (file: Buffer): Buffer => file.subarray(at, Math.min(at + SECTOR, bytes.length));
    const [old, fresh] = [sectorOf(before), sectorOf(after)];
    bytes.set(old.equals(fresh) || roll(2) === 0 ? old : fresh, at);
  }
  return bytes;
}
