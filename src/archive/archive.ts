import { hex } from "../bytes/bytes.ts";
import { DigestTable } from "../bytes/digest-table.ts";
import type { Checkpoint, CheckpointPlace, Entry, MailRow } from "../log/checkpoint.ts";
import type { AnchoredCheckpoint } from "../chain/anchor.ts";
import { FIRST, linkAfter, readCheckpoint, type ReadBlock } from "./checkpoints.ts";

/** Where an entry stands: enough to prove it against the chain. */
export interface Found {
  readonly entry: Entry;
  /** Position in the checkpoint's tree. */
  readonly index: number;
  readonly checkpoint: Checkpoint;
  readonly anchored: AnchoredCheckpoint;
}

/** What is known of a digest. */
const [NAMED, ERASED] = [1, 2] as const;

/**
 * All checkpoints of one gateway, fetched as a whole and checked link by link: nobody learns from the questions who looks for what.
 * Grows with `update`; already read checkpoints stay.
 */
export class Archive {
  readonly place: CheckpointPlace;
  readonly #read: ReadBlock;
  readonly #found = new Map<string, Found>();
  readonly #mail: MailRow[] = [];
  readonly #digests = new DigestTable();
  #link = FIRST;

  constructor(place: CheckpointPlace, read: ReadBlock) {
    this.place = place;
    this.#read = read;
  }

  /** Number of checkpoints read. */
  get size(): number {
    return this.#link.index;
  }

  get mail(): readonly MailRow[] {
    return this.#mail;
  }

  /** @param anchored - The gateway's anchors from the first on. @throws MismatchError and the store's errors; what was read before stays. */
  async update(anchored: readonly AnchoredCheckpoint[]): Promise<void> {
    for (const next of anchored.slice(this.#link.index)) {
      const checkpoint = await readCheckpoint(next, this.#link, this.place, this.#read);
      checkpoint.entries.forEach((entry, index) => {
        const key = hex(entry.tag);
        // The first one counts: a later equal tag would be a replacement.
        if (this.#found.has(key)) return;
        this.#found.set(key, { entry, index, checkpoint, anchored: next });
        for (const digest of [entry.header, entry.batch]) this.#digests.mark(digest, NAMED);
      });
      for (const { envelope } of checkpoint.mail) this.#digests.mark(envelope, NAMED);
      for (const digest of checkpoint.erased) this.#digests.mark(digest, ERASED);
      this.#digests.mark(next.digest, NAMED);
      this.#mail.push(...checkpoint.mail);
      this.#link = linkAfter(this.#link, next);
    }
  }

  /** Every entry under the first tag that named it, padding among them. */
  entries(): Entry[] {
    return [...this.#found.values()].map(({ entry }) => entry);
  }

  /** Whether a block with this digest is one that a checkpoint names, or a checkpoint. */
  names(digest: Uint8Array): boolean {
    return (this.#digests.flagsOf(digest) & NAMED) !== 0;
  }

  /** Whether a checkpoint declares the block with this digest erased. */
  isErased(digest: Uint8Array): boolean {
    return (this.#digests.flagsOf(digest) & ERASED) !== 0;
  }

  find(tag: Uint8Array): Found | undefined {
    return this.#found.get(hex(tag));
  }
}
