import { simulate, WARD_BED_7 } from "../../examples/simulate.ts";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ingest, openGateway } from "../demo/gateway.ts";
import { newIdentity } from "../demo/parties.ts";
import { granted, handLease, openPatient, relayed } from "../demo/patient.ts";
import { lookThrough } from "../demo/recording.ts";
import { openWorld } from "../demo/world.ts";

export interface GasAfter {
  readonly readings: number;
  readonly anchor: number;
  readonly grantBySig: number;
  readonly revokeBySig: number;
}

/** Gas of the same three transactions after few and after many readings were sealed, stored and anchored for real. */
export interface Flatness {
  readonly rows: readonly GasAfter[];
  /** Largest difference allowed, as a share. Signatures and digests have zero bytes by chance, 12 gas each. */
  readonly within: number;
  readonly pass: boolean;
}

const WITHIN = 0.02;
const CHANNELS = 6;

/** @param sizes - Readings of the recordings, about. */
export async function flatness(sizes: readonly number[]): Promise<Flatness> {
  const rows: GasAfter[] = [];
  for (const size of sizes) rows.push(await gasAfter(Math.max(1, Math.round(size / CHANNELS))));
  const steady = (["anchor", "grantBySig", "revokeBySig"] as const).every((name) => {
    const gas = rows.map((row) => row[name]);
    return Math.max(...gas) <= Math.min(...gas) * (1 + WITHIN);
  });
  return { rows, within: WITHIN, pass: steady };
}

async function gasAfter(seconds: number): Promise<GasAfter> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
  const world = await openWorld();
  try {
    const file = join(folder, "recording.csv");
    await writeFile(file, simulate({ ...WARD_BED_7, seconds }));
    const recording = await lookThrough(file, {}, { fewestEpochs: 1, epochLength: 3600 });
    const patient = await openPatient(world);
    for (const stream of recording.streams) patient.self.openStream(stream);
    const streams = recording.streams.map(({ name }) => name);
    const identity = await newIdentity("Gateway", world.accounts.gateway);
    const gateway = await openGateway(world, identity);
    const window = { dataStart: recording.firstEpoch * 3600, dataEnd: recording.endEpoch * 3600, ...patient.period };
    const write = await patient.self.authorizeGateway({ to: identity.party, streams, purpose: "TREAT", ...window });
    await relayed(world, await granted(patient, write));
    await handLease(patient, write.id, gateway);
    // The first checkpoint opens the gateway's slot; the next ones are steady state.
    await gateway.self.checkpoint();
    const {
      readings,
      missing,
      gas: anchor,
    } = await ingest(gateway, recording, recording.firstEpoch, recording.endEpoch);
    const reader = await newIdentity("Reader");
    const consent = patient.self.draft({ to: reader.party, streams, purpose: "TREAT", actions: ["READ"], ...window });
    const grantBySig = await relayed(world, await granted(patient, consent));
    const revokeBySig = await relayed(world, await patient.revoke(consent));
    return { readings: readings + missing, anchor, grantBySig, revokeBySig };
  } finally {
    await world.close();
    await rm(folder, { recursive: true, force: true });
  }
}
