import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { EXIT, MedSealError, UsageError } from "../../src/errors.ts";
import { isAbsent } from "../../src/files/durable.ts";
import { passphraseStore, type StateStore } from "../../src/state/store.ts";
import type { Call } from "./command.ts";
import { userPath } from "./io.ts";
import type { Vault } from "./vault.ts";

/** Files that others may read. */
export class NotPrivateError extends MedSealError {
  readonly code = "ERR_NOT_PRIVATE";
  override readonly exit = EXIT.notPermitted;
}

/** Another command works with the same identity. */
export class HomeBusyError extends MedSealError {
  readonly code = "ERR_HOME_BUSY";
  override readonly exit = EXIT.unavailable;
}

/** How long to wait for another command, in milliseconds. */
const PATIENCE = 30_000;
/** SQLITE_BUSY. */
const BUSY = 5;

export const homeFolder = (): string => {
  const named = process.env["MEDSEAL_HOME"];
  return named ? userPath(named) : join(homedir(), ".medseal");
};

/** Folder name of an identity. */
export const slugOf = (name: string): string =>
  name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");

/** An identity whose vault is open, for one command at a time. */
export interface Session {
  readonly folder: string;
  readonly vault: Vault;
  readonly save: () => Promise<void>;
}

export async function identities(): Promise<string[]> {
  try {
    const entries = await readdir(homeFolder(), { withFileTypes: true });
    const found = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const with_ = await Promise.all(
      found.map(async (name) => ((await exists(join(homeFolder(), name, "vault"))) ? name : "")),
    );
    return with_.filter(Boolean).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** The identity that --as or MEDSEAL_AS names, or the only one. @throws UsageError. */
export async function identityOf(call: Call): Promise<string> {
  const known = await identities();
  const named = call.text("as") ?? process.env["MEDSEAL_AS"];
  if (named !== undefined) {
    const slug = slugOf(named);
    if (known.includes(slug)) return slug;
    throw new UsageError("there is no identity of this name here", {
      hint: known.length > 0 ? `there are: ${known.join(", ")}` : "make one with medseal keys new NAME",
    });
  }
  const [only, ...more] = known;
  if (only === undefined)
    throw new UsageError("there is no identity yet", { hint: "make one with medseal keys new NAME" });
  if (more.length > 0) throw new UsageError("there are several identities", { hint: `add --as ${known.join(" | ")}` });
  return only;
}

/** @throws UsageError, NotPrivateError, PassphraseError. */
export async function passphraseOf(call: Call, question = "Passphrase: "): Promise<string> {
  const file = call.text("passphrase-file") ?? process.env["MEDSEAL_PASSPHRASE_FILE"];
  if (file === undefined) return call.io.secret(question);
  const path = userPath(file);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new UsageError("the passphrase file cannot be read", { hint: "check its name", cause });
  }
  await checkPrivate(path, "the passphrase file");
  const line = text.split(/\r?\n/, 1)[0] ?? "";
  if (line === "") throw new UsageError("the passphrase file is empty");
  return line;
}

/** Opens the vault of the identity, and keeps other commands out until `work` is through. Saved is only what `save` is called for. */
export async function withIdentity<T>(call: Call, work: (session: Session) => Promise<T>): Promise<T> {
  const folder = join(homeFolder(), await identityOf(call));
  const passphrase = await passphraseOf(call);
  return locked(folder, async () => {
    const store = vaultStore(folder, passphrase);
    const vault = await openVault(folder, store);
    return work({ folder, vault, save: () => store.save(vault) });
  });
}

/** Opens the vault to look into only, beside other commands: a vault is replaced as a whole. */
export async function withVault<T>(call: Call, work: (session: Omit<Session, "save">) => Promise<T>): Promise<T> {
  const folder = join(homeFolder(), await identityOf(call));
  return work({ folder, vault: await openVault(folder, vaultStore(folder, await passphraseOf(call))) });
}

async function openVault(folder: string, store: StateStore<Vault>): Promise<Vault> {
  await checkPrivate(join(folder, "vault"), "the vault");
  const vault = await store.load();
  if (!vault) throw new UsageError("the identity has no vault");
  return vault;
}

export const vaultStore = (folder: string, passphrase: string): StateStore<Vault> =>
  passphraseStore<Vault>(join(folder, "vault"), "medseal/vault/1", passphrase);

/** One command at a time in a folder; the system lets go for one that was killed. @throws HomeBusyError when another does not let go. */
export async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(folder, "lock"));
  try {
    for (const end = Date.now() + PATIENCE; !isTaken(lock); await setTimeout(50)) {
      if (Date.now() > end)
        throw new HomeBusyError("another command works with this identity", {
          hint: "wait until it is done, then try again; a running gateway holds its identity until it is stopped: ask it by medseal gateway status, hand it files through its spool",
        });
    }
    return await work();
  } finally {
    lock.close();
  }
}

/** SQLite's own lock of the file. */
function isTaken(lock: DatabaseSync): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    if (errcode === BUSY) return false;
    throw error;
  }
}

/** @throws NotPrivateError when anybody but its owner may read it. */
export async function checkPrivate(path: string, what: string): Promise<void> {
  if (process.platform === "win32") return;
  const found = await stat(path).catch(() => undefined);
  if (found && (found.mode & 0o077) !== 0)
    throw new NotPrivateError(`${what} can be read by others`, { hint: `chmod 600 ${path}` });
}

const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
