import { RpcError } from "./errors.ts";

const HEADER_LIMIT = 8 * 1024;
const PREAMBLE_LIMIT = 1024;
const DASHES = Buffer.from("--");
const HEADER_END = Buffer.from("\r\n\r\n");

/**
 * The parts of a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1), one after the other, without their headers.
 *
 * Holds one part and one chunk of the body at a time.
 *
 * @param limit - Largest part, in bytes.
 * @throws RpcError when the body is not multipart, ends early, or a part is too large.
 */
export async function* parts(
  body: AsyncIterable<Uint8Array>,
  contentType: string | undefined,
  limit: number,
): AsyncGenerator<Uint8Array> {
  const delimiter = Buffer.from(`\r\n--${boundaryIn(contentType)}`);
  const input = new Input(body);
  await input.until(delimiter, PREAMBLE_LIMIT, "what stands before the first part");
  while (!(await input.startsWith(DASHES))) {
    await input.until(HEADER_END, HEADER_LIMIT, "the header of a part");
    yield await input.until(delimiter, limit, "the block");
  }
}

function boundaryIn(contentType: string | undefined): string {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]+)"|([^\s;]+))/is.exec(contentType ?? "") ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined || boundary.length > 200) throw new RpcError("multipart/form-data expected", 400);
  return boundary;
}

class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  /** The first boundary may open the body, where no line ends before it. */
  #held: Buffer = Buffer.from("\r\n");

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  async startsWith(bytes: Buffer): Promise<boolean> {
    while (this.#held.length < bytes.length) await this.#more();
    return this.#held.subarray(0, bytes.length).equals(bytes);
  }

  /** What stands before the next `delimiter`, which is consumed too. */
  async until(delimiter: Buffer, limit: number, what: string): Promise<Buffer> {
    const passed: Buffer[] = [];
    let size = 0;
    const pass = (length: number): void => {
      size += length;
      if (size > limit) throw new RpcError(`${what} is over ${limit} bytes: too big`);
      passed.push(this.#held.subarray(0, length));
      this.#held = this.#held.subarray(length);
    };
    for (;;) {
      const at = this.#held.indexOf(delimiter);
      if (at >= 0) {
        pass(at);
        this.#held = this.#held.subarray(delimiter.length);
        return Buffer.concat(passed);
      }
      // A delimiter may begin in these last bytes and end in the next chunk.
      pass(Math.max(0, this.#held.length - delimiter.length + 1));
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const next = await this.#source.next();
    if (next.done === true) throw new RpcError("unexpected end of the multipart body", 400);
    this.#held = Buffer.concat([this.#held, next.value]);
  }
}
