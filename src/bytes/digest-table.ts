const DIGEST = 32;
/** Digests of one piece of memory. */
const PIECE = 1 << 14;

/** What is known of digests, one byte each, in some 45 bytes a digest: as text in a `Map` it would be ten times as much. */
export class DigestTable {
  readonly #pieces: Buffer[] = [];
  #flags = new Uint8Array(PIECE);
  /** Number of a digest plus one, by its first bytes; 0 where there is none. */
  #slots = new Uint32Array(2 * PIECE);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** 0 for a digest that was never marked. */
  flagsOf(digest: Uint8Array): number {
    const slot = this.#slots[this.#find(digest)] as number;
    return slot === 0 ? 0 : (this.#flags[slot - 1] as number);
  }

  /** Adds bits to those of a digest. @returns those that it had before. */
  mark(digest: Uint8Array, bits: number): number {
    if (digest.length !== DIGEST) throw new RangeError(`a digest has ${DIGEST} bytes, got ${digest.length}`);
    let at = this.#find(digest);
    if (this.#slots[at] === 0) {
      if (this.#size === this.#flags.length) {
        this.#grow();
        at = this.#find(digest);
      }
      if (this.#size % PIECE === 0) this.#pieces.push(Buffer.allocUnsafeSlow(PIECE * DIGEST));
      (this.#pieces.at(-1) as Buffer).set(digest, (this.#size % PIECE) * DIGEST);
      this.#slots[at] = ++this.#size;
    }
    const number = (this.#slots[at] as number) - 1;
    const before = this.#flags[number] as number;
    this.#flags[number] = before | bits;
    return before;
  }

  /** Where the digest is, or would be. A hash is spread evenly as it is; who makes up digests only slows themselves down. */
  #find(digest: Uint8Array): number {
    const mask = this.#slots.length - 1;
    for (let at = start(digest, 0) & mask; ; at = (at + 1) & mask) {
      const slot = this.#slots[at] as number;
      if (slot === 0) return at;
      const number = slot - 1;
      const piece = this.#pieces[Math.floor(number / PIECE)] as Buffer;
      const from = (number % PIECE) * DIGEST;
      if (piece.compare(digest, 0, DIGEST, from, from + DIGEST) === 0) return at;
    }
  }

  #grow(): void {
    const flags = new Uint8Array(2 * this.#flags.length);
    flags.set(this.#flags);
    this.#flags = flags;
    this.#slots = new Uint32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.#size; number++) {
      const piece = this.#pieces[Math.floor(number / PIECE)] as Buffer;
      let at = start(piece, (number % PIECE) * DIGEST) & mask;
      while (this.#slots[at] !== 0) at = (at + 1) & mask;
      this.#slots[at] = number + 1;
    }
  }
}

const start = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0;
