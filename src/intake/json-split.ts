import type { Limits } from "./limits.ts";
import type { Problem } from "./types.ts";

/** A part of a JSON document that is parsed on its own. */
export interface Piece {
  /** `entry`: an element of the document's `entry` list. `shell`: the document with that list emptied. `lost`: what cannot be told apart. */
  readonly kind: "entry" | "shell" | "lost";
  /** Place in the `entry` list, from 0; for a shell how many entries were cut out. */
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
const COLON = 0x3a;
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
  /** The bracket that opens it was just read. */
  #openList = false;
  #hadEntries = false;
  #entries = 0;
  #key = "";
  #lastString = "";
  #shell = new Collected(1);
  #entry: Collected | undefined;
  #pieces: Piece[] = [];

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The structure of the rest is not known, so there is no use in reading on. */
  get lost(): boolean {
    return this.#lost;
  }

  push(chunk: Buffer): Piece[] {
    for (let i = 0; i < chunk.length && !this.#lost; i++) {
      if (this.#inString) i = this.#stringFrom(chunk, i);
      else this.#structure(chunk[i] as number);
    }
    return this.#taken();
  }

  end(): Piece[] {
    if (!this.#lost && !this.#ended) this.#lose({ code: "ERR_JSON", reason: "the file ends within the document" });
    if (!this.#lost) this.#pieces.push({ kind: "shell", index: this.#entries, line: 1, ...this.#shell.take() });
    return this.#taken();
  }

  #taken(): Piece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  /** Takes in what belongs to the open string. @returns index of the last byte taken. */
  #stringFrom(chunk: Buffer, start: number): number {
    let i = start;
    for (; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === LF) this.#line++;
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) break;
    }
    const part = chunk.subarray(start, i + 1);
    if (this.#due.length === 1 && this.#lastString.length <= ENTRY.length) {
      this.#lastString += part.toString("latin1", 0, ENTRY.length + 1);
    }
    if (i < chunk.length) this.#inString = false;
    this.#collect(part);
    return i;
  }

  #structure(byte: number): void {
    if (byte === LF) this.#line++;
    const blank = BLANKS.has(byte);
    if (this.#ended) {
      if (!blank) this.#lose({ code: "ERR_JSON", reason: "something follows the document" });
      return;
    }
    const depth = this.#due.length;
    if (this.#inEntries && depth === 2) {
      if (byte === COMMA || byte === LIST) return this.#endEntry(byte);
      if (!this.#entry && !blank) this.#entry = new Collected(this.#line);
    }
    if (!blank) this.#bracketOrString(byte, depth);
    if (this.#lost) return;
    this.#collect(byte);
  }

  #bracketOrString(byte: number, depth: number): void {
    const closing = OPENING.get(byte);
    if (depth === 0 && closing === undefined) {
      return this.#lose({ code: "ERR_JSON", reason: "the document is neither object nor list" });
    }
    if (byte === QUOTE) {
      this.#inString = true;
      if (depth === 1) this.#lastString = '"';
    } else if (depth === 1 && byte === COLON) this.#key = this.#lastString;
    else if (depth === 1 && byte === COMMA) this.#key = "";

    if (closing !== undefined) {
      this.#due.push(closing);
      if (depth === 1 && closing === LIST && this.#key === ENTRY) this.#openEntries();
      if (depth >= this.#limits.depth) {
        this.#lose({ code: "ERR_JSON_DEPTH", reason: `nested deeper than ${this.#limits.depth} levels` });
      }
    } else if (CLOSING.has(byte)) {
      if (this.#due.pop() !== byte) this.#lose({ code: "ERR_JSON", reason: "the brackets do not match" });
      if (depth === 1) this.#ended = true;
    }
  }

  #openEntries(): void {
    if (this.#hadEntries) {
      this.#lose({ code: "ERR_JSON_DUPLICATE_KEY", reason: "an object has two members of one name" });
    }
    this.#openList = true;
    this.#hadEntries = true;
  }

  /** At a comma or the end of the `entry` list. */
  #endEntry(byte: number): void {
    if (this.#entry) {
      const { line } = this.#entry;
      this.#pieces.push({ kind: "entry", index: this.#entries++, line, ...this.#entry.take() });
    } else if (byte === COMMA || this.#entries > 0) {
      const problem: Problem = { code: "ERR_JSON", reason: "an entry is empty" };
      const bytes = Buffer.of(byte);
      this.#pieces.push({ kind: "entry", index: this.#entries++, line: this.#line, bytes, problem });
    }
    this.#entry = undefined;
    if (byte === LIST) {
      this.#due.pop();
      this.#inEntries = false;
      this.#key = "";
      this.#shell.add(byte, this.#limits.entry);
    }
  }

  #collect(bytes: Buffer | number): void {
    if (this.#entry) this.#entry.add(bytes, this.#limits.entry);
    else if (!this.#inEntries) this.#shell.add(bytes, this.#limits.entry);
    if (this.#openList) {
      this.#inEntries = true;
      this.#openList = false;
    }
    if (this.#shell.length > this.#limits.entry) {
      const reason = `more than ${this.#limits.entry} bytes outside the entries of a bundle`;
      this.#lose({ code: "ERR_ROW_TOO_LONG", reason });
    }
  }

  #lose(problem: Problem): void {
    if (this.#lost) return;
    this.#lost = true;
    const { line } = this.#entry ?? { line: this.#line };
    const { bytes } = (this.#entry ?? this.#shell).take();
    this.#pieces.push({ kind: "lost", index: this.#entries, line, bytes, problem });
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

  add(bytes: Buffer | number, limit: number): void {
    const size = typeof bytes === "number" ? 1 : bytes.length;
    this.length += size;
    if (this.length > limit) return;
    if (this.#kept + size > this.#bytes.length) {
      const larger = Buffer.alloc(2 * (this.#kept + size));
      this.#bytes.copy(larger, 0, 0, this.#kept);
      this.#bytes = larger;
    }
    if (typeof bytes === "number") this.#bytes[this.#kept++] = bytes;
    else this.#kept += bytes.copy(this.#bytes, this.#kept);
  }

  take(): { bytes: Buffer; problem?: Problem } {
    const bytes = this.#bytes.subarray(0, this.#kept);
    if (this.length === this.#kept) return { bytes };
    return { bytes, problem: { code: "ERR_ROW_TOO_LONG", reason: "the entry is longer than the limit allows" } };
  }
}
