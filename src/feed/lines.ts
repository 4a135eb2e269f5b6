/** Cuts a stream of bytes into lines. Keeps no more than one line, and no longer one than allowed. */
export class LineSplitter {
  readonly #longest: number;
  readonly #parts: Buffer[] = [];
  #length = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** @returns the lines that this piece ends, without their ends; undefined when one is too long. */
  push(piece: Buffer): Buffer[] | undefined {
    const lines: Buffer[] = [];
    let rest = piece;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...this.#parts, rest.subarray(0, end)]);
      if (line.length > this.#longest) return undefined;
      lines.push(line.at(-1) === 13 ? line.subarray(0, -1) : line);
      this.#parts.length = this.#length = 0;
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) this.#parts.push(Buffer.from(rest));
    this.#length += rest.length;
    return this.#length > this.#longest ? undefined : lines;
  }
}
