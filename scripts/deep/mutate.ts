import { readFileSync } from "node:fs";
import { join } from "node:path";
import { json, type Case, type Json } from "../vectors/suite.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { compress, decompress } from "../../src/log/zstd.ts";
import { READERS, revive } from "../../test/unit/log/vector-readers.ts";
import type { Chance } from "./chance.ts";
import type { Independent } from "./independent.ts";
import { CORPUS, corpus, readsJson } from "./corpus.ts";
import { rearranged } from "./mutate-json.ts";
import { hangWatch, isTyped } from "./verifiers.ts";

const VECTORS = join(import.meta.dirname, "..", "..", "test", "vectors");

export interface Input {
  readonly format: string;
  readonly inputs: Readonly<Record<string, Json>>;
}

/** One case of every example of a format that is read from bytes or text, and the input to mutate. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  observation: ["bytes"],
  header: ["bytes"],
  batch: ["bytes"],
  checkpoint: ["block"],
  pinset: ["block"],
  cover: ["bytes"],
  seal: ["block"],
  consent: ["bytes"],
  release: ["bytes"],
  envelope: ["block"],
  recovery: ["box"],
  "signed-message": ["text"],
  card: ["text"],
  page: ["block"],
  request: ["bytes"],
  "mail-file": ["head"],
  "sealed-batch": ["header", "batch"],
  proof: ["text"],
  receipt: ["text"],
  evidence: ["manifest", "blocks"],
  "evidence-file": ["file"],
};
/** Inputs that are text; the others are bytes in hex. */
const TEXTS = new Set(["text", "manifest"]);
/** Formats that are JSON: each is given the corpus. */
const JSON_FORMATS = ["signed-message", "card", "proof", "receipt", "evidence"] as const;
/** Of so many inputs one is of the corpus, so that all of it meets each of those formats in 10,000. */
const CORPUS_EVERY = 4;

interface Vectors {
  readonly format: string;
  readonly cases: readonly Case[];
}

export function examples(): Map<string, readonly Case[]> {
  const found = new Map<string, readonly Case[]>();
  for (const format of Object.keys(FIELDS)) {
    const { cases } = JSON.parse(readFileSync(join(VECTORS, `${format}.json`), "utf8")) as Vectors;
    // A cover that stands beside its window is to be made, not read.
    const isRead = (one: Case): boolean => FIELDS[format]!.some((field) => field in one) && !("root" in one);
    found.set(format, cases.filter(isRead));
  }
  return found;
}

/** An example of a random format with a random change to what is read. */
export function mutated(from: Chance, all: ReadonlyMap<string, readonly Case[]>): Input {
  const format = from.pick([...all.keys()]);
  const {
    name: _name,
    expected: _expected,
    error: _error,
    ...inputs
  } = from.pick(all.get(format)!) as Record<string, Json>;
  const field = from.pick(FIELDS[format]!.filter((one) => one in inputs));
  if (field === "blocks") {
    const blocks = inputs[field] as Readonly<Record<string, string>>;
    const cid = from.pick(Object.keys(blocks));
    const changed = mutation(from, new Uint8Array(Buffer.from(blocks[cid]!, "hex")));
    return { format, inputs: { ...inputs, blocks: { ...blocks, [cid]: Buffer.from(changed).toString("hex") } } };
  }
  const value = inputs[field] as string;
  const isText = TEXTS.has(field);
  // What is still JSON in its form is looked at more closely.
  const way = from.int(3);
  if (isText && way > 0)
    return { format, inputs: { ...inputs, [field]: (way === 1 ? otherDigit : rearranged)(from, value) } };
  const bytes = Buffer.from(value, isText ? "utf8" : "hex");
  const isPacked = format === "batch" && from.int(2) === 0;
  const changed = Buffer.from(isPacked ? mutatedInside(from, bytes) : mutation(from, new Uint8Array(bytes)));
  return { format, inputs: { ...inputs, [field]: isText ? changed.toString("utf8") : changed.toString("hex") } };
}

function otherDigit(from: Chance, text: string): string {
  const digits = [...text.matchAll(/[0-9a-f](?=[0-9a-f])|[0-9]/g)];
  const index = digits.length > 0 ? from.pick(digits).index : 0;
  return text.slice(0, index) + from.pick([..."0123456789abcdef"]) + text.slice(index + 1);
}

