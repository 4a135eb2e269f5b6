import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromUtf8, utf8 } from "../bytes/bytes.ts";
import { MalformedError } from "../errors.ts";
import { DurableFiles, isAbsent } from "../files/durable.ts";
import { openWithPassphrase, sealWithPassphrase, type ScryptCost } from "../seal/passphrase.ts";
import { parseState, stringifyState } from "./json.ts";

/** Where a role keeps what it must not lose. `save` resolves when it is durable. */
export interface StateStore<T> {
  /** Undefined when nothing was saved yet. */
  load(): Promise<T | undefined>;
  save(state: T): Promise<void>;
}

/** Every state begins with its name and version. */
interface Named {
  readonly format: string;
}

/** State in a file sealed under a passphrase: an identity's vault. */
export function passphraseStore<T extends Named>(
  path: string,
  format: T["format"],
  passphrase: string,
  cost?: ScryptCost,
): StateStore<T> {
  const files = new DurableFiles(join(dirname(path), "tmp"));
  return {
    async load() {
      let bytes: Uint8Array;
      try {
        bytes = await readFile(path);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
      const text = fromUtf8(await openWithPassphrase(passphrase, format, new Uint8Array(bytes)));
      const state = parseState(text) as T;
      if (state.format !== format) throw new MalformedError("state file", 0, `${format} expected`);
      return state;
    },
    async save(state) {
      await files.open();
      const sealed = await sealWithPassphrase(passphrase, format, utf8(stringifyState(state)), cost ? { cost } : {});
      await files.write(path, sealed);
    },
  };
}
