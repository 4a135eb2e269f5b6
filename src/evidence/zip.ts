import { crc32 } from "node:zlib";
import { equal, utf8 } from "../bytes/bytes.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { MalformedError } from "../errors.ts";
import { TooLargeError } from "../log/errors.ts";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 10;
/** 1980-01-01, the first day that the format knows, so that the same files give the same bytes. */
const DATE = 0x0021;
const LOCAL_SIZE = 30;
const MOST_FILES = 65_535;
/** Bytes of an archive. */
export const LARGEST = 2 ** 31 - 1;
const NAME = /^[a-z0-9][a-z0-9./]{0,99}$/;

/**
 * A ZIP archive of files as they are, without compression: what is sealed does not shrink. The same files in the same order give the same bytes.
 *
 * @throws TooLargeError above 65,535 files or 2 GiB.
 */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const total = [...files].reduce((sum, [name, content]) => sum + content.length + 2 * name.length + 76, 22);
  if (files.size > MOST_FILES || total > LARGEST)
    throw new TooLargeError("it does not fit one file", { hint: "export it in several windows" });
  const whole = new Uint8Array(total);
  let at = 0;
  const add = (bytes: Uint8Array): void => {
    whole.set(bytes, at);
    at += bytes.length;
  };
  const directory: Uint8Array[] = [];
  for (const [name, content] of files) {
    const facts = little(2, 0, 0, 0, DATE).raw(little(4, crc32(content), content.length, content.length).finish());
    const both = facts.raw(little(2, name.length, 0).finish()).finish();
    directory.push(
      little(4, CENTRAL)
        .raw(little(2, VERSION, VERSION).finish())
        .raw(both)
        .raw(little(2, 0, 0, 0).finish())
        .raw(little(4, 0, at).raw(utf8(name)).finish())
        .finish(),
    );
    add(little(4, LOCAL).raw(little(2, VERSION).finish()).raw(both).raw(utf8(name)).finish());
    add(content);
  }
  const start = at;
  for (const entry of directory) add(entry);
  const size = at - start;
  const counts = little(2, 0, 0, files.size, files.size).finish();
  add(
    little(4, END)
      .raw(counts)
      .raw(little(4, size, start).raw(little(2, 0).finish()).finish())
      .finish(),
  );
  return whole;
}

/** Inverse of `writeZip`; refuses every archive that it does not write. @throws MalformedError */
export function readZip(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const files = new Map<string, Uint8Array>();
  let at = 0;
  const fail = (problem: string): never => {
    throw new MalformedError("evidence", at, problem);
  };
  while (at + LOCAL_SIZE <= bytes.length && view.getUint32(at, true) === LOCAL) {
    const [crc, size] = [view.getUint32(at + 14, true), view.getUint32(at + 18, true)];
    const begin = at + LOCAL_SIZE + view.getUint16(at + 26, true);
    if (begin + size > bytes.length) fail("a file is cut off");
    const name = nameIn(bytes.subarray(at + LOCAL_SIZE, begin)) ?? fail("a file has a name of another form");
    const content = bytes.slice(begin, begin + size);
    if (crc32(content) !== crc) fail(`${name} was altered`);
    if (files.has(name)) fail(`${name} comes twice`);
    files.set(name, content);
    at = begin + size;
  }
  if (files.size === 0) fail("no archive of evidence begins there");
  if (files.size > MOST_FILES || !equal(writeZip(files), bytes)) fail("the archive was altered or cut off");
  return files;
}

function nameIn(bytes: Uint8Array): string | undefined {
  // Latin, so that every byte is a character: what is none of those allowed is refused.
  const name = Buffer.from(bytes).toString("latin1");
  return NAME.test(name) ? name : undefined;
}

/** Numbers one after the other, little-endian as ZIP has them. */
function little(size: 2 | 4, ...numbers: readonly number[]): ByteWriter {
  const writer = new ByteWriter();
  for (const number of numbers) writer.raw(new ByteWriter().uint(number, size).finish().reverse());
  return writer;
}
