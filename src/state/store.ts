import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromUtf8, utf8 } from "../bytes/bytes.ts";
import { MalformedError } from "../errors.ts";
import { DurableFiles, isAbsent } from "../files/durable.ts";
import { openWithPassphrase, sealWithPassphrase, type ScryptCost } from "../seal/passphrase.ts";
import { open, seal } from "../seal/seal.ts";
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

/** State in a file sealed under 32 secret bytes: for processes that start without a person, such as a gateway. */
export function keyedStore<T extends Named>(path: string, format: T["format"], key: Uint8Array): StateStore<T> {
  const context = utf8(`medseal/v1/state/${format}`);
  return fileStore(
    path,
    format,
    (bytes) => Promise.resolve(open(key, context, bytes)),
    (bytes) => Promise.resolve(seal(key, context, bytes)),
  );
}

/** State in a file sealed under a passphrase: a patient's vault. */
export function passphraseStore<T extends Named>(
  path: string,
  format: T["format"],
  passphrase: string,
  cost?: ScryptCost,
): StateStore<T> {
  return fileStore(
    path,
    format,
    (bytes) => openWithPassphrase(passphrase, format, bytes),
    (bytes) => sealWithPassphrase(passphrase, format, bytes, cost ? { cost } : {}),
  );
}

type Transform = (bytes: Uint8Array) => Promise<Uint8Array>;

function fileStore<T extends Named>(
  path: string,
  format: T["format"],
  unsealed: Transform,
  sealed: Transform,
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
      const state = parseState(fromUtf8(await unsealed(new Uint8Array(bytes)))) as T;
      if (state.format !== format) throw new MalformedError("state file", 0, `${format} expected`);
      return state;
    },
    async save(state) {
      await files.open();
      await files.write(path, await sealed(utf8(stringifyState(state))));
    },
  };
}
