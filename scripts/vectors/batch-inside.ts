import { concat, utf8 } from "../../src/bytes/bytes.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { writeChannel } from "../../src/log/leaf.ts";
import { compress } from "../../src/log/zstd.ts";
import type { Channel } from "../../src/observation/observation.ts";
import { START } from "./samples.ts";
import { bad, draw, good, type Case } from "./suite.ts";

const rate: Channel = { code: { system: "http://loinc.org", code: "8867-4" }, unit: "/min" };
const pulse: Channel = { ...rate, code: { ...rate.code, code: "8889-8" } };

/** The plain part of a batch of one chunk, piece by piece, so that each can be wrong for itself. */
interface Parts {
  readonly channels: readonly Channel[];
  readonly clock: readonly [kind: number, text: string];
  readonly rows: number;
  readonly base: number;
  /** Digits behind the second, and code of the offset. */
  readonly forms: readonly (readonly [number, number])[];
  /** The seven columns. */
  readonly columns: readonly (readonly number[])[];
  readonly behind: readonly number[];
}

const Z = 0x7fff;
const [CHANNEL, SHAPE, FORM, TICK, SCALE, MANTISSA, REST] = [0, 1, 2, 3, 4, 5, 6] as const;

/** 72 and 71 a second apart. */
const PLAIN: Parts = {
  channels: [rate],
  clock: [0, ""],
  rows: 2,
  base: START,
  forms: [[0, Z]],
  columns: [[0, 0], [1, 1], [0, 0], [0, 2], [0, 0], [0x90, 0x01, 1], []],
  behind: [],
};

const withColumns = (changes: Readonly<Record<number, readonly number[]>>): Partial<Parts> => ({
  columns: PLAIN.columns.map((column, i) => changes[i] ?? column),
});

const text = (value: string): number[] => [value.length, ...utf8(value)];

function plainOf(changes: Partial<Parts>): Uint8Array {
  const { channels, clock, rows, base, forms, columns, behind } = { ...PLAIN, ...changes };
  const writer = new ByteWriter().uint(channels.length, 1);
  for (const channel of channels) writeChannel(writer, channel);
  writer.uint(1, 1).fixed(draw("inner seed")(32), 32).uint(clock[0], 1).text(clock[1]);
  writer.uint(rows, 4).uint(base, 6).uint(forms.length, 1);
  for (const [digits, offset] of forms) writer.uint(digits, 1).uint(offset, 2);
  for (const column of columns) writer.sized(Uint8Array.from(column), 4);
  return writer.raw(Uint8Array.from(behind)).finish();
}

export const wrap = (frame: Uint8Array, length: number): Uint8Array =>
  new ByteWriter().raw(utf8("medseal/batch/1\n")).uint(1, 1).uint(length, 4).sized(frame, 4).finish();

/** A frame of one raw block, written by hand. @param dictionary - The id of one that it says it needs. */
function rawFrame(plain: Uint8Array, dictionary?: number): Uint8Array {
  const head = [0x28, 0xb5, 0x2f, 0xfd, dictionary === undefined ? 0x60 : 0x61];
  const size = plain.length - 256;
  const block = (plain.length << 3) | 1;
  const id = dictionary === undefined ? [] : [dictionary];
  const sizes = [size & 255, size >> 8, block & 255, (block >> 8) & 255, block >> 16];
  return Uint8Array.of(...head, ...id, ...sizes, ...plain);
}

const SKIPPABLE = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7);

const inputs = (plain: Uint8Array, frame = compress(plain)): object => ({
  base: START,
  bytes: wrap(frame, plain.length),
});

