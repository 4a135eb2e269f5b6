import type { Limits } from "./limits.ts";
import type { Problem } from "./types.ts";

/** A part of a JSON document that is parsed on its own. */
export interface Piece {
  /** `entry`: an element of the document's `entry` list. `shell`: the document with that list emptied. `lost`: what cannot be told apart. */
  readonly kind: "entry" | "shell" | "lost";
  /** Place in the `entry` list, from 0. */
  readonly index: number;
  /** 1-based line where the piece begins. */
  readonly line: number;
  readonly bytes: Buffer;
  /** Set where the piece is not to be parsed; `bytes` is then its beginning. */
  readonly problem?: Problem;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Map([
  [0x7b, 0x7d],
  [0x5b, 0x5d],
]);
const CLOSING = new Set(OPENING.values());
const LIST = 0x5d;
const COMMA = 0x2c;
const LF = 0x0a;
const BLANKS = new Set([0x20, 0x09, LF, 0x0d]);
const ENTRY = '"entry"';

/**
 * Cuts one JSON document of any length into pieces of bounded length, on bytes as they come. It follows brackets, strings and commas
 * only; each piece is then parsed strictly. An entry that is too long is passed over, the others are kept; where brackets do not match,
 * the rest of the document is lost.
 */
export class JsonSplitter {
  readonly #limits: Limits;
  #line = 1;
  /** Closing brackets that are due. */
  readonly #due: number[] = [];
  #inString = false;
  #escaped = false;
  #ended = false;
  #lost = false;
  /** Whether the `entry` list is open, at depth 2. */
  #inEntries = false;
  #entries = 0;
  #key = "";
  #lastString = "";
  #shell = new Collected(1);
  #entry: Collected | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The structure of the rest is not known, so there is no use in reading on. */
  get lost(): boolean {
    return this.#lost;
  }

  *push(chunk: Buffer): Generator<Piece, void, undefined> {
    for (let i = 0; i < chunk.length && !this.#lost; i++) {
      const byte = chunk[i] as number;
      if (this.#inString) {
        i = this.#stringFrom(chunk, i);
      } else {
        yield* this.#structure(byte);
      }
    }
  }

  *end(): Generator<Piece, void, undefined> {
    if (this.#lost) return;
    if (!this.#ended) return yield* this.#lose({ code: "ERR_JSON", reason: "the file ends within the document" });
    yield { kind: "shell", index: 0, line: this.#shell.line, ...this.#shell.take() };
  }

  /** Takes in what belongs to the open string. @returns index of the last byte taken. */
  #stringFrom(chunk: Buffer, start: number): number {
    let i = start;
    for (; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      if (byte === LF) this.#line++;
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) break;
    }
    const end = Math.min(i, chunk.length - 1);
    const part = chunk.subarray(start, end + 1);
    if (this.#due.length === 1 && this.#lastString.length <= ENTRY.length) {
      this.#lastString += part.toString("latin1", 0, ENTRY.length + 1);
    }
    if (i < chunk.length) this.#inString = false;
    this.#collect(part);
    return end;
  }

  *#structure(byte: number): Generator<Piece, void, undefined> {
    if (byte === LF) this.#line++;
    if (this.#ended) {
      if (!BLANKS.has(byte)) yield* this.#lose({ code: "ERR_JSON", reason: "something follows the document" });
      return;
    }
    const depth = this.#due.length;
    const ownEntry = this.#inEntries && depth === 2;
    if (ownEntry && (byte === COMMA || byte === LIST)) return yield* this.#endEntry(byte);
    if (ownEntry && !this.#entry && !BLANKS.has(byte)) this.#entry = new Collected(this.#line);

    if (byte === QUOTE) {
      this.#inString = true;
      if (depth === 1) this.#lastString = '"';
    } else if (depth === 1 && byte === 0x3a) this.#key = this.#lastString;
    else if (depth === 1 && byte === COMMA) this.#key = "";

    const closing = OPENING.get(byte);
    if (closing !== undefined) {
      this.#due.push(closing);
      if (depth >= this.#limits.depth) {
        return yield* this.#lose({ code: "ERR_JSON_DEPTH", reason: `nested deeper than ${this.#limits.depth} levels` });
      }
    } else if (CLOSING.has(byte) && this.#due.pop() !== byte) {
      return yield* this.#lose({ code: "ERR_JSON", reason: "the brackets do not match" });
    }
    this.#collect(Buffer.of(byte));
    if (depth === 1 && closing === LIST && this.#key === ENTRY) this.#inEntries = true;
    if (this.#due.length === 0) {
      if (depth === 0 && !BLANKS.has(byte))
        return yield* this.#lose({ code: "ERR_JSON", reason: "the document is not an object" });
      if (depth === 1) this.#ended = true;
    }
    if (this.#shell.length > this.#limits.entry) {
      const reason = `more than ${this.#limits.entry} bytes outside the entries of a bundle`;
      yield* this.#lose({ code: "ERR_ROW_TOO_LONG", reason });
    }
  }

  /** At a comma or the end of the `entry` list. */
  *#endEntry(byte: number): Generator<Piece, void, undefined> {
    if (this.#entry) {
      const { line } = this.#entry;
      yield { kind: "entry", index: this.#entries++, line, ...this.#entry.take() };
    } else if (byte === COMMA || this.#entries > 0) {
      const problem: Problem = { code: "ERR_JSON", reason: "an entry is empty" };
      yield { kind: "entry", index: this.#entries++, line: this.#line, bytes: Buffer.of(byte), problem };
    }
    this.#entry = undefined;
    if (byte === LIST) {
      this.#due.pop();
      this.#inEntries = false;
      this.#key = "";
      this.#shell.add(Buffer.of(byte), this.#limits.entry);
    }
  }

  #collect(bytes: Buffer): void {
    if (this.#entry) this.#entry.add(bytes, this.#limits.entry);
    else if (!this.#inEntries) this.#shell.add(bytes, this.#limits.entry);
  }

  *#lose(problem: Problem): Generator<Piece, void, undefined> {
    this.#lost = true;
    const part = this.#entry ?? this.#shell;
    const { line } = part;
    yield { kind: "lost", index: this.#entries, line, bytes: part.take().bytes, problem };
  }
}

/** Bytes of a piece, kept up to the limit, counted beyond it. */
class Collected {
  readonly line: number;
  length = 0;
  #bytes = Buffer.alloc(256);
  #kept = 0;

  constructor(line: number) {
    this.line = line;
  }

  add(bytes: Buffer, limit: number): void {
    this.length += bytes.length;
    if (this.length > limit) return;
    while (this.#kept + bytes.length > this.#bytes.length) {
      const larger = Buffer.alloc(this.#bytes.length * 2);
      this.#bytes.copy(larger, 0, 0, this.#kept);
      this.#bytes = larger;
    }
    this.#kept += bytes.copy(this.#bytes, this.#kept);
  }

  take(): { bytes: Buffer; problem?: Problem } {
    const bytes = this.#bytes.subarray(0, this.#kept);
    if (this.length === this.#kept) return { bytes };
    return { bytes, problem: { code: "ERR_ROW_TOO_LONG", reason: "the entry is longer than the limit allows" } };
  }
}
