import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromUtf8, utf8 } from "../bytes/bytes.ts";
import { MalformedError } from "../errors.ts";
import { DurableFiles, isAbsent } from "../files/durable.ts";
import { PassphraseKey, type ScryptCost } from "../seal/passphrase.ts";
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

/**
 * State in a file sealed under a passphrase: an identity's vault. The passphrase is stretched once; what was loaded is saved at the cost it had.
 *
 * @param cost - Of a file that is not there yet.
 */
export function passphraseStore<T extends Named>(
  path: string,
  format: T["format"],
  passphrase: string,
  cost?: ScryptCost,
): StateStore<T> {
  const files = new DurableFiles(join(dirname(path), "tmp"));
  let key: PassphraseKey | undefined;
  return {
    async load() {
      let bytes: Uint8Array;
      try {
        bytes = await readFile(path);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
      const opened = await PassphraseKey.of(passphrase, format, new Uint8Array(bytes));
      const state = parseState(fromUtf8(opened.open(new Uint8Array(bytes)))) as T;
      if (state.format !== format) throw new MalformedError("state file", 0, `${format} expected`);
      key = opened;
      return state;
    },
    async save(state) {
      await files.open();
      key ??= await PassphraseKey.make(passphrase, format, cost ? { cost } : {});
      await files.write(path, key.seal(utf8(stringifyState(state))));
    },
  };
}
