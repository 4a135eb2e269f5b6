/**
 * A WebAssembly module that computes four SHA-256 at a time (FIPS 180-4, section 6.2), one in each 32-bit lane of a vector. It is put
 * together here, opcode by opcode: https://webassembly.github.io/spec/core/binary, "Instructions".
 *
 * Memory: constants, then vectors W (16 words of a block) and S (the state), then room for the caller from `FREE` on.
 *
 * - `hash(input, stride, blocks, output, groups)`: 4 × groups padded messages of `blocks` × 64 bytes, `stride` bytes apart.
 * - `pairs(input, output, groups)`: SHA-256(0x01 ‖ 64 bytes) of 4 × groups inputs one behind the other; the byte before `input` is read,
 *   too, and of no account. `output` may be `input`.
 *
 * Digests come out one behind the other.
 */
const [K, W, S] = [0, 256, 512] as const;
/** Where the caller's memory begins. */
export const FREE = 1024;

const [I32, VECTOR, VOID] = [0x7f, 0x7b, 0x40] as const;
const [LOOP, END, BR_IF, CALL] = [0x03, 0x0b, 0x0d, 0x10] as const;
const [GET, SET, TEE, CONST, ADD, SUB, LOAD8] = [0x20, 0x21, 0x22, 0x41, 0x6a, 0x6b, 0x2d] as const;
const [LOAD, LOAD_SPLAT, STORE, LITERAL, SHUFFLE, SWIZZLE, REPLACE] = [
  0x00, 0x09, 0x0b, 0x0c, 0x0d, 0x0e, 0x1c,
] as const;
const [AND, OR, XOR, SELECT, SHL, SHR, VADD] = [0x4e, 0x50, 0x51, 0x52, 0xab, 0xad, 0xae] as const;

/** Bytes, nested as they come. */
type Code = readonly (number | Code)[];

function flat(code: Code, bytes: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === "number") bytes.push(part);
    else flat(part, bytes);
  }
  return bytes;
}

