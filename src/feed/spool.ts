import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromUtf8, hex } from "../bytes/bytes.ts";
import { parseSigned, type SignedMessage } from "../consent/signed.ts";
import type { Release } from "../envelope/payload.ts";
import { receiptOf } from "../envelope/receipt.ts";
import { EXIT, MedSealError } from "../errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
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

/**
 * A folder by which a running gateway is handed leases (`*.lease`, answered with `*.receipt`), signed ends (`*.end`), mail (`*.mail`)
 * and late readings that a patient has filed (`*.filed`).
 * What was taken goes to `done/`, what was not to `refused/`.
 */
export class Spool {
  readonly #folder: string;
  readonly #deps: SpoolDeps;

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
    const names = (await readdir(this.#folder)).sort();
    // Ends before anything else.
    for (const kind of ["end", "lease", "mail", "filed"] as const)
      for (const name of names.filter((one) => one.endsWith(`.${kind}`)))
        ended = (await this.#one(name, kind)) || ended;
    return ended;
  }

  async #one(name: string, kind: Kind): Promise<boolean> {
    const { gateway, log } = this.#deps;
    const bytes = new Uint8Array(await readFile(join(this.#folder, name)));
    try {
      if (kind === "end") this.#deps.noteSigned(parseSigned(fromUtf8(bytes)));
      else if (kind === "mail")
        for (const { envelope, row } of this.#deps.readMail(bytes)) await gateway.carry(envelope, row);
      else if (kind === "filed") await gateway.carryFiled(readFiled(bytes));
      else await this.#lease(name, bytes);
    } catch (error) {
      if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
      log("warn", "spool.refused", { kind, code: error.code });
      await this.#move(name, "refused");
      return false;
    }
    log("info", "spool.taken", { kind });
    await this.#move(name, "done");
    return kind === "end";
  }

  async #lease(name: string, bytes: Uint8Array): Promise<void> {
    const receipts: string[] = [];
    for (const { envelope } of this.#deps.readMail(bytes))
      receipts.push(hex(receiptOf(await this.#deps.gateway.acceptLease(envelope, this.#deps.known))));
    const file = join(this.#folder, name.replace(/\.lease$/, ".receipt"));
    await writeFile(file, receipts.map((receipt) => `${receipt}\n`).join(""), { mode: 0o600 });
  }

  #move(name: string, to: string): Promise<void> {
    return rename(join(this.#folder, name), join(this.#folder, to, name));
  }
}
