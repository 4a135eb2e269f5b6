import { Wallet } from "ethers";
import { hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { utf8 } from "../../../src/bytes/bytes.ts";
import type { Watch } from "../../../src/alerts/alert.ts";
import type { CarePlan, SignedPlan } from "../../../src/monitor/plan.ts";
import { signPlan } from "../../../src/monitor/plan.ts";
import type { Rule } from "../../../src/alerts/rule.ts";
import type { Hex } from "../../../src/consent/consent.ts";
import type { Observation as Recorded } from "../../../src/observation/observation.ts";
import { BEGIN, SECOND } from "../alerts/samples.ts";

export const MINUTE = 60 * SECOND;
export const at = (seconds: number): number => BEGIN + seconds * SECOND;

const wallet = (name: string): Wallet => new Wallet(hex(sha256(utf8(name))));
export const PATIENT = wallet("a patient");
export const NURSE = wallet("a nurse");
export const DOCTOR = wallet("a doctor");
export const WRITE: Hex = `0x${"ab".repeat(32)}`;

/** A plan with these rules; what differs is named. */
export function planOf(rules: readonly Rule[], differs: Partial<CarePlan> = {}, watch: Partial<Watch> = {}): CarePlan {
  return {
    id: "0123456789abcdef0123456789abcdef",
    patient: "Ann",
    watches: rules.map((rule) => ({
      rule,
      responders: ["nurse", "doctor"],
      answerWithin: 5 * MINUTE,
      lateness: 10 * MINUTE,
      criticalFrom: 0,
      ...watch,
    })),
    responders: [
      { name: "nurse", address: NURSE.address as Hex },
      { name: "doctor", address: DOCTOR.address as Hex },
    ],
    sources: [],
    quiet: undefined,
    onChain: undefined,
    replaces: undefined,
    within: MINUTE,
    period: MINUTE,
    ...differs,
  };
}

export const signedPlan = (plan: CarePlan): Promise<SignedPlan> => signPlan(PATIENT, plan, WRITE);

/** A heart rate as it was recorded. */
export const heartBeat = (time: number, value: number): Recorded => ({
  channel: { code: { system: "http://loinc.org", code: "8867-4" }, unit: "/min" },
  time: new Date(time).toISOString(),
  status: "final",
  value: { kind: "quantity", decimal: String(value), comparator: "" },
});
