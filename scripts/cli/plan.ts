import type { Rule } from "../../src/alerts/rule.ts";
import { MalformedError, MedSealError } from "../../src/errors.ts";
import { clock, formatPlan, parsePlan, type CarePlan, type SignedPlan } from "../../src/monitor/plan.ts";
import type { HpkeKeyPair } from "../../src/seal/hpke.ts";
import { openLetter, sealLetter } from "./letter.ts";
import { describeRule } from "./rules.ts";
import { lengthOf } from "./times.ts";
import type { Contact, KeptPlan } from "./vault.ts";

const PLAN = { name: "plan", sizes: [16_384, 65_536, 262_144, 1_048_576] };

/** A signed plan as a file for its monitor. */
export const sealPlan = ({ plan, write, signature }: SignedPlan, monitor: Contact): Promise<Uint8Array> =>
  sealLetter(PLAN, JSON.stringify({ plan: formatPlan(plan), write, signature }), monitor);

/** @throws LetterError, MalformedError, PlanInvalidError. Whose signature it is the caller checks. */
export async function openPlan(bytes: Uint8Array, keys: HpkeKeyPair): Promise<SignedPlan> {
  const text = await openLetter(PLAN, bytes, keys);
  try {
    const { plan, write, signature } = JSON.parse(text) as {
      plan: string;
      write: SignedPlan["write"];
      signature: string;
    };
    return { plan: parsePlan(plan), write, signature };
  } catch (error) {
    if (error instanceof MedSealError) throw error;
    throw new MalformedError("plan", 0, "not the JSON of a signed plan");
  }
}

export const signedOf = ({ text, write, signature }: KeptPlan): SignedPlan => ({
  plan: parsePlan(text),
  write,
  signature,
});

export function describePlan(plan: CarePlan): string[] {
  const { id, patient, watches, responders, quiet, within, period } = plan;
  const hours = quiet === undefined ? "none" : `${clock(quiet.from)} to ${clock(quiet.to)} ${quiet.zone}`;
  const critical = (rule: Rule, level: number): string => {
    if (quiet === undefined || level === 0) return "always heard";
    return rule.kind === "score" && level < 256 ? `heard in quiet hours from level ${level} on` : "not in quiet hours";
  };
  return [
    `Care plan ${id.slice(0, 8)} of ${patient}`,
    `  act within ${lengthOf(within)}; state what was evaluated every ${lengthOf(period)}; quiet hours: ${hours}`,
    ...watches.flatMap(({ rule, responders: names, answerWithin, lateness, criticalFrom = 0 }) => [
      ...describeRule(rule).map((line) => `  ${line}`),
      `    asks ${names.join(", then ")}, ${lengthOf(answerWithin)} each; ${critical(rule, criticalFrom)}; readings count up to ${lengthOf(lateness)} late`,
    ]),
    ...responders.map(({ name, address }) => `  ${name} answers as ${address}`),
  ];
}
