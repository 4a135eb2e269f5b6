import { iso } from "./times.ts";
import type { Observation } from "../../src/observation/observation.ts";
import { openGateway, type DemoGateway } from "../../scripts/demo/gateway.ts";
import { newIdentity, type Identity } from "../../scripts/demo/parties.ts";
import { granted, handLease, mailRelease, openPatient, relayed, type DemoPatient } from "../../scripts/demo/patient.ts";
import { openWorld, type World } from "../../scripts/demo/world.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import { DHKEM_X25519 } from "../../src/seal/hpke.ts";

export const START = Date.parse("2026-03-01T08:00:00Z") / 1000;
export const EPOCH = 10;
export const EPOCHS = 6;
export const STREAM = "heart-rate";

/** A patient with one stream and a gateway that may write it; small, for tests of what can go wrong, and with the cheaper of the two KEMs. */
export interface Ward {
  readonly world: World;
  readonly patient: DemoPatient;
  readonly gateway: DemoGateway;
  readonly identity: Identity;
  readonly write: ConsentRecord;
  /** Seals and anchors one reading a second in the epochs `from` to `to - 1`, counted from the start of the recording. */
  record(from: number, to: number): Promise<Uint8Array[]>;
  /** A grantee with a consent over the whole recording, granted on chain, not yet released. */
  admit(name: string): Promise<{ identity: Identity; consent: ConsentRecord }>;
  /** Hands the gateway a lease that knows the grantee, and releases to them by mail. @returns the envelope. */
  release(to: { consent: ConsentRecord }): Promise<Uint8Array>;
}

export async function openWard(): Promise<Ward> {
  const world = await openWorld();
  const patient = await openPatient(world);
  const channel = { code: { system: "http://loinc.org", code: "8867-4" }, unit: "/min" };
  patient.self.openStream({ name: STREAM, channels: [channel], epochLength: EPOCH, batchClass: 0 });
  const identity = await newIdentity("Gateway", world.accounts.gateway, DHKEM_X25519);
  const gateway = await openGateway(world, identity);
  const window = { dataStart: START, dataEnd: START + EPOCHS * EPOCH, ...patient.period };
  const write = await patient.self.authorizeGateway({
    to: identity.party,
    streams: [STREAM],
    purpose: "TREAT",
    ...window,
  });
  await relayed(world, await granted(patient, write));
  await handLease(patient, write.id, gateway);
  return {
    world,
    patient,
    gateway,
    identity,
    write,
    async record(from, to) {
      const [stream] = gateway.self.streams();
      if (!stream) throw new Error("no lease");
      const session = gateway.self.ingest(stream, { clock: { kind: "source" } });
      for (let second = from * EPOCH; second < to * EPOCH; second++) await session.add(reading(second));
      await session.finish();
      const anchored = await gateway.self.drain();
      return anchored.flatMap(({ own }) => own.map(({ batch }) => batch));
    },
    async admit(name) {
      const reader = await newIdentity(name, undefined, DHKEM_X25519);
      const consent = patient.self.draft({
        to: reader.party,
        streams: [STREAM],
        purpose: "TREAT",
        actions: ["READ"],
        ...window,
      });
      await relayed(world, await granted(patient, consent));
      return { identity: reader, consent };
    },
    async release({ consent }) {
      await handLease(patient, write.id, gateway);
      const [envelope] = await mailRelease(patient, consent, gateway);
      return envelope as Uint8Array;
    },
  };
}

export const reading = (second: number): Observation => ({
  channel: { code: { system: "http://loinc.org", code: "8867-4" }, unit: "/min" },
  time: iso(START + second),
  status: "final",
  value: { kind: "quantity", decimal: String(60 + (second % 30)), comparator: "" },
});
