import { sha256Into } from "./hash.ts";
import { FREE, sha256Module } from "./sha256-module.ts";

const DIGEST = 32;
/** Bytes of a message of two blocks with its padding. */
const SLOT = 128;
/** The shortest and the longest message that takes two blocks. */
const [SHORTEST, LONGEST] = [56, 119] as const;
/** Messages hashed at once. */
const SLOTS = 1024;
/** Fewer than this are hashed one by one: a vector has four, and the module takes a while to begin. */
const FEW = 64;
const PAGES = 4;
/** One vector behind `FREE`: what hashes pairs reads the byte before them. */
const INPUT = FREE + 16;
const OUTPUT = INPUT + SLOT * SLOTS;

interface Lanes {
  readonly bytes: Uint8Array;
  readonly hash: (input: number, stride: number, blocks: number, output: number, groups: number) => void;
  readonly pairs: (input: number, output: number, groups: number) => void;
}

let made: { readonly lanes: Lanes | undefined } | undefined;

/** Undefined where the runtime or the processor knows no vectors; node's own hash does the work then. */
function lanes(): Lanes | undefined {
  made ??= { lanes: begin() };
  return made.lanes;
}

function begin(): Lanes | undefined {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(sha256Module(PAGES)));
    const { memory, hash, pairs } = exports as unknown as Omit<Lanes, "bytes"> & { memory: { buffer: ArrayBuffer } };
    return { bytes: new Uint8Array(memory.buffer), hash, pairs };
  } catch {
    return undefined;
  }
}

/**
 * SHA-256 of many messages, four at a time where that is possible, one behind the other into `target`; for messages of 56 to 119
 * bytes. Others go through node's own hash.
 *
 * Warning: `add` only keeps the message; `target` is complete after `finish`.
 */
export class ManyDigests {
  readonly #target: Buffer;
  readonly #lanes: Lanes | undefined;
  /** Messages that wait; they are the last that were added. */
  #waiting = 0;
  #added = 0;

  /** @param target - 32 bytes a message. */
  constructor(target: Buffer) {
    this.#target = target;
    this.#lanes = target.length < FEW * DIGEST ? undefined : lanes();
  }

  add(message: Uint8Array): void {
    const { length } = message;
    if (!this.#lanes || length < SHORTEST || length > LONGEST) {
      this.finish();
      return sha256Into(this.#target, DIGEST * this.#added++, message);
    }
    const { bytes } = this.#lanes;
    const at = INPUT + SLOT * this.#waiting;
    bytes.set(message, at);
    bytes[at + length] = 0x80;
    for (let i = at + length + 1; i < at + SLOT - 2; i++) bytes[i] = 0;
    bytes[at + SLOT - 2] = length >> 5;
    bytes[at + SLOT - 1] = (length << 3) & 0xff;
    this.#waiting += 1;
    this.#added += 1;
    if (this.#waiting === SLOTS) this.finish();
  }

  finish(): void {
    if (!this.#lanes || this.#waiting === 0) return;
    const { bytes, hash } = this.#lanes;
    hash(INPUT, SLOT, 2, OUTPUT, Math.ceil(this.#waiting / 4));
    this.#target.set(bytes.subarray(OUTPUT, OUTPUT + DIGEST * this.#waiting), DIGEST * (this.#added - this.#waiting));
    this.#waiting = 0;
  }
}

/** Writes SHA-256(0x01 ‖ a ‖ b) of `count` pairs of digests that lie one behind the other. `target` may be `source`. */
export function hashPairs(target: Buffer, source: Buffer, count: number): void {
  const vectors = count < FEW ? undefined : lanes();
  if (!vectors) return hashEach(target, source, count);
  const { bytes, pairs } = vectors;
  const most = (SLOT * SLOTS) / (2 * DIGEST);
  for (let i = 0; i < count; i += most) {
    const some = Math.min(most, count - i);
    bytes.set(source.subarray(2 * DIGEST * i, 2 * DIGEST * (i + some)), INPUT);
    pairs(INPUT, INPUT, Math.ceil(some / 4));
    target.set(bytes.subarray(INPUT, INPUT + DIGEST * some), DIGEST * i);
  }
}

function hashEach(target: Buffer, source: Buffer, count: number): void {
  const input = Buffer.alloc(1 + 2 * DIGEST, 0x01);
  for (let i = 0; i < count; i++) {
    source.copy(input, 1, 2 * DIGEST * i, 2 * DIGEST * (i + 1));
    sha256Into(target, DIGEST * i, input);
  }
}
