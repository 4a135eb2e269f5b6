import { expect } from "chai";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { keyedRandom } from "../../../src/bytes/random.ts";
import { MedSealError } from "../../../src/errors.ts";

/** Numbers below `below`, the same in every run for the same label. */
export function dice(label: string): (below: number) => number {
  const rand = keyedRandom(new Uint8Array(32), utf8(label));
  return (below) => Buffer.from(rand(6)).readUIntBE(0, 6) % below;
}

/** One to three of: a bit flipped, a byte set to an extreme, a run cut out, doubled, zeroed, or moved. */
export function mutate(bytes: Uint8Array, roll: (below: number) => number): Uint8Array {
  let changed: Uint8Array = bytes.slice();
  for (let rounds = 1 + roll(3); rounds > 0; rounds--) {
    const at = roll(Math.max(changed.length, 1));
    const run = changed.subarray(at, at + 1 + roll(8));
    const rest = changed.subarray(at + run.length);
    const [before, after] = [changed.slice(0, at), rest.slice()];
    const whole = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
    switch (roll(6)) {
      case 0:
        changed[at] = (changed[at] ?? 0) ^ (1 << roll(8));
        break;
      case 1:
        changed[at] = [0, 1, 0x7f, 0x80, 0xff][roll(5)] as number;
        break;
      case 2:
        changed = whole(before, after);
        break;
      case 3:
        changed = whole(before, run.slice(), run.slice(), after);
        break;
      case 4:
        changed = whole(before, new Uint8Array(run.length), after);
        break;
      default:
        changed = whole(before, after, run.slice());
    }
  }
  return changed;
}

export interface Format<T> {
  readonly bytes: Uint8Array;
  readonly decode: (bytes: Uint8Array) => T | Promise<T>;
  /** Bytes of a content, decoded from `bytes`; absent where the format is sealed and no altered byte may open. */
  readonly encode?: (content: T, bytes: Uint8Array) => Uint8Array;
}

/** What reading the bytes came to: a typed refusal, or the very content that they stand for. */
async function read<T>({ decode, encode }: Format<T>, bytes: Uint8Array, what: string): Promise<"refused" | "read"> {
  let content: T;
  try {
    content = await decode(bytes);
  } catch (error) {
    if (error instanceof MedSealError) return "refused";
    throw new Error(`${what}: an untyped ${String(error)} for ${hex(bytes.subarray(0, 2000))}`, { cause: error });
  }
  if (!encode) throw new Error(`${what}: altered bytes opened`);
  expect(hex(encode(content, bytes)), `${what}: decoded to something else`).to.equal(hex(bytes));
  return "read";
}

/** Every truncation is refused. */
export async function refusesTruncations<T>(format: Format<T>): Promise<void> {
  for (let size = 0; size < format.bytes.length; size++) {
    const found = await read(format, format.bytes.slice(0, size), `the first ${size} bytes`);
    expect(found, `the first ${size} bytes`).to.equal("refused");
  }
}

/** Seeded mutations are refused, or read as what they are. @returns how many were refused. */
export async function standsMutations<T>(label: string, format: Format<T>, count: number): Promise<number> {
  const roll = dice(label);
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const bytes = mutate(format.bytes, roll);
    if (hex(bytes) === hex(format.bytes)) continue;
    if ((await read(format, bytes, `mutation ${i} of ${label}`)) === "refused") refused++;
  }
  return refused;
}
