import { ManyDigests } from "../bytes/sha256-many.ts";
import type { ByteWriter } from "../bytes/writer.ts";
import { SECONDS_AT } from "../observation/instant.ts";
import { inputFor, saltStream, SALT_SIZE, writeValue, type LeafInput } from "./leaf.ts";
import { DIGEST } from "./merkle.ts";
import { ROW_KINDS, type Rows, type TimeForm } from "./rows.ts";

const QUANTITY = ROW_KINDS.indexOf("quantity");
const [MINUS, POINT, ZERO] = [0x2d, 0x2e, 0x30] as const;

/**
 * Hashes the rows of one chunk as leaves, straight from their columns: the bytes are those of `observationLeaf`, but no text and no object is
 * made of a reading.
 */
export class RowLeaves {
  readonly #hashes: Buffer;
  readonly #digests: ManyDigests;
  readonly #salts: Buffer;
  readonly #inputs: (LeafInput | undefined)[] = [];
  readonly #decimal = new Uint8Array(32);
  #done = 0;
  /** The time that was written last, the number of times so far, and what it is of. */
  #time: Uint8Array = new Uint8Array(0);
  #times = 0;
  #form: TimeForm | undefined;
  #seconds = -1;
  #fraction = -1;

  constructor(seed: Uint8Array, count: number) {
    this.#salts = saltStream(seed, count);
    this.#hashes = Buffer.allocUnsafe(DIGEST * count);
    this.#digests = new ManyDigests(this.#hashes);
  }

  /** Hashes the row at which `rows` stands. */
  add(rows: Rows): void {
    if (rows.form !== this.#form || rows.seconds !== this.#seconds || rows.fraction !== this.#fraction)
      this.#tick(rows);
    const input = (this.#inputs[rows.channelIndex] ??= inputFor(rows.channel));
    const { writer } = input;
    if (input.time !== this.#times) {
      writer.cut(input.beginning).sized(this.#time, 1);
      input.time = this.#times;
      input.end = writer.length;
    } else writer.cut(input.end);
    writer.uint(rows.statusIndex, 1);
    if (rows.rest) writeValue(writer, rows.rest);
    else this.#writeQuantity(writer, rows);
    writer.over(1, this.#salts, SALT_SIZE * this.#done, SALT_SIZE);
    this.#digests.add(writer.view());
    this.#done += 1;
  }

  /** The hashes one behind the other, for `flatRoot`, once all rows were added. */
  finish(): Buffer {
    this.#digests.finish();
    return this.#hashes;
  }

  /** Inside a minute only its seconds and their fraction are written: offsets are whole minutes. */
  #tick(rows: Rows): void {
    const { form, seconds, fraction } = rows;
    const minute = Math.floor(seconds / 60);
    if (form === this.#form && minute === Math.floor(this.#seconds / 60)) {
      writeDigits(this.#time, SECONDS_AT, seconds - 60 * minute, 2);
      writeDigits(this.#time, SECONDS_AT + 3, fraction, form.digits);
    } else this.#time = Buffer.from(rows.time(), "latin1");
    this.#form = form;
    this.#seconds = seconds;
    this.#fraction = fraction;
    this.#times += 1;
  }

  /** As `expandDecimal` has it: at least one digit before the point. */
  #writeQuantity(writer: ByteWriter, { comparatorIndex, mantissa, scale = 0 }: Rows): void {
    const bytes = this.#decimal;
    let at = bytes.length;
    let rest = Math.abs(mantissa);
    for (let digits = 0; rest > 0 || digits <= scale; digits++) {
      if (digits === scale && scale > 0) bytes[--at] = POINT;
      const above = Math.floor(rest / 10);
      bytes[--at] = ZERO + rest - 10 * above;
      rest = above;
    }
    if (mantissa < 0) bytes[--at] = MINUS;
    writer
      .uint(QUANTITY, 1)
      .uint(comparatorIndex, 1)
      .uint(bytes.length - at, 1);
    for (; at < bytes.length; at++) writer.uint(bytes[at] as number, 1);
  }
}

function writeDigits(target: Uint8Array, at: number, value: number, digits: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const above = Math.floor(rest / 10);
    target[i] = ZERO + rest - 10 * above;
    rest = above;
  }
}
