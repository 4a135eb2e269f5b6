import { verifyTypedData, type TypedDataField } from "ethers";
import type { TypedSigner } from "../consent/sign.ts";
import { AnswerRefusedError } from "./errors.ts";
import { alertName, type CarePlan, type Responder } from "./plan.ts";

export const ACTS = ["acknowledge", "resolve", "snooze"] as const;
export type Act = (typeof ACTS)[number];

/** What a responder says to one alert. */
export interface Answer {
  /** As `alertName` has it. */
  readonly alert: string;
  readonly act: Act;
  /** For a snooze: until when nobody is asked, in milliseconds; 0 otherwise. */
  readonly until: number;
  /** The level that the responder saw: a snooze does not hold above it. */
  readonly level: number;
  /** Milliseconds. */
  readonly at: number;
}

export interface SignedAnswer {
  readonly answer: Answer;
  readonly signature: string;
  /** Their acknowledgement on chain, under the one-time address: not part of the stream. */
  readonly onChain?: string;
}

const DOMAIN = { name: "MedSeal answer", version: "1" };
const TYPES: Record<string, TypedDataField[]> = {
  Answer: [
    { name: "alert", type: "string" },
    { name: "act", type: "string" },
    { name: "until", type: "uint48" },
    { name: "level", type: "uint8" },
    { name: "at", type: "uint48" },
  ],
};

export async function signAnswer(signer: TypedSigner, answer: Answer): Promise<SignedAnswer> {
  return { answer, signature: await signer.signTypedData(DOMAIN, TYPES, { ...answer }) };
}

/** Who of a plan's responders signed it. @throws AnswerRefusedError when nobody did. */
export function responderOf(plan: CarePlan, { answer, signature }: SignedAnswer): Responder {
  let signer: string;
  try {
    signer = verifyTypedData(DOMAIN, TYPES, { ...answer }, signature);
  } catch (cause) {
    throw new AnswerRefusedError("the answer is not signed", { cause });
  }
  const found = plan.responders.find(({ address }) => address === signer);
  if (found) return found;
  throw new AnswerRefusedError("the answer is not signed by a responder of the plan", {
    hint: "the plan names who may answer; see medseal plan show",
  });
}

/** The alert's own id, when the name is of this plan. */
export function alertOf(plan: CarePlan, name: string): string | undefined {
  const id = name.slice(name.indexOf("/") + 1);
  return alertName(plan, id) === name ? id : undefined;
}
