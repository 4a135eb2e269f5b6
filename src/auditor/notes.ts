import { appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CheckBatch } from "../archive/batches.ts";
import { concat, utf8 } from "../bytes/bytes.ts";
import { DigestTable } from "../bytes/digest-table.ts";
import { sha256 } from "../bytes/hash.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { BlockFiles, FileMark } from "../ipfs/block-files.ts";
import { DIGEST_SIZE } from "../ipfs/cid.ts";
import type { DamagedError, LookAtBlocks } from "./checks.ts";

const MAGIC = utf8("medseal/verified/1\n");
const HEADING = MAGIC.length + 6;
/** Seconds after which an interrupted run is no longer the same one. */
const ONE_RUN = 86_400;
/** Milliseconds. */
const LONG = 2_000;
const EVERY = 1_000;
const NOTED = 1;

export interface NotesOptions {
  /** Takes nothing over from an interrupted run. */
  readonly anew?: boolean;
  /** Milliseconds: runs that take less leave no notes, and these are written as often. */
  readonly long?: number;
  readonly every?: number;
}

/**
 * What an interrupted run has found to be right, so that it goes on where it stopped: for each block or batch one digest over what was checked
 * and over the state of its file (`FileMark`). What was found wrong is not noted; nor is anything that takes no time.
 */
export class Notes {
  readonly #file: string;
  readonly #long: number;
  readonly #every: number;
  readonly #noted = new DigestTable();
  readonly #began = performance.now();
  #fresh: Uint8Array[] = [];
  #saved = -Infinity;
  /** Of a file that is still to be made. */
  #heading: Uint8Array | undefined;
  #resumed = 0;

  /** @param time - Unix seconds now. */
  constructor(file: string, time: number, { anew = false, long = LONG, every = EVERY }: NotesOptions = {}) {
    this.#file = file;
    this.#long = long;
    this.#every = every;
    if (anew || !this.#load(time)) this.#heading = new ByteWriter().raw(MAGIC).uint(time, 6).finish();
  }

  /** Blocks and batches that an interrupted run had checked, and that were not looked at again. */
  get resumed(): number {
    return this.#resumed;
  }

  has(note: Uint8Array): boolean {
    const has = this.#noted.flagsOf(note) === NOTED;
    if (has) this.#resumed += 1;
    return has;
  }

  add(note: Uint8Array): void {
    const time = performance.now();
    if (time - this.#began < this.#long) return;
    this.#fresh.push(note);
    if (time - this.#saved >= this.#every) this.save();
  }

  /** Writes down what is still in memory only. */
  save(): void {
    if (this.#fresh.length === 0) return;
    this.#saved = performance.now();
    if (this.#heading) {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      writeFileSync(this.#file, this.#heading, { mode: 0o600 });
      this.#heading = undefined;
    }
    appendFileSync(this.#file, concat(...this.#fresh));
    this.#fresh = [];
  }

  /** The run came to its end: the next one looks at everything. */
  end(): void {
    this.#fresh = [];
    rmSync(this.#file, { force: true });
  }

  /** @returns false when there is nothing to go on from. */
  #load(time: number): boolean {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(this.#file);
      const began = new ByteReader(bytes.subarray(0, HEADING), "notes").expect(MAGIC, "name and version 1").uint(6);
      if (began > time || time - began > ONE_RUN) return false;
    } catch {
      return false;
    }
    const whole = HEADING + Math.floor((bytes.length - HEADING) / DIGEST_SIZE) * DIGEST_SIZE;
    for (let at = HEADING; at < whole; at += DIGEST_SIZE) this.#noted.mark(bytes.subarray(at, at + DIGEST_SIZE), NOTED);
    // The last note may have been cut off.
    truncateSync(this.#file, whole);
    return true;
  }
}

/** Looks only at blocks that no earlier part of this run has found right in the files that are there now. */
export function resumedLook(look: LookAtBlocks, notes: Notes, files: BlockFiles): LookAtBlocks {
  return async (digests) => {
    const outcomes: (number | DamagedError)[] = [];
    const left: { readonly i: number; readonly digest: Uint8Array; readonly note: Uint8Array | undefined }[] = [];
    for (const [i, digest] of digests.entries()) {
      // Before the file is read: should it change in between, the note fits it no more.
      const mark = files.mark(digest);
      const note = mark && noteOf(mark, digest);
      if (mark && note && notes.has(note)) outcomes[i] = mark.size;
      else left.push({ i, digest, note });
    }
    const looked = await look(left.map(({ digest }) => digest));
    for (const [k, { i, note }] of left.entries()) {
      const outcome = looked[k] as number | DamagedError;
      outcomes[i] = outcome;
      if (note && typeof outcome === "number") notes.add(note);
    }
    return outcomes;
  };
}

/** The same for batches; a note is bound to the header as well, which says what its readings must be. */
export const resumedCheck =
  (check: CheckBatch, notes: Notes, files: BlockFiles): CheckBatch =>
  async (task) => {
    const mark = files.mark(task.digest);
    const note = mark && noteOf(mark, task.digest, task.headerDigest);
    if (note && notes.has(note)) return;
    await check(task);
    if (note) notes.add(note);
  };

const noteOf = ({ text }: FileMark, ...digests: readonly Uint8Array[]): Uint8Array => sha256(...digests, utf8(text));