/** A batch with a change behind its compression, which no change to its bytes reaches. */
function mutatedInside(from: Chance, bytes: Buffer): Uint8Array {
  const plain = unpacked(bytes);
  if (plain === undefined) return bytes;
  const changed = mutation(from, plain);
  return new ByteWriter().raw(bytes.subarray(0, 17)).uint(changed.length, 4).sized(compress(changed), 4).finish();
}

function unpacked(bytes: Buffer): Uint8Array | undefined {
  try {
    return decompress(bytes.subarray(25), bytes.readUInt32BE(17));
  } catch {
    return undefined;
  }
}

/** Values that counts and lengths go wrong with. */
const EDGES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

export function mutation(from: Chance, bytes: Uint8Array): Uint8Array {
  const at = from.int(Math.max(1, bytes.length));
  const changed = bytes.slice();
  switch (from.int(6)) {
    case 0:
      if (changed.length > 0) changed[at]! ^= 1 << from.int(8);
      return changed;
    case 1:
      if (changed.length > 0) changed[at] = from.pick(EDGES);
      return changed;
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), from.bytes(1 + from.int(8)), bytes.subarray(at)]);
    case 4:
      return changed.fill(from.pick(EDGES), at, at + 1 + from.int(8));
    default: {
      // A part of it again, somewhere else.
      const start = from.int(Math.max(1, bytes.length));
      const part = bytes.subarray(start, start + 1 + from.int(40));
      changed.set(part.subarray(0, changed.length - at), at);
      return changed;
    }
  }
}

/** What ours makes of an input: content, or code of the refusal. Anything else is a crash, and so is a hang. */
export async function answer({ format, inputs }: Input): Promise<Json> {
  const hangs = hangWatch();
  let result: Json;
  try {
    result = { expected: json(await READERS[format]!(revive("", inputs) as Record<string, unknown>)) };
  } catch (error) {
    if (!isTyped(error)) throw new Error(`a reader of ${format} crashed`, { cause: error });
    result = { error: error.code };
  }
  if (hangs()) throw new Error(`a reader of ${format} hung`);
  return result;
}

export interface MutationFigures {
  malformed: number;
  crashes: number;
  /** Inputs on which the independent verifier says something else. */
  differing: number;
}

/** Runs mutated inputs of every format, and JSON that is none, through our readers and the independent ones. */
export async function mutate(
  from: Chance,
  count: number,
  by: Independent | undefined,
  figures: MutationFigures,
  tell: (what: string) => void,
): Promise<void> {
  const all = examples();
  const texts = corpus();
  if (texts.length === 0) tell(`the corpus of JSON is left out: it is not in ${CORPUS}`);
  const start = from.int(10_000);
  for (let i = 0; i < count; i++) {
    const place = start + Math.floor(i / CORPUS_EVERY);
    const text = i % CORPUS_EVERY === 0 ? texts[place % texts.length] : undefined;
    for (const wrong of text === undefined ? [] : readsJson(text)) {
      figures.crashes += 1;
      tell(wrong);
    }
    const format = JSON_FORMATS[
      Math.floor(place / texts.length) % JSON_FORMATS.length
    ] as (typeof JSON_FORMATS)[number];
    const input = text === undefined ? mutated(from, all) : instead(format, all, text.toString("utf8"));
    figures.malformed += 1;
    try {
      const ours = JSON.stringify(sorted(await answer(input)));
      const theirs =
        by && JSON.stringify(sorted((await by.ask({ vector: { format: input.format, case: input.inputs } })) as Json));
      if (theirs === undefined || ours === theirs) continue;
      figures.differing += 1;
      tell(`${JSON.stringify(input)}: ours ${ours.slice(0, 300)}, theirs ${theirs.slice(0, 300)}`);
    } catch (error) {
      figures.crashes += 1;
      tell(`${JSON.stringify(input)}: ${String((error as Error).cause ?? error)}`);
    }
  }
}

/** The first example of a format with another text. */
function instead(format: string, all: ReadonlyMap<string, readonly Case[]>, text: string): Input {
  const { name: _name, expected: _expected, ...inputs } = all.get(format)![0] as Record<string, Json>;
  const field = FIELDS[format]!.find((one) => TEXTS.has(one))!;
  return { format, inputs: { ...inputs, [field]: text } };
}

/** With keys in one order, so that equal content is equal text. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}
