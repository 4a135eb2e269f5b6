import { ACTIONS } from "../../src/consent/actions.ts";
import { equal } from "../../src/bytes/bytes.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import type { AsPatient } from "./patient.ts";

/** What has to follow when consents to read ended: the patient moves to the spare generations, then leases and releases are due. */
export async function afterwards(
  { patient }: AsPatient,
  ended: readonly ConsentRecord[],
): Promise<{ due: { leases: string[]; releases: string[] }; lines: string[] }> {
  const readers = ended.filter(({ consent }) => (consent.actions & (ACTIONS.READ | ACTIONS.AUDIT)) !== 0);
  const streams = patient.state.streams
    .filter(
      ({ descriptor, generations }) =>
        generations.length > 0 && readers.some((record) => record.streams.some((id) => equal(id, descriptor.id))),
    )
    .map(({ descriptor }) => descriptor.name);
  if (streams.length === 0) return { due: { leases: [], releases: [] }, lines: [] };
  const { leases, releases } = await patient.moveToSpare(streams);
  const name = (id: string): string => patient.state.consents.find((record) => record.id === id)?.name ?? id;
  const due = { leases: leases.map(name), releases: releases.map(name) };
  return {
    due,
    lines: [
      ...due.leases.map(
        (gateway) =>
          `Next: a new lease for ${gateway} (medseal gateway lease --to "${gateway}" --out FILE), and its receipt.`,
      ),
      ...due.releases.map(
        (reader) => `Then: a release to ${reader}, who reads on (medseal release --to "${reader}" --out FILE).`,
      ),
    ],
  };
}
