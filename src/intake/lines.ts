import { isUtf8 } from "node:buffer";
import type { Limits } from "./limits.ts";
import { readChunks } from "./source.ts";
import type { Problem } from "./types.ts";

export interface Line {
  /** 1-based. */
  readonly number: number;
  /** Without its end (LF or CRLF). Where `problem` is set: as much of it as may be kept, for the export. */
  readonly text: string;
  readonly problem?: Problem;
}

/** Whole lines as they lie in the file, each with its LF. */
export interface Slab {
  /** Number of the first of them. */
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * The lines of a file, in batches. A line longer than the limit passes through without being kept; bytes that are not UTF-8 and NUL
 * spoil their line only.
 */
export async function* readLines(file: string, limits: Limits): AsyncGenerator<Line[]> {
  for await (const part of readSlabs(file, limits)) yield "bytes" in part ? linesOf(part, limits) : [part];
}

/** The same as slabs, for who reads bytes; a line that lies in more than one chunk of the file comes alone. */
export async function* readSlabs(file: string, limits: Limits): AsyncGenerator<Slab | Line> {
  let number = 1;
  let pieces: Buffer[] = [];
  let length = 0;
  const finish = (): Line => {
    const line = toLine(number++, Buffer.concat(pieces), length, limits);
    pieces = [];
    length = 0;
    return line;
  };
  const keep = (piece: Buffer): void => {
    // One byte over the limit is room for the CR of a CRLF.
    if (length <= limits.line + 1) pieces.push(piece.subarray(0, limits.line + 2 - length));
    length += piece.length;
  };
  for await (const chunk of readChunks(file)) {
    let from = 0;
    const end = length > 0 ? chunk.indexOf(0x0a) : -1;
    if (end >= 0) {
      keep(chunk.subarray(0, end));
      from = end + 1;
      yield finish();
    }
    const whole = chunk.lastIndexOf(0x0a) + 1;
    if (whole > from) {
      const slab = { number, bytes: chunk.subarray(from, whole) };
      number += countLines(slab.bytes);
      yield slab;
      from = whole;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (length > 0) yield finish();
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, end + 1)) count++;
  return count;
}

function linesOf({ number, bytes }: Slab, limits: Limits): Line[] {
  const lines: Line[] = [];
  for (let from = 0, end = bytes.indexOf(0x0a); end >= 0; from = end + 1, end = bytes.indexOf(0x0a, from))
    lines.push(lineAt(bytes, from, end, number + lines.length, limits));
  return lines;
}

/** The line from `from` up to its LF at `end`. */
export const lineAt = (bytes: Buffer, from: number, end: number, number: number, limits: Limits): Line =>
  toLine(number, bytes.subarray(from, Math.min(end, from + limits.line + 2)), end - from, limits);

function toLine(number: number, bytes: Buffer, length: number, limits: Limits): Line {
  const crlf = length === bytes.length && bytes.at(-1) === 0x0d;
  const content = crlf ? bytes.subarray(0, -1) : bytes;
  if (length - (crlf ? 1 : 0) > limits.line) {
    const problem: Problem = { code: "ERR_ROW_TOO_LONG", reason: `the line is longer than ${limits.line} bytes` };
    return { number, text: content.toString("latin1", 0, limits.quarantineText), problem };
  }
  if (!isUtf8(content)) {
    const reason = "the line is not UTF-8 (exported byte by byte, as Latin-1)";
    const text = content.toString("latin1", 0, limits.quarantineText);
    return { number, text, problem: { code: "ERR_ROW_ENCODING", reason } };
  }
  const text = content.toString("utf8");
  if (content.includes(0)) return { number, text, problem: { code: "ERR_ROW_NUL", reason: "the line holds a NUL" } };
  return { number, text };
}
