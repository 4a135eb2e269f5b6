import { open, stat } from "node:fs/promises";
import { EXIT } from "../errors.ts";
import { InputError } from "./errors.ts";

const CHUNK = 64 << 10;
const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** @throws InputError when the path names no regular file with something in it. */
export async function checkFile(file: string): Promise<void> {
  const fail = (reason: string, cause?: unknown): never => {
    throw new InputError({ code: "ERR_INPUT_UNREADABLE", file, reason, exit: EXIT.usage, cause });
  };
  if (file === "" || file.includes("\0")) fail("not a file name");
  const found = await stat(file).catch((cause: unknown) => fail(reasonOf(cause), cause));
  if (found.isDirectory()) fail("is a directory, not a file");
  if (!found.isFile()) fail("is not a regular file");
  if (found.size === 0) throw new InputError({ code: "ERR_INPUT_EMPTY", file, reason: "the file is empty" });
}

/**
 * The file's bytes in chunks, without a UTF-8 byte order mark; closes the file whenever the reader stops. The next chunk is read while the
 * reader works on this one.
 */
export async function* readChunks(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, "r").catch((cause: unknown) => {
    throw new InputError({ code: "ERR_INPUT_UNREADABLE", file, reason: reasonOf(cause), exit: EXIT.usage, cause });
  });
  const read = (): Promise<Buffer> => {
    const bytes = handle
      .read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, null)
      .then(({ bytesRead, buffer }) => buffer.subarray(0, bytesRead));
    // A failure is thrown when it is this chunk's turn.
    bytes.catch(() => undefined);
    return bytes;
  };
  let ahead = read();
  try {
    for (let first = true; ; first = false) {
      const bytes = await ahead;
      if (bytes.length === 0) return;
      ahead = read();
      yield first && bytes.subarray(0, 3).equals(UTF8_BOM) ? bytes.subarray(3) : bytes;
    }
  } finally {
    await ahead.catch(() => undefined);
    await handle.close();
  }
}

/** @returns the first chunk. @throws InputError when the file is UTF-16, or of a kind that is no text. */
export async function readHead(file: string): Promise<Buffer> {
  for await (const head of readChunks(file)) {
    refuseOtherEncodings(file, head);
    return head;
  }
  throw new InputError({ code: "ERR_INPUT_EMPTY", file, reason: "the file is empty" });
}

const MAGIC: readonly (readonly [string, string])[] = [
  ["1f8b", "compressed with gzip"],
  ["504b0304", "a zip archive or spreadsheet"],
  ["28b52ffd", "compressed with zstd"],
  ["25504446", "a PDF"],
  ["d0cf11e0", "an Office document"],
];

function refuseOtherEncodings(file: string, head: Buffer): void {
  const hint = "save it as UTF-8 text";
  const fail = (reason: string): never => {
    throw new InputError({ code: "ERR_INPUT_ENCODING", file, line: 1, reason, hint });
  };
  const [a, b] = head;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) fail("the file is UTF-16, not UTF-8");
  const magic = MAGIC.find(([bytes]) => head.subarray(0, bytes.length / 2).toString("hex") === bytes);
  if (magic) fail(`the file is ${magic[1]}, not text`);
  const start = head.subarray(0, 64);
  if (start.length >= 2 && start.includes(0) && looksLikeUtf16(start)) fail("the file is UTF-16, not UTF-8");
}

/** Latin letters in UTF-16 are every other byte NUL. */
function looksLikeUtf16(start: Buffer): boolean {
  const even = start.filter((byte, i) => i % 2 === 0 && byte === 0).length;
  const odd = start.filter((byte, i) => i % 2 === 1 && byte === 0).length;
  return Math.max(even, odd) >= Math.floor(start.length / 2) * 0.8 && Math.min(even, odd) <= start.length / 16;
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "ENOENT" || code === "ENOTDIR") return "there is no such file";
  if (code === "EACCES" || code === "EPERM") return "the file may not be read";
  if (code === "ENAMETOOLONG" || code === "EINVAL") return "not a file name";
  return `the file cannot be read${code ? ` (${code})` : ""}`;
}
