import { rmSync } from "node:fs";
import { equal, hex } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { EXIT, MedSealError } from "../errors.ts";
import {
  JournalBusyError,
  JournalFailedError,
  openRowFile,
  readThrough,
  type RowChange,
  type RowFile,
  type Rows,
} from "./rows.ts";

/** Neither file of a journal is as it was written, or what is whole lacks what was acknowledged. */
export class JournalDamagedError extends MedSealError {
  readonly code = "ERR_JOURNAL_DAMAGED";
  override readonly exit = EXIT.unrecoverable;

  constructor() {
    super("the journal and its twin are both damaged", {
      hint: "keep both files as they are and look at the disk; nothing is written until this is resolved",
    });
  }
}

/** Rows in two files. */
export interface TwinRows extends Rows {
  /** Which file was damaged, or lacked more than the last commit, when they were opened; it was made like the other. */
  readonly mended: "journal" | "twin" | undefined;
  /** Commits since they were opened, and the seconds that they took. */
  readonly spent: { readonly commits: number; readonly seconds: number };
}

/** How many commits a file has seen, and the sum of the digests of all its rows. */
interface Mark {
  readonly sequence: number;
  readonly sum: bigint;
}

/** A file as it was found. */
interface Found {
  readonly mark: Mark | undefined;
  /** Undefined when it is damaged. */
  readonly rows: RowFile | undefined;
}

const MODULUS = 1n << 256n;
const MARK = "twin";
const NAME = new Uint8Array(0);
/** Rows copied in one commit. */
const AT_ONCE = 1000;
const EMPTY: Mark = { sequence: 0, sum: 0n };

/**
 * Rows in two SQLite files, each of which tells whether it is whole: where a bit of a write-ahead log flips, SQLite leaves out all that
 * was committed later, and says nothing. A file that is not whole is made anew from the other. What was applied lies in both.
 *
 * @throws JournalBusyError, JournalFailedError, also when the disk does not give one of them; JournalDamagedError when neither is whole.
 */
export function twinRows(file: string): TwinRows {
  const paths = [file, `${file}.twin`] as const;
  const first = find(paths[0]);
  let second: Found;
  try {
    second = find(paths[1]);
  } catch (error) {
    first.rows?.close();
    throw error;
  }
  const better = betterOf(first, second);
  if (!better) {
    for (const { rows } of [first, second]) rows?.close();
    throw new JournalDamagedError();
  }
  const worse = better === first ? second : first;
  let mark = better.mark ?? EMPTY;
  // The journal is written first, so that it may be one ahead.
  const apart = mark.sequence - (worse.mark?.sequence ?? 0);
  const usual = worse.rows !== undefined && (apart === 0 || (apart === 1 && better === first));
  const whole = better.rows as RowFile;
  let copied: RowFile;
  try {
    copied = worse.rows ?? copyOf(whole, better === first ? paths[1] : paths[0]);
    if (worse.rows && apart !== 0) level(whole, copied);
  } catch (error) {
    for (const { rows } of [first, second]) rows?.close();
    throw error;
  }
  const [main, twin] = (better === first ? [first.rows, copied] : [copied, second.rows]) as [RowFile, RowFile];
  let broken: JournalFailedError | undefined;
  const spent = { commits: 0, seconds: 0 };

  /** The changes with the mark that they lead to; a row counts as it is after all of them. */
  const marked = (changes: readonly RowChange[]): { next: Mark; all: RowChange[] } => {
    const last = [...new Map(changes.map((change) => [`${change.table}/${hex(change.name)}`, change])).values()];
    let { sum } = mark;
    for (const { table, name, value } of last) {
      const before = main.get(table, name);
      if (before) sum -= digestOf(table, name, before);
      if (value) sum += digestOf(table, name, value);
    }
    const next = { sequence: mark.sequence + 1, sum: ((sum % MODULUS) + MODULUS) % MODULUS };
    return { next, all: [...last, { table: MARK, name: NAME, value: encodeMark(next) }] };
  };

  function commit(changes: readonly RowChange[]): void {
    if (broken) throw broken;
    const began = performance.now();
    const { next, all } = marked(changes);
    main.commit(all);
    mark = next;
    try {
      twin.commit(all);
    } catch (error) {
      // The journal has it and the twin has not: only opening them anew makes them one.
      broken = new JournalFailedError(error, false);
      throw broken;
    }
    spent.commits += 1;
    spent.seconds += (performance.now() - began) / 1000;
  }
  return {
    spent,
    mended: usual ? undefined : better === first ? "twin" : "journal",
    load: (table) => main.load(table),
    get: (table, name) => main.get(table, name),
    apply: (changes) => new Promise((resolve) => resolve(commit(changes))),
    settle() {
      main.settle();
      twin.settle();
    },
    close() {
      main.close();
      twin.close();
    },
  };
}

