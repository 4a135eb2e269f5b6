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

/**
 * The lines of a file, in batches. A line longer than the limit passes through without being kept; bytes that are not UTF-8 and NUL
 * spoil their line only.
 */
export async function* readLines(file: string, limits: Limits): AsyncGenerator<Line[]> {
  let number = 1;
  let pieces: Buffer[] = [];
  let length = 0;
  const finish = (): Line => {
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    const line = toLine(number++, bytes, length, limits);
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
    const batch: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      keep(chunk.subarray(from, end));
      batch.push(finish());
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
    if (batch.length > 0) yield batch;
  }
  if (length > 0) yield [finish()];
}

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
