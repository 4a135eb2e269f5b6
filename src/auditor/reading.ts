import { equal } from "../bytes/bytes.ts";
import type { OpenedHeader } from "../archive/batches.ts";
import type { Access } from "../grantee/access.ts";
import type { ReaderDeps } from "../grantee/read.ts";
import { cidOf } from "../ipfs/cid.ts";
import { isAt } from "../proof/find.ts";
import { parseInstant } from "../observation/instant.ts";
import type { Finding } from "./findings.ts";
import { verifyWindow, type WindowOptions } from "./window.ts";

/** Where a reading stands, or with keys to audit the batches that may hold it. */
export interface ReadingPlace {
  /** Of its channel; undefined with keys to audit only. */
  readonly code: string | undefined;
  /** Position among the leaves of its chunk, and how many these are; undefined with keys to audit only. */
  readonly leaf: { readonly index: number; readonly count: number } | undefined;
  readonly opened: OpenedHeader;
}

export interface ReadingReport {
  /** It is there, and nothing is wrong with what it lies in. */
  readonly ok: boolean;
  readonly places: readonly ReadingPlace[];
  /** Of the batches that hold it, and of those of its epoch that do not open: they might. */
  readonly findings: readonly Finding[];
}

/**
 * Verifies one reading: what it lies in was anchored, signed and written with leave, and with keys to read it is one of the signed leaves.
 *
 * @param at - Its instant, in whatever offset.
 * @param code - Of several of one instant only that of this code, or of a component with it.
 * @throws as `verifyWindow`.
 */
export async function verifyReading(
  access: Access,
  stream: Uint8Array,
  { at, code, purpose }: { readonly at: string; readonly code: string | undefined; readonly purpose: string },
  deps: ReaderDeps,
  options: WindowOptions = {},
): Promise<ReadingReport> {
  const seconds = parseInstant(at)?.seconds ?? NaN;
  const epochLength = access.keys.find((keys) => equal(keys.stream.id, stream))?.stream.epochLength ?? 1;
  const from = Math.floor(seconds / epochLength) * epochLength;
  const places: ReadingPlace[] = [];
  const elsewhere = new Set<string>();
  const request = { stream, from, to: from + epochLength, purpose };
  const { findings } = await verifyWindow(
    access,
    request,
    deps,
    ({ chunks, keys, ...opened }) => {
      const { header } = opened;
      const readings = (chunks ?? []).flatMap(({ observations }) =>
        observations.flatMap((one, index): ReadingPlace[] => {
          if (!isAt(one, at, code)) return [];
          return [{ code: one.channel.code.code, leaf: { index, count: observations.length }, opened }];
        }),
      );
      const covers = header.chunks.length > 0 && header.earliest <= seconds && seconds <= header.latest;
      // A batch that does not open may hold it; without keys of the data tree every batch of its time may.
      if (readings.length > 0) places.push(...readings);
      else if (covers && !chunks && !keys.data) places.push({ code: undefined, leaf: undefined, opened });
      else if (!covers || chunks) for (const of of blocksOf(opened)) elsewhere.add(of);
    },
    { ...options, isPart: true },
  );
  const own = findings.filter(({ cid }) => !elsewhere.has(cid));
  return { ok: places.length > 0 && own.length === 0, places, findings: own };
}

const blocksOf = ({ found: { entry } }: OpenedHeader): string[] => [cidOf(entry.header), cidOf(entry.batch)];
