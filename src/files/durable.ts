import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Whether a file operation failed because there is no such file or folder. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

/**
 * Puts whole files into place: after a crash or a power cut a file is there with all its bytes, or not at all.
 *
 * New bytes are written under `temporary`, which must be on the same file system, and renamed into place.
 */
export class DurableFiles {
  readonly #temporary: string;
  readonly #made = new Map<string, Promise<void>>();
  readonly #syncing = new Map<string, { running: Promise<void>; next: Promise<void> | undefined }>();

  constructor(temporary: string) {
    this.#temporary = temporary;
  }

  /** Makes the folder, and takes away what crashed processes left in it. */
  async open(): Promise<void> {
    await mkdir(this.#temporary, { recursive: true });
    for (const name of await readdir(this.#temporary)) {
      const owner = Number(name.split("-")[0]);
      if (!isAlive(owner)) await unlink(join(this.#temporary, name)).catch(ignoreAbsent);
    }
  }

  /** Returns once `bytes` would survive a power cut. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.place(path, bytes, true);
    await this.syncFolder(dirname(path));
  }

  /** Replaces a file at once; it survives a power cut only after `sync`, or when `flush` and `syncFolder` were done. */
  async place(path: string, bytes: Uint8Array, flush: boolean): Promise<void> {
    const temporary = join(this.#temporary, `${process.pid}-${randomBytes(8).toString("hex")}`);
    try {
      const file = await open(temporary, "wx", 0o600);
      try {
        await file.writeFile(bytes);
        if (flush) await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(ignoreAbsent);
      throw error;
    }
  }

  /** Makes a file that is in place survive a power cut. */
  async sync(path: string): Promise<void> {
    const file = await open(path, "r+");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await this.syncFolder(dirname(path));
  }

  /** Returns once the folder, and each between it and `base`, would survive a power cut, whoever made it. */
  makeFolder(folder: string, base: string): Promise<void> {
    const known = this.#made.get(folder);
    if (known) return known;
    const made = this.#makeFolder(folder, base);
    this.#made.set(folder, made);
    made.catch(() => this.#made.delete(folder));
    return made;
  }

  async #makeFolder(folder: string, base: string): Promise<void> {
    if (folder !== base) await this.makeFolder(dirname(folder), base);
    await mkdir(folder, { recursive: true });
    await this.syncFolder(dirname(folder));
  }

  /** Callers that arrive while the folder is being synced share the next round: their rename may be too new for this one. */
  syncFolder(folder: string): Promise<void> {
    const current = this.#syncing.get(folder);
    if (current === undefined) return this.#startSync(folder);
    current.next ??= current.running.then(
      () => this.#startSync(folder),
      () => this.#startSync(folder),
    );
    return current.next;
  }

  #startSync(folder: string): Promise<void> {
    const running = syncFolderNow(folder);
    const entry = { running, next: undefined };
    this.#syncing.set(folder, entry);
    const finish = (): void => {
      if (this.#syncing.get(folder) === entry && entry.next === undefined) this.#syncing.delete(folder);
    };
    running.then(finish, finish);
    return running;
  }
}

async function syncFolderNow(folder: string): Promise<void> {
  // Windows opens no folders; NTFS journals its names.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether a process of this machine has this id; one of another user counts, though it takes no signal from us. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return !isZombie(pid);
}

/** Ended, and kept in Linux's list until its parent looks: where nobody does, for ever. */
function isZombie(pid: number): boolean {
  try {
    // The name before the state may itself hold a parenthesis.
    const state = readFileSync(`/proc/${pid}/stat`, "latin1").split(")").at(-1);
    return state?.trimStart().startsWith("Z") ?? false;
  } catch {
    return false;
  }
}

function ignoreAbsent(error: unknown): void {
  if (!isAbsent(error)) throw error;
}
