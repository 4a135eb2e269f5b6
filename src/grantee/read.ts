import { equal, hex0x } from "../bytes/bytes.ts";
import type { AskPermission } from "../chain/permission.ts";
import { ACTIONS } from "../consent/actions.ts";
import { consentId } from "../consent/consent.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import type { Archive } from "../archive/archive.ts";
import { openBatches, type OpenedBatch } from "../archive/batches.ts";
import { checkWindow, surroundingsOf, type ChainProblem } from "../archive/chain.ts";
import type { ReadBlock } from "../archive/checkpoints.ts";
import { leaveProblem, type LeaveProblem } from "../archive/leave.ts";
import { epochsOf } from "../log/stream.ts";
import type { Access } from "./access.ts";
import { NotPermittedError } from "./errors.ts";

export interface ReadRequest {
  /** 32 bytes. */
  readonly stream: Uint8Array;
  /** Unix seconds on epoch bounds, half-open. */
  readonly from: number;
  readonly to: number;
  /** Why it is read; must be the consent's purpose. */
  readonly purpose: string;
}

export interface ReaderDeps {
  /** The archive of the gateway (`0x` address) that writes a generation. */
  readonly archiveOf: (gateway: string) => Archive;
  readonly read: ReadBlock;
  readonly ask: AskPermission;
  readonly watch: ConsentWatch;
  /** Unix seconds now. */
  readonly time: number;
}

/** A batch as read, and whether its gateway had leave to write it. */
export interface ReadBatch extends OpenedBatch {
  readonly leave: LeaveProblem | undefined;
}

/**
 * Reads a window of one stream over all generations that the access holds keys of. Every reading was checked against the signed root, the
 * anchored checkpoint and the consent.
 *
 * @throws NotPermittedError when the registry does not permit it now; OutsideCoverError beyond the granted window; MismatchError and the seal's
 * errors when what is stored is not what was anchored.
 */
export async function* readStream(access: Access, request: ReadRequest, deps: ReaderDeps): AsyncGenerator<ReadBatch> {
  const generations = access.keys
    .filter(({ stream }) => equal(stream.id, request.stream))
    .sort((a, b) => a.generation - b.generation);
  if (generations.length === 0) throw new NotPermittedError("the consent gives no keys of this stream");
  await checkPermitted(access, request, deps);
  for (const keys of generations) {
    const { consent } = keys.write;
    const intervals = deps.watch.intervals({ grantor: consent.grantor, id: consentId(consent) });
    const { from, to } = epochsOf(keys.stream, request.from, request.to);
    for await (const batch of openBatches(keys, deps.archiveOf(consent.grantee), from, to, deps.read)) {
      yield { ...batch, leave: leaveProblem(batch.header, consent, intervals, batch.found.anchored.time) };
    }
  }
}

/** Where the headers of what `readStream` gave for this request do not follow one another, generation by generation. */
export function gapsIn(
  batches: readonly Pick<OpenedBatch, "header" | "found">[],
  access: Access,
  request: ReadRequest,
  { archiveOf }: Pick<ReaderDeps, "archiveOf">,
): ChainProblem[] {
  return access.keys
    .filter(({ stream }) => equal(stream.id, request.stream))
    .flatMap(({ generation, role, write: { consent } }) => {
      const own = batches.filter(({ header }) => header.generation === generation);
      return checkWindow(
        own,
        [],
        surroundingsOf((digest) => archiveOf(consent.grantee).names(digest), consent, request, role === "filed"),
      ).problems;
    });
}

/** @throws NotPermittedError when the registry does not permit reading the window now. */
export async function checkPermitted(access: Access, request: ReadRequest, { ask, time }: ReaderDeps): Promise<void> {
  for (const dataTime of [request.from, request.to - 1]) {
    const question = {
      chain: access.release.chain,
      grantee: access.link.consent.grantee,
      action: ACTIONS.READ,
      purpose: request.purpose,
      stream: hex0x(request.stream),
      dataTime,
      time,
    };
    if (!(await ask(question)))
      throw new NotPermittedError("the consent does not permit reading this window now", {
        hint: "look at its window, period, purpose and whether it was revoked",
      });
  }
}
