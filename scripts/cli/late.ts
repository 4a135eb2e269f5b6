import { hex } from "../../src/bytes/bytes.ts";
import { MedSealError } from "../../src/errors.ts";
import { readLateBox, type LateBox } from "../../src/patient/late.ts";
import type { Call } from "./command.ts";
import { archiveOf, withStore } from "./chain.ts";
import { contactNamed, type AsPatient } from "./patient.ts";
import { count, shownWindow } from "./times.ts";
import type { Vault } from "./vault.ts";

/** Gateways whose mail is looked through. */
export const LATE_OPTIONS = {
  gateway: { type: "string", value: "NAME", help: "whose checkpoints to look through; a contact", required: true },
} as const;

/** What a gateway had that came too late for it. */
export function lateBoxOf({ session: { vault }, chain }: AsPatient, call: Call): Promise<LateBox> {
  const keys = { hpke: vault.hpke, viewSecret: vault.viewSecret };
  return withStore(async (blocks) => {
    const archive = await archiveOf(chain, blocks, contactNamed(vault, call.need("gateway")).address);
    return readLateBox(vault.patient, archive.mail, keys, chain.registry, (digest) => blocks.get(digest));
  });
}

/** What letters hold, by stream; no readings. */
export interface LateSummary {
  readonly stream: string;
  readonly readings: number;
  readonly from: number;
  readonly to: number;
}

export function summaryOf({ patient }: Vault, letters: LateBox["letters"]): LateSummary[] {
  return [...Map.groupBy(letters, ({ stream }) => hex(stream))].map(([id, some]) => {
    const { name, epochLength } = patient.streams.find(({ descriptor }) => hex(descriptor.id) === id)!.descriptor;
    const chunks = some.flatMap((letter) => letter.chunks);
    const epochs = chunks.map(({ epoch }) => epoch);
    const readings = chunks.reduce((sum, { chunk }) => sum + chunk.observations.length, 0);
    const window = { from: Math.min(...epochs) * epochLength, to: (Math.max(...epochs) + 1) * epochLength };
    return { stream: name, readings, ...window };
  });
}

export const shownSummary = ({ stream, readings, ...window }: LateSummary): string =>
  `  ${stream}: ${count(readings, "reading")}, ${shownWindow(window)}`;

/** What was found amiss, in words. */
export const troubles = ({ forged, unreadable }: LateBox): string[] => [
  ...(forged > 0 ? [`${count(forged, "letter")} refused: not signed by a gateway that may write the stream`] : []),
  ...(unreadable > 0 ? [`${unreadable} that may be yours cannot be read: the store lacks or altered them`] : []),
];

/** There is nothing to file. */
export class NothingLateError extends MedSealError {
  readonly code = "ERR_NOTHING_LATE";
}
