import { access, open, readFile } from "node:fs/promises";
import { UsageError } from "../../src/errors.ts";
import { userPath } from "./io.ts";

/** @throws UsageError. */
export async function readUserFile(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(userPath(file)));
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, { hint: "check its name", cause });
  }
}

export const readUserText = async (file: string): Promise<string> => new TextDecoder().decode(await readUserFile(file));

/** Before anything is done for a file that could not be written then. @throws UsageError when it exists. */
export async function checkNew(file: string): Promise<void> {
  const there = await access(userPath(file)).then(
    () => true,
    () => false,
  );
  if (there) throw new UsageError(`${file} exists already`, { hint: "name a file that does not exist yet" });
}

/** Writes a file that only its owner may read, and never over another one. @throws UsageError. */
export async function writeNew(file: string, content: Uint8Array | string): Promise<void> {
  const handle = await open(userPath(file), "wx", 0o600).catch((cause: unknown) => {
    const there = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    if (there) throw new UsageError(`${file} exists already`, { hint: "name a file that does not exist yet", cause });
    throw new UsageError(`${file} cannot be created`, { hint: "look at its folder", cause });
  });
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