const WRONG: Readonly<Record<string, Partial<Parts>>> = {
  "a channel twice": { channels: [rate, rate], ...withColumns({ [CHANNEL]: [0, 1] }) },
  "a channel that no row uses": { channels: [rate, pulse] },
  "channels in another order than that of their first use": {
    channels: [rate, pulse],
    ...withColumns({ [CHANNEL]: [1, 0] }),
  },
  "a row of a channel that is not listed": withColumns({ [CHANNEL]: [0, 1] }),
  "a text behind the clock of a source": { clock: [0, "x"] },
  "an unknown clock": { clock: [3, ""] },
  "a row more than there is": { rows: 3 },
  "a row less than there is": { rows: 1 },
  "more than 1,048,576 rows": { rows: (1 << 20) + 1 },
  "another base": { base: START + 1 },
  "ten digits behind the second": { forms: [[10, Z]] },
  "an offset above 14 hours": { forms: [[0, 0x4000 + 841]] },
  "an offset below -14 hours": { forms: [[0, 0x4000 - 841]] },
  "a form of time twice": {
    forms: [
      [0, Z],
      [0, Z],
    ],
    ...withColumns({ [FORM]: [0, 1], [TICK]: [0, 2] }),
  },
  "a form of time that no row uses": {
    forms: [
      [0, Z],
      [1, Z],
    ],
  },
  "forms of time in another order than that of their first use": {
    forms: [
      [0, Z],
      [1, Z],
    ],
    ...withColumns({ [FORM]: [1, 0], [TICK]: [0, 2] }),
  },
  "a row of a form of time that is not listed": withColumns({ [FORM]: [0, 1] }),
  "an unknown status": withColumns({ [SHAPE]: [1, 1 | (5 << 2)] }),
  "an unknown comparator": withColumns({ [SHAPE]: [1, 1 | (5 << 5)] }),
  "a comparator without a quantity": withColumns({
    [SHAPE]: [1, 3 | (1 << 5)],
    [SCALE]: [0],
    [MANTISSA]: [0x90, 1],
    [REST]: [1],
  }),
  "a time before its epoch": withColumns({ [TICK]: [0, 1] }),
  "a time a day after the start of its epoch": withColumns({ [TICK]: [0, 0x80, 0xc6, 0x0a] }),
  "a number longer than it must be": withColumns({ [TICK]: [0, 0x82, 0] }),
  "a number above 2^53 - 1": withColumns({ [TICK]: [0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10] }),
  "16 digits behind the point": withColumns({ [SCALE]: [0, 16] }),
  "a mantissa of 10^15": withColumns({
    [SCALE]: [0],
    [SHAPE]: [1, 3],
    [MANTISSA]: [0x80, 0x80, 0xb4, 0xcc, 0xd4, 0xdf, 0xc6, 0x03],
    [REST]: [1],
  }),
  "a text where a mantissa would have done": withColumns({
    [SCALE]: [0, 0xff],
    [MANTISSA]: [0x90, 1],
    [REST]: text("71"),
  }),
  "a text of a fraction where a mantissa would have done": withColumns({
    [SCALE]: [0, 0xff],
    [MANTISSA]: [0x90, 1],
    [REST]: text("-0.5"),
  }),
  "a byte of a column that no row takes": withColumns({ [REST]: [0] }),
  "a boolean of 2": withColumns({ [SHAPE]: [1, 3], [SCALE]: [0], [MANTISSA]: [0x90, 1], [REST]: [2] }),
  "a reason that is not UTF-8": withColumns({
    [SHAPE]: [1, 0],
    [SCALE]: [0],
    [MANTISSA]: [0x90, 1],
    [REST]: [1, 0xff, 0, 0],
  }),
  "bytes behind the last chunk": { behind: [0] },
};

const observation = (decimal: string, time: string): object => ({
  channel: rate,
  time,
  status: "final",
  value: { kind: "quantity", decimal, comparator: "" },
});

const chunk = (...observations: object[]): object => ({
  seed: draw("inner seed")(32),
  clock: { kind: "source" },
  observations,
});

/** Batches whose compression is right and whose content is not, and frames that are right and wrong. */
export function insideCases(): Case[] {
  const plain = plainOf({});
  const two = [chunk(observation("72", "2026-02-01T00:00:00Z"), observation("71", "2026-02-01T00:00:01Z"))];
  // A raw block of 256 bytes and more has its size in two bytes; the text of a clock makes it so long.
  const zone = "x".repeat(200);
  const long = plainOf({ clock: [2, zone] });
  const inZone = [{ ...two[0], clock: { kind: "zone", zone } }];
  const texts = withColumns({ [SCALE]: [0xff, 0xff], [MANTISSA]: [], [REST]: [...text("1e3"), ...text("-0")] });
  const edge = { forms: [[9, 0x7ffe]] as const, ...withColumns({ [TICK]: [0, 2], [SCALE]: [15, 15] }) };
  return [
    good("two rows", inputs(plain), two),
    good("texts that no mantissa gives back", inputs(plainOf(texts)), [
      chunk(observation("1e3", "2026-02-01T00:00:00Z"), observation("-0", "2026-02-01T00:00:01Z")),
    ]),
    good("nine digits behind the second, 15 behind the point", inputs(plainOf(edge)), [
      chunk(
        observation("0.000000000000072", "2026-02-01T00:00:00.000000000-00:00"),
        observation("0.000000000000071", "2026-02-01T00:00:00.000000001-00:00"),
      ),
    ]),
    good("a frame without compression", inputs(long, rawFrame(long)), inZone),
    ...Object.entries(WRONG).map(([name, changes]) => bad(name, inputs(plainOf(changes)), "ERR_MALFORMED")),
    bad("a frame that needs a dictionary", inputs(long, rawFrame(long, 1)), "ERR_MALFORMED"),
    bad("a skippable frame before the frame", inputs(plain, concat(SKIPPABLE, compress(plain))), "ERR_MALFORMED"),
    bad("a skippable frame behind the frame", inputs(plain, concat(compress(plain), SKIPPABLE)), "ERR_MALFORMED"),
    bad("a frame that is cut", inputs(plain, compress(plain).slice(0, -1)), "ERR_MALFORMED"),
  ];
}
