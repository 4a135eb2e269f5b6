import { equal } from "../bytes/bytes.ts";
import { generationReader, type GenerationReader, type OpenedHeader } from "../archive/batches.ts";
import { proveChunk, type LeafProof } from "../archive/proof.ts";
import type { Access } from "../grantee/access.ts";
import type { ReaderDeps } from "../grantee/read.ts";
import { parseInstant } from "../observation/instant.ts";
import type { Observation } from "../observation/observation.ts";

/** A header that may be proven, and the key that opens it alone. */
export interface HeaderCandidate {
  readonly opened: OpenedHeader;
  readonly headerKey: Uint8Array;
}

export interface ReadingCandidate extends HeaderCandidate {
  readonly chunk: number;
  readonly leaf: LeafProof;
}

/** The headers whose times cover the instant; of all generations. @throws as `generationReader`. */
export async function headersAt(
  access: Access,
  stream: Uint8Array,
  at: string,
  deps: ReaderDeps,
): Promise<HeaderCandidate[]> {
  const found: HeaderCandidate[] = [];
  for await (const { opened, headerKey } of openedAt(access, stream, at, deps)) found.push({ opened, headerKey });
  return found;
}

/**
 * The readings of just this instant, in whatever offset it is written.
 *
 * @param code - Only those of this code, or of a component with it.
 * @throws as `generationReader`; each batch was checked against its header.
 */
export async function readingsAt(
  access: Access,
  stream: Uint8Array,
  at: string,
  code: string | undefined,
  deps: ReaderDeps,
): Promise<ReadingCandidate[]> {
  const found: ReadingCandidate[] = [];
  for await (const { opened, headerKey, reader } of openedAt(access, stream, at, deps)) {
    for (const [chunk, content] of ((await reader.chunks(opened)) ?? []).entries()) {
      if (!content.observations.some((one) => isAt(one, at, code))) continue;
      for (const leaf of proveChunk(content))
        if (isAt(leaf.observation, at, code)) found.push({ opened, headerKey, chunk, leaf });
    }
  }
  return found;
}

async function* openedAt(
  access: Access,
  stream: Uint8Array,
  at: string,
  deps: ReaderDeps,
): AsyncGenerator<HeaderCandidate & { reader: GenerationReader }> {
  const seconds = parseInstant(at)?.seconds ?? NaN;
  for (const keys of access.keys.filter((one) => equal(one.stream.id, stream))) {
    const reader = generationReader(keys, deps.archiveOf(keys.write.consent.grantee), deps.read);
    const epoch = Math.floor(seconds / keys.stream.epochLength);
    for (let n = 0; ; n++) {
      const found = reader.find(epoch, n);
      if (!found) break;
      const opened = await reader.header(epoch, n, found);
      const { earliest, latest } = opened.header;
      if (seconds >= earliest && seconds <= latest) yield { opened, headerKey: reader.keyOfHeader(opened), reader };
    }
  }
}

/** Whether a reading is of just this instant, in whatever offset, and of this code or a component with it. */
export function isAt({ time, channel }: Observation, at: string, code: string | undefined): boolean {
  const named = code === undefined || channel.code.code === code || channel.component?.code === code;
  return named && sameInstant(time, at);
}

function sameInstant(a: string, b: string): boolean {
  const [one, other] = [parseInstant(a), parseInstant(b)];
  const fraction = (digits: string): string => digits.replace(/0+$/, "");
  return one?.seconds === other?.seconds && fraction(one?.fraction ?? "") === fraction(other?.fraction ?? "");
}