function leb(value: number): Code {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [bytes, value];
}
/** Signed, for constants of 0 and more. */
const int = (value: number): Code => {
  const bytes: number[] = [];
  for (; value >= 0x40; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [CONST, bytes, value];
};
const v = (opcode: number): Code => [0xfd, leb(opcode)];
const get = (local: number): Code => [GET, leb(local)];
const set = (local: number): Code => [SET, leb(local)];
const load = (offset: number): Code => [v(LOAD), 0, leb(offset)];
const store = (offset: number): Code => [v(STORE), 0, leb(offset)];
const splat = (word: number): Code => {
  const bytes = [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24];
  return [v(LITERAL), bytes, bytes, bytes, bytes];
};
/** Adds to the pointer in a local. */
const move = (local: number, by: Code): Code => [get(local), by, ADD, set(local)];
/** Runs `body` as often as the local says, at least once. */
const times = (local: number, body: Code): Code => [
  [LOOP, VOID],
  body,
  [get(local), int(1), SUB, TEE, local, BR_IF, 0, END],
];

const shifted = (local: number, opcode: number, by: number): Code => [get(local), int(by), v(opcode)];
const xorOf = (...terms: readonly Code[]): Code => terms.map((term, i) => (i === 0 ? term : [term, v(XOR)]));
const rotated = (local: number, by: number): Code => xorOf(shifted(local, SHR, by), shifted(local, SHL, 32 - by));
const sigma = (local: number, one: number, two: number, shift: number): Code =>
  xorOf(rotated(local, one), rotated(local, two), shifted(local, SHR, shift));
const sum = (local: number, one: number, two: number, three: number): Code =>
  xorOf(rotated(local, one), rotated(local, two), rotated(local, three));

/** Takes the block in W into the state in S. Locals: words 0 to 15, a to h 16 to 23, T1 24, pointer into K 25, rounds left 26. */
function compression(): Code {
  const [T1, POINTER, LEFT] = [24, 25, 26] as const;
  const variable = (name: number, round: number): number => 16 + ((name - round + 64) % 8);
  const round = (i: number): Code => {
    const [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map((name) => variable(name, i)) as [
      ...[number, number, number, number],
      ...[number, number, number, number],
    ];
    return [
      [get(h), sum(e, 6, 11, 25), v(VADD)],
      [get(f), get(g), get(e), v(SELECT), v(VADD)],
      [get(POINTER), v(LOAD_SPLAT), 0, leb(4 * i), get(i), v(VADD), v(VADD)],
      set(T1),
      [get(d), get(T1), v(VADD), set(d)],
      [get(T1), sum(a, 2, 13, 22), v(VADD)],
      // The majority of a, b and c: c where a and b differ, otherwise b.
      [get(c), get(b), get(a), get(b), v(XOR), v(SELECT), v(VADD), set(h)],
    ];
  };
  const word = (i: number): Code => [
    [get(i), sigma((i + 1) % 16, 7, 18, 3), v(VADD)],
    [get((i + 9) % 16), sigma((i + 14) % 16, 17, 19, 10), v(VADD), v(VADD), set(i)],
  ];
  const all = Array.from({ length: 16 }, (_, i) => i);
  const state = all.slice(0, 8);
  return [
    all.map((i) => [int(0), load(W + 16 * i), set(i)]),
    state.map((i) => [int(0), load(S + 16 * i), set(16 + i)]),
    [int(K), set(POINTER)],
    all.map(round),
    [int(3), set(LEFT)],
    times(LEFT, [move(POINTER, int(64)), all.map((i) => [word(i), round(i)])]),
    state.map((i) => [int(0), int(0), load(S + 16 * i), get(16 + i), v(VADD), store(S + 16 * i)]),
    END,
  ];
}

/** Bytes of the words of a vector turned around. */
const SWAPPED: Code = [v(LITERAL), 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, v(SWIZZLE)];
const lanes = (...words: readonly number[]): Code => [
  v(SHUFFLE),
  words.map((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]),
];
/** Rows in locals become columns: of four vectors the one that holds word `i` of each. */
const column = (rows: readonly [number, number, number, number], i: number): Code => {
  const [r0, r1, r2, r3] = rows;
  const low = [get(r0), get(r1), lanes(i, 4 + i, i, 4 + i)];
  const high = [get(r2), get(r3), lanes(i, 4 + i, i, 4 + i)];
  return [low, high, lanes(0, 1, 4, 5)];
};
const QUARTERS = [0, 1, 2, 3] as const;

/** Brings one block of four messages into W. Parameters: address 0, stride 1. Rows 2 to 5, pointer 6. */
function gathering(): Code {
  const quarter = (q: number): Code => [
    [get(0), set(6)],
    QUARTERS.map((lane) => [get(6), load(16 * q), SWAPPED, set(2 + lane), move(6, get(1))]),
    QUARTERS.map((i) => [int(0), column([2, 3, 4, 5], i), store(W + 64 * q + 16 * i)]),
  ];
  return [QUARTERS.map(quarter), END];
}

/** Writes the four digests in S. Parameter: address 0. Rows 1 to 4. */
function scattering(): Code {
  const half = (h: number): Code => [
    QUARTERS.map((i) => [int(0), load(S + 64 * h + 16 * i), set(1 + i)]),
    QUARTERS.map((lane) => [get(0), column([1, 2, 3, 4], lane), SWAPPED, store(32 * lane + 16 * h)]),
  ];
  return [half(0), half(1), END];
}

const [COMPRESS, GATHER, SCATTER] = [0, 1, 2] as const;
const INITIAL = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
] as const;
const start: Code = INITIAL.map((word, i) => [int(0), splat(word), store(S + 16 * i)]);

/** Parameters: input 0, stride 1, blocks 2, output 3, groups 4. Block 5, blocks left 6. */
const hashing = (): Code => [
  times(4, [
    start,
    [get(0), set(5), get(2), set(6)],
    times(6, [get(5), get(1), CALL, GATHER, CALL, COMPRESS, move(5, int(64))]),
    [get(3), CALL, SCATTER, move(3, int(128))],
    QUARTERS.map(() => move(0, get(1))),
  ]),
  END,
];

/** Parameters: input 0, output 1, groups 2. */
const pairing = (): Code => [
  times(2, [
    start,
    [get(0), int(1), SUB, int(64), CALL, GATHER],
    [int(0), int(0), load(W), splat(0x00ff_ffff), v(AND), splat(0x0100_0000), v(OR)],
    [store(W), CALL, COMPRESS],
    // The second block: the last byte, the bit behind the message, zeros, and 520 bits.
    [int(0), splat(0)],
    QUARTERS.map((lane) => [get(0), LOAD8, 0, leb(64 * lane + 63), v(REPLACE), lane]),
    [int(24), v(SHL), splat(0x0080_0000), v(OR), store(W)],
    Array.from({ length: 14 }, (_, i) => [int(0), splat(0), store(W + 16 * (i + 1))]),
    [int(0), splat(520), store(W + 240), CALL, COMPRESS],
    [get(1), CALL, SCATTER, move(1, int(128)), move(0, int(256))],
  ]),
  END,
];

/** FIPS 180-4, section 4.2.2: the first 32 bits of the fractions of the cube roots of the first 64 primes. */
function constants(): Code {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const words = primes.map((prime) => Math.floor((Math.cbrt(prime) % 1) * 2 ** 32));
  return words.flatMap((word) => [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24]);
}

const counted = (items: readonly Code[]): Code => [leb(items.length), items];
const sized = (code: Code): Code => {
  const bytes = flat(code);
  return [leb(bytes.length), bytes];
};
const section = (id: number, content: Code): Code => [id, sized(content)];
const signature = (parameters: number): Code => [0x60, counted(new Array<Code>(parameters).fill([I32])), 0];
const body = (locals: readonly (readonly [number, number])[], code: Code): Code =>
  sized([counted(locals.map(([count, type]) => [leb(count), type])), code]);
const exported = (name: string, kind: number, index: number): Code => [sized([...Buffer.from(name)]), [kind, index]];

/** @param pages - Of its memory, 64 KiB each. */
export function sha256Module(pages: number): Uint8Array<ArrayBuffer> {
  const functions: readonly (readonly [parameters: number, code: Code])[] = [
    [
      0,
      body(
        [
          [25, VECTOR],
          [2, I32],
        ],
        compression(),
      ),
    ],
    [
      2,
      body(
        [
          [4, VECTOR],
          [1, I32],
        ],
        gathering(),
      ),
    ],
    [1, body([[4, VECTOR]], scattering())],
    [5, body([[2, I32]], hashing())],
    [3, body([], pairing())],
  ];
  return Uint8Array.from(
    flat([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, counted(functions.map(([parameters]) => signature(parameters)))),
      section(3, counted(functions.map((_, i) => [i]))),
      section(5, [1, 0, leb(pages)]),
      section(7, counted([exported("memory", 2, 0), exported("hash", 0, 3), exported("pairs", 0, 4)])),
      section(10, counted(functions.map(([, code]) => code))),
      section(11, [1, 0, int(K), END, sized(constants())]),
    ]),
  );
}