/** The file to go by: a whole one that has all that the other is known to have had. */
function betterOf(first: Found, second: Found): Found | undefined {
  const [a, b] = [first.mark?.sequence ?? 0, second.mark?.sequence ?? 0];
  if (first.rows && second.rows) {
    if (a === b && first.mark?.sum !== second.mark?.sum) return undefined;
    return b > a ? second : first;
  }
  const [whole, damaged] = first.rows ? [a, b] : [b, a];
  // The commit that one is ahead by was cut off before anybody was told of it.
  const enough = whole > 0 && whole >= damaged - 1;
  return enough ? (first.rows ? first : second.rows ? second : undefined) : undefined;
}

/** Reads a whole file through. @throws JournalBusyError; JournalFailedError when the disk does not give it. */
function find(path: string, again = true): Found {
  let rows: RowFile | undefined;
  let mark: Mark | undefined;
  let failed: JournalFailedError;
  try {
    rows = openRowFile(path);
    const stored = rows.get(MARK, NAME);
    mark = stored ? decodeMark(stored) : EMPTY;
    let sum = 0n;
    for (const { table, name, value } of rows.all()) if (table !== MARK) sum += digestOf(table, name, value);
    if (sum % MODULUS === mark.sum) return { mark, rows };
    rows.close();
    return { mark, rows: undefined };
  } catch (error) {
    rows?.close();
    if (error instanceof JournalBusyError) throw error;
    failed = error instanceof JournalFailedError ? error : new JournalFailedError(error);
  }
  // It may be the one that has all, and the other is then no copy of it.
  if (failed.disk) throw failed;
  // Whatever SQLite or the mark's format says to it, the file is damaged, unless the disk failed only now.
  readThrough(path);
  return again ? find(path, false) : { mark, rows: undefined };
}

/** Makes a file anew that is not whole. */
function copyOf(from: RowFile, path: string): RowFile {
  for (const end of ["", "-wal", "-shm"]) rmSync(`${path}${end}`, { force: true });
  const fresh = openRowFile(path);
  let some: RowChange[] = [];
  for (const row of from.all()) {
    if (row.table === MARK) continue;
    some.push(row);
    if (some.length < AT_ONCE) continue;
    fresh.commit(some);
    some = [];
  }
  // The mark comes last: a copy that is cut off is not whole.
  const mark = from.get(MARK, NAME);
  fresh.commit(mark ? [...some, { table: MARK, name: NAME, value: mark }] : some);
  return fresh;
}

/** Gives a whole file what it lacks, in one commit: at no moment is it less than it was. */
function level(from: RowFile, to: RowFile): void {
  const other = new Map<string, Pick<RowChange, "table" | "name">>();
  const differs = (a: RowFile, b: RowFile): void => {
    for (const { table, name, value } of a.all()) {
      const there = b.get(table, name);
      if (!there || !equal(there, value)) other.set(`${table}/${hex(name)}`, { table, name });
    }
  };
  differs(from, to);
  differs(to, from);
  // Values are fetched one by one: how much one file lacks is not bounded.
  function* changes(): Generator<RowChange> {
    for (const { table, name } of other.values()) yield { table, name, value: from.get(table, name) };
  }
  to.commit(changes());
}

const digestOf = (table: string, name: Uint8Array, value: Uint8Array): bigint =>
  BigInt(`0x${hex(sha256(new ByteWriter().text(table).uint(name.length, 1).raw(name).finish(), value))}`);

function encodeMark({ sequence, sum }: Mark): Uint8Array {
  const bytes = new ByteWriter()
    .uint(sequence, 6)
    .raw(Buffer.from(sum.toString(16).padStart(64, "0"), "hex"))
    .finish();
  return new ByteWriter().raw(bytes).raw(sha256(bytes).subarray(0, 8)).finish();
}

/** @throws JournalDamagedError. */
function decodeMark(bytes: Uint8Array): Mark {
  const reader = new ByteReader(bytes, "journal mark");
  const mark = { sequence: reader.uint(6), sum: BigInt(`0x${hex(reader.fixed(32))}`) };
  if (hex(encodeMark(mark)) !== hex(bytes)) throw new JournalDamagedError();
  return mark;
}
