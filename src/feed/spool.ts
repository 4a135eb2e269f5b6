import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { hex } from "../bytes/bytes.ts";
import { parseSigned, type SignedMessage } from "../consent/signed.ts";
import type { Release } from "../envelope/payload.ts";
import { receiptOf } from "../envelope/receipt.ts";
import { EXIT, MedSealError } from "../errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { isAbsent } from "../files/durable.ts";
import { readRegular, writeRegular } from "../files/regular.ts";
import { readFiled } from "../late/filed.ts";
import type { Log } from "./log.ts";
import type { MailRow } from "../log/checkpoint.ts";

export interface SpoolDeps {
  readonly gateway: Gateway;
  readonly log: Log;
  /** Takes in an end that its grantor has signed. */
  noteSigned(message: SignedMessage): void;
  /** @throws when the lease is from nobody that is known here. */
  readonly known: (lease: Release) => void;
  readMail(bytes: Uint8Array): readonly { readonly envelope: Uint8Array; readonly row: MailRow }[];
}

/** By the ending of the name. A file is given by renaming it into the folder. */
type Kind = "lease" | "end" | "mail" | "filed";

/** Bytes of the largest file of each kind, ends before anything else. */
const LARGEST: Readonly<Record<Kind, number>> = { end: 1 << 20, lease: 64 << 20, mail: 64 << 20, filed: 64 << 20 };
const KINDS = Object.keys(LARGEST) as readonly Kind[];

/** The system does not give a file of the spool, or does not take its receipt. The others go on; it is tried again. */
class SpoolFileError extends MedSealError {
  readonly code = "ERR_SPOOL_FILE";
  override readonly exit = EXIT.unavailable;
  readonly reason: string | undefined;

  constructor(cause: NodeJS.ErrnoException) {
    super(`a file of the spool cannot be read, written or moved (${cause.code ?? "unknown"})`, { cause });
    this.reason = cause.code;
  }
}

const ofFile = (error: unknown): never => {
  throw error instanceof MedSealError ? error : new SpoolFileError(error as NodeJS.ErrnoException);
};

/**
 * A folder by which a running gateway is handed leases (`*.lease`, answered with `*.receipt`), signed ends (`*.end`), mail (`*.mail`)
 * and late readings that a patient has filed (`*.filed`).
 * What was taken goes to `done/`, what was not to `refused/`.
 */
export class Spool {
  readonly #folder: string;
  readonly #deps: SpoolDeps;
  /** Why a file waits, as it was told. */
  readonly #waits = new Map<string, string | undefined>();
  readonly #stuck = new Set<string>();

  private constructor(folder: string, deps: SpoolDeps) {
    this.#folder = folder;
    this.#deps = deps;
  }

  static async open(folder: string, deps: SpoolDeps): Promise<Spool> {
    for (const name of ["done", "refused"]) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    return new Spool(folder, deps);
  }

  /** Takes what lies there. @returns whether an end was among it. @throws what chain and journal throw; the file stays. */
  async take(): Promise<boolean> {
    let ended = false;
    const names = (await readdir(this.#folder).catch(ofFile)).sort();
    for (const known of [this.#waits, this.#stuck])
      for (const name of known.keys()) if (!names.includes(name)) known.delete(name);
    for (const kind of KINDS)
      for (const name of names.filter((one) => one.endsWith(`.${kind}`) && !this.#stuck.has(one)))
        ended = (await this.#one(name, kind)) || ended;
    return ended;
  }

  async #one(name: string, kind: Kind): Promise<boolean> {
    const { log } = this.#deps;
    try {
      await this.#give(name, kind, await readRegular(join(this.#folder, name), LARGEST[kind]).catch(ofFile));
    } catch (error) {
      if (error instanceof SpoolFileError) return this.#wait(name, kind, error);
      if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
      log("warn", "spool.refused", { kind, code: error.code });
      await this.#move(name, kind, "refused");
      return false;
    }
    log("info", "spool.taken", { kind });
    await this.#move(name, kind, "done");
    return kind === "end";
  }

  async #give(name: string, kind: Kind, bytes: Uint8Array): Promise<void> {
    const { gateway } = this.#deps;
    if (kind === "end") this.#deps.noteSigned(parseSigned(new TextDecoder().decode(bytes)));
    else if (kind === "mail")
      for (const { envelope, row } of this.#deps.readMail(bytes)) await gateway.carry(envelope, row);
    else if (kind === "filed") await gateway.carryFiled(readFiled(bytes));
    else await this.#lease(name, bytes);
  }

  async #lease(name: string, bytes: Uint8Array): Promise<void> {
    const receipts: string[] = [];
    for (const { envelope } of this.#deps.readMail(bytes))
      receipts.push(hex(receiptOf(await this.#deps.gateway.acceptLease(envelope, this.#deps.known))));
    const file = join(this.#folder, name.replace(/\.lease$/, ".receipt"));
    await writeRegular(file, receipts.map((receipt) => `${receipt}\n`).join("")).catch(ofFile);
  }

  /** Tells once, and not at each try. */
  #wait(name: string, kind: Kind, { cause, reason }: SpoolFileError): false {
    if (isAbsent(cause) || this.#waits.get(name) === reason) return false;
    this.#waits.set(name, reason);
    this.#deps.log("warn", "spool.waits", { kind, reason });
    return false;
  }

  /** Under another name where one of this name lies there; what cannot be moved is looked at no more while it lies there. */
  async #move(name: string, kind: Kind, to: string): Promise<void> {
    const from = join(this.#folder, name);
    try {
      await rename(from, join(this.#folder, to, name)).catch(() =>
        rename(from, join(this.#folder, to, `${name}.${randomUUID()}`)),
      );
    } catch (cause) {
      this.#stuck.add(name);
      this.#wait(name, kind, new SpoolFileError(cause as NodeJS.ErrnoException));
    }
  }
}
