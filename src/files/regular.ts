import { constants, lstat, open, rename, rm, type FileHandle } from "node:fs/promises";
import { MedSealError } from "../errors.ts";
import { isAbsent } from "./durable.ts";

/** A folder, link, pipe, socket or device where a file is expected. */
export class NoFileError extends MedSealError {
  readonly code = "ERR_NO_FILE";

  constructor(cause?: unknown) {
    super("not a regular file", { hint: "put a file there, no folder, link or pipe", cause });
  }
}

/** A file larger than anything that is handed over so. */
export class FileTooLargeError extends MedSealError {
  readonly code = "ERR_FILE_TOO_LARGE";

  constructor(largest: number) {
    super(`the file is larger than ${largest.toLocaleString("en")} bytes`);
  }
}

const flags = constants as { readonly O_NONBLOCK?: number; readonly O_NOFOLLOW?: number };
/** Opens a pipe or device, too, at once. Windows has no such flag, nor the one for links. */
export const AT_ONCE = flags.O_NONBLOCK ?? 0;
const NO_LINK = flags.O_NOFOLLOW ?? 0;
/** What opening tells of a link that is not followed, a socket, a pipe that nobody reads, and a folder. */
const NO_FILE: readonly unknown[] = ["ELOOP", "ENXIO", "EISDIR"];

async function opened<T>(path: string, mode: number, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, mode | AT_ONCE | NO_LINK, 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw NO_FILE.includes(cause.code) ? new NoFileError(cause) : cause;
  });
  try {
    if (!(await file.stat()).isFile()) throw new NoFileError();
    return await work(file);
  } finally {
    await file.close();
  }
}

/**
 * The bytes of a file that others may put there.
 *
 * @param largest - In bytes.
 * @throws NoFileError, FileTooLargeError, and what the system says.
 */
export const readRegular = (path: string, largest: number): Promise<Uint8Array> =>
  opened(path, constants.O_RDONLY, async (file) => {
    const { size } = await file.stat();
    if (size > largest) throw new FileTooLargeError(largest);
    const bytes = new Uint8Array(size);
    let length = 0;
    for (let read = -1; read !== 0 && length < size; length += read)
      ({ bytesRead: read } = await file.read(bytes, length, size - length, length));
    return bytes.subarray(0, length);
  });

/**
 * Writes a file of its owner alone, in place of another regular one: who looks finds all of it or nothing.
 *
 * @throws NoFileError, and what the system says.
 */
export async function writeRegular(path: string, content: string): Promise<void> {
  const there = await lstat(path).catch((error: unknown) => {
    if (!isAbsent(error)) throw error;
  });
  if (there && !there.isFile()) throw new NoFileError();
  const fresh = `${path}.new`;
  // Of a try that was cut off.
  await rm(fresh, { force: true });
  await opened(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, (file) => file.writeFile(content));
  await rename(fresh, path);
}
