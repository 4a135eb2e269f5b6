import { constants, copyFile, link, lstat, open, readFile, stat, unlink } from "node:fs/promises";
import { UsageError } from "../../src/errors.ts";
import { userPath } from "./io.ts";

/** Bytes of the largest card, message or mail that is read into memory. */
const LARGEST = 64 * 2 ** 20;

/** @param largest - In bytes. @throws UsageError. */
export async function readUserFile(file: string, largest = LARGEST): Promise<Uint8Array> {
  const path = userPath(file);
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new UsageError(`${file} is no file`, { hint: "check its name" });
    if (found.size > largest)
      throw new UsageError(`${file} is larger than anything that is handed over`, { hint: "check its name" });
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${file} cannot be read`, { hint: "check its name", cause });
  }
}

export const readUserText = async (file: string): Promise<string> => new TextDecoder().decode(await readUserFile(file));

/** @throws UsageError when there is such a file, or a link of this name. */
export async function checkNew(file: string): Promise<void> {
  const there = await lstat(userPath(file)).then(
    () => true,
    () => false,
  );
  if (there) throw exists(file);
}

const exists = (file: string, cause?: unknown): UsageError =>
  new UsageError(`${file} exists already`, { hint: "name a file that does not exist yet", cause });

/** Writes a file that only its owner may read, and never over another one. @throws UsageError. */
export const writeNew = (file: string, content: Uint8Array | string): Promise<void> =>
  intoNewFile(file, (fill) => fill(content));

/**
 * For work whose result must not be lost: the file is begun before, beside its name, so that what cannot be written is not done; `fill` makes its
 * content safe; and it gets its name once the work is through. Nothing stays of it when the work fails.
 *
 * @throws UsageError for a file that exists, or cannot be made.
 */
export async function intoNewFile<T>(
  file: string,
  work: (fill: (content: Uint8Array | string) => Promise<void>) => Promise<T>,
): Promise<T> {
  await checkNew(file);
  const path = userPath(file);
  const beside = `${path}.${process.pid}.part`;
  const handle = await open(beside, "wx", 0o600).catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be created`, { hint: "look at its folder", cause });
  });
  try {
    const result = await work(async (content) => {
      await handle.writeFile(content);
      await handle.sync();
    });
    // A link is made only where nothing is, which a rename does not look at; some disks know no links.
    await link(beside, path)
      .catch(() => copyFile(beside, path, constants.COPYFILE_EXCL))
      .catch((cause: unknown) => {
        throw exists(file, cause);
      });
    return result;
  } finally {
    await handle.close();
    await unlink(beside);
  }
}
