import { computeAddress, verifyTypedData, type TypedDataField } from "ethers";
import { fromHex, hex, hex0x, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { isAddress, isBytes32, type Hex } from "../consent/consent.ts";
import type { ConsentRef } from "../consent/watch.ts";
import type { Measured } from "../alerts/told.ts";
import type { TypedSigner } from "../consent/sign.ts";
import { MalformedError, MedSealError } from "../errors.ts";
import { decodeRule, encodeRule } from "../alerts/abi.ts";
import type { Watch } from "../alerts/alert.ts";
import { PlanInvalidError } from "./errors.ts";
import type { OnChain } from "./once.ts";
import { isZone, type QuietHours } from "./quiet.ts";

/** Somebody who answers for alerts. */
export interface Responder {
  readonly name: string;
  /** Signs what they answer. */
  readonly address: Hex;
}

/** Where readings come from, and what must hold for any to come: a leave to write that is in force, a device in service. */
export interface Source {
  /** What it measures. */
  readonly channels: readonly Measured[];
  /** Consents under which it is written; one of them is enough. None is not looked at. */
  readonly writes: readonly Leave[];
  readonly device: { readonly registry: Hex; readonly id: Hex } | undefined;
}

export interface Leave extends ConsentRef {
  /** End of its period, unix seconds: the chain does not know it. */
  readonly until: number;
}

/** Which rules watch over a patient, and who is asked when. Sealed wherever it lies; docs/formats.md, section 28. */
export interface CarePlan {
  /** 16 random bytes in hex, so that two plans with the same content are two plans. */
  readonly id: string;
  /** How the patient is called by those who respond. */
  readonly patient: string;
  /** Rules of different names; each names its responders in the order in which they are asked. */
  readonly watches: readonly Watch[];
  readonly responders: readonly Responder[];
  /** Of what the rules look at, as far as the monitor is to ask the chain about it. */
  readonly sources: readonly Source[];
  readonly quiet: QuietHours | undefined;
  /** Who answers on chain, where alerts are to stand there as well. */
  readonly onChain: OnChain | undefined;
  /** Milliseconds within which an alert is to be opened, somebody asked, and the next one asked. */
  readonly within: number;
  /** Milliseconds that one statement of an evaluation covers. */
  readonly period: number;
  /** Id of the plan that ends where this one begins; one that does so without rules is the end of watching. */
  readonly replaces: string | undefined;
  /** Of version 1: whoever signed it was not told that responders are asked anew, and nobody is blamed where they were not. */
  readonly asksOnce?: true;
}

/** A plan as the patient signed it, for whoever has this leave to write its alerts. */
export interface SignedPlan {
  readonly plan: CarePlan;
  /** Id of the consent under which its alerts are written; its grantor is the signer. */
  readonly write: Hex;
  readonly signature: string;
}

const FORMAT = "medseal-plan";
const DAY = 86_400_000;
const DOMAIN = { name: "MedSeal plan", version: "1" };
const TYPES: Record<string, TypedDataField[]> = {
  Plan: [
    { name: "statement", type: "string" },
    { name: "digest", type: "bytes32" },
    { name: "write", type: "bytes32" },
  ],
};

/** The one text of a plan. @throws PlanInvalidError, RuleInvalidError. */
export function formatPlan(plan: CarePlan): string {
  checkPlan(plan);
  const watches = plan.watches.map(({ rule, responders, answerWithin, lateness, criticalFrom = 0 }) => ({
    rule: hex(encodeRule(rule)),
    responders,
    answerWithin,
    lateness,
    criticalFrom,
  }));
  const { id, patient, quiet, onChain, within, period, replaces = null } = plan;
  const responders = plan.responders.map(({ name, address }) => ({ name, address }));
  const sources = plan.sources.map(({ channels, writes, device }) => ({
    channels: channels.map(({ system, code, unit }) => ({ system, code, unit })),
    writes: writes.map(({ grantor, id: write, until }) => ({ grantor, id: write, until })),
    device: device === undefined ? null : { registry: device.registry, id: device.id },
  }));
  const hours = quiet === undefined ? null : { from: quiet.from, to: quiet.to, zone: quiet.zone };
  return JSON.stringify({
    format: FORMAT,
    version: plan.asksOnce ? 1 : 2,
    id,
    patient,
    watches,
    responders,
    sources,
    quiet: hours,
    onChain: onChain === undefined ? null : { responder: onChain.responder, key: onChain.key },
    within,
    period,
    replaces,
  });
}

/** @throws MalformedError unless it is exactly what `formatPlan` gives, PlanInvalidError. */
export function parsePlan(text: string): CarePlan {
  let plan: CarePlan;
  try {
    const { version, quiet, watches, sources, onChain, replaces, ...fields } = JSON.parse(text) as Omit<
      CarePlan,
      "watches" | "quiet" | "sources" | "onChain" | "replaces" | "asksOnce"
    > & {
      version: number;
      onChain: OnChain | null;
      replaces: string | null;
      quiet: QuietHours | null;
      sources: readonly (Omit<Source, "device"> & { device: Source["device"] | null })[];
      watches: readonly (Omit<Watch, "rule"> & { rule: string })[];
    };
    const { id, patient, responders, within, period } = fields;
    plan = {
      ...{ id, patient, responders, within, period },
      ...(version === 1 ? { asksOnce: true } : {}),
      quiet: quiet ?? undefined,
      onChain: onChain ?? undefined,
      replaces: replaces ?? undefined,
      sources: sources.map(({ device, ...source }) => ({ ...source, device: device ?? undefined })),
      watches: watches.map(({ rule, ...watch }) => ({ ...watch, rule: decodeRule(fromHex(rule)) })),
    };
    if (formatPlan(plan) === text) return plan;
  } catch (error) {
    if (error instanceof MedSealError) throw error;
    throw new MalformedError(FORMAT, 0, "not the JSON of a care plan");
  }
  throw new MalformedError(FORMAT, 0, "not in its one form");
}

/** @throws PlanInvalidError for what would leave an alert without anybody, or its statements without readings. */
export function checkPlan(plan: CarePlan): void {
  const { id, patient, watches, responders, sources, quiet, onChain, within, period, replaces } = plan;
  need(isId(id), "its id is not 32 hexadecimal digits");
  need(utf8(patient).length >= 1 && utf8(patient).length <= 255, "the patient's name has 1 to 255 bytes");
  need(replaces === undefined || (isId(replaces) && replaces !== id), "what it replaces is no other plan");
  const least = replaces === undefined || watches.length > 0 ? 1 : 0;
  need(watches.length >= least && watches.length <= 64, "it has 1 to 64 rules");
  need(new Set(watches.map(({ rule }) => rule.name)).size === watches.length, "two of its rules have one name");
  need(responders.length >= least && responders.length <= 32, "it has 1 to 32 responders");
  need(new Set(responders.map(({ name }) => name)).size === responders.length, "two responders have one name");
  for (const { name, address } of responders) need(name.length > 0 && isAddress(address), "a responder is nobody");
  need(isTime(period) && period % 1000 === 0 && DAY % period === 0, "its period does not divide a day");
  need(isTime(within), "the time within which to act is no length of time");
  for (const watch of watches) {
    const { lateness, answerWithin, criticalFrom = 0 } = watch;
    need(watch.responders.length >= 1, "a rule has nobody who responds");
    for (const name of watch.responders)
      need(
        responders.some((one) => one.name === name),
        "a rule names somebody who is no responder",
      );
    need(isTime(answerWithin), "the time to answer is no length of time");
    // A period is stated one period after its end, and may have to be stated again.
    need(isTime(lateness) && lateness >= 3 * period, "readings may be late by less than three periods");
    need(Number.isInteger(criticalFrom) && criticalFrom >= 0 && criticalFrom <= 256, "a level is 0 to 256");
  }
  need(sources.length <= 64, "it has more than 64 sources");
  for (const { channels, writes, device } of sources) {
    need(channels.length >= 1, "a source measures nothing");
    need(writes.length + (device ? 1 : 0) >= 1, "a source has neither leave nor device");
    for (const { grantor, id: write, until } of writes)
      need(isAddress(grantor) && isBytes32(write) && Number.isSafeInteger(until), "a source's leave is no consent");
    need(!device || (isAddress(device.registry) && isBytes32(device.id)), "a source's device is none");
  }
  if (onChain !== undefined)
    need(
      responders.some(({ name, address }) => name === onChain.responder && address === addressOf(onChain.key)),
      "who answers on chain is not a responder with their own key",
    );
  if (quiet === undefined) return;
  const isMinute = (minute: number): boolean => Number.isInteger(minute) && minute >= 0 && minute < 24 * 60;
  need(isMinute(quiet.from) && isMinute(quiet.to) && quiet.from !== quiet.to, "its quiet hours are no hours");
  need(isZone(quiet.zone), "the time zone of its quiet hours is not known");
}

/** What its alerts are named by, short: plan, rule, and when it began. */
export const alertName = ({ id }: CarePlan, alert: string): string => `${id.slice(0, 8)}/${alert}`;

export const planDigest = (plan: CarePlan): Hex => hex0x(sha256(utf8(`medseal/v1/plan\n${formatPlan(plan)}`)));

/** One sentence that says what is signed. */
export function planStatement({ patient, watches, quiet, onChain, within, replaces, asksOnce }: CarePlan): string {
  const rules = watches.map(({ rule, responders, answerWithin, criticalFrom = 0 }) => {
    const critical =
      quiet === undefined || criticalFrom === 0 ? "" : `, critical from level ${criticalFrom}, else not in quiet hours`;
    return `${rule.name} version ${rule.version}: ask ${responders.join(", then ")}, each for ${answerWithin / 1000} s${critical}`;
  });
  const hours = quiet === undefined ? "" : `; quiet hours ${clock(quiet.from)} to ${clock(quiet.to)} ${quiet.zone}`;
  const escalated =
    onChain === undefined ? "" : `; alerts stand on chain as well, where ${onChain.responder} answers for them`;
  if (replaces !== undefined && watches.length === 0)
    return `Watch over ${patient} no more by plan ${replaces}; its open alerts are still to be answered.`;
  const instead =
    replaces === undefined ? "" : `; instead of by plan ${replaces}, whose open alerts are still to be answered`;
  const anew = asksOnce ? "" : "; ask anew when an alert gets worse, and when it comes back unanswered";
  return `Watch over ${patient} by ${rules.join("; ")}; act within ${within / 1000} s${anew}${hours}${escalated}${instead}.`;
}

export const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

/** @param signer - Of the address that granted the leave to write the plan's alerts. */
export async function signPlan(signer: TypedSigner, plan: CarePlan, write: Hex): Promise<SignedPlan> {
  return { plan, write, signature: await signer.signTypedData(DOMAIN, TYPES, messageOf(plan, write)) };
}

/** @throws PlanInvalidError unless `grantor` signed it. */
export function checkSigned({ plan, write, signature }: SignedPlan, grantor: Hex): void {
  let signer: string | undefined;
  try {
    if (isBytes32(write)) signer = verifyTypedData(DOMAIN, TYPES, messageOf(plan, write), signature);
  } catch (error) {
    if (error instanceof MedSealError) throw error;
  }
  need(signer === grantor, "it is not signed by who lets its alerts be written");
}

const messageOf = (plan: CarePlan, write: Hex): Record<string, string> => ({
  statement: planStatement(plan),
  digest: planDigest(plan),
  write,
});

const isId = (id: string): boolean => /^[0-9a-f]{32}$/.test(id);

function addressOf(key: string): string | undefined {
  try {
    return /^0x0[23]/.test(key) ? computeAddress(key) : undefined;
  } catch {
    return undefined;
  }
}

const isTime = (milliseconds: number): boolean =>
  Number.isSafeInteger(milliseconds) && milliseconds >= 1000 && milliseconds <= 365 * DAY;

function need(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new PlanInvalidError(problem);
}
