import { TypedDataEncoder } from "ethers";
import { now } from "../../src/bytes/random.ts";
import { UsageError } from "../../src/errors.ts";
import type { ConsentTerms } from "../../src/patient/terms.ts";
import { actionNames } from "../../src/consent/actions.ts";
import { GRANT_TYPES, registryDomain } from "../../src/consent/typed-data.ts";
import { isPurpose, PURPOSES } from "../../src/consent/purpose.ts";
import { MAX_WAIT, signGrant } from "../../src/consent/sign.ts";
import { formatSigned } from "../../src/consent/signed.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import type { Call, OptionSpec } from "./command.ts";
import { closest } from "./closest.ts";
import { checkNew, intoNewFile } from "./files.ts";
import { contactNamed, namesOf, type AsPatient } from "./patient.ts";
import type { ConsentRequest } from "./request.ts";
import { parseDuration, parseTime, parseWindow, roundWindow, shown, shownWindow, type Window } from "./times.ts";
import type { Contact, Vault } from "./vault.ts";

/** What drawing up any consent takes. */
export const TERMS: Readonly<Record<string, OptionSpec>> = {
  to: { type: "string", value: "NAME", help: "who gets it: a contact" },
  stream: { type: "string", value: "NAME", help: "of which data; all your streams without it", multiple: true },
  data: { type: "string", value: "WINDOW", help: "from when the data is: last-30d, or FROM..TO" },
  until: { type: "string", value: "TIME", help: "until when it may be used: 2027-03-01, or 90d from now" },
  from: { type: "string", value: "TIME", help: "from when on it may be used; now without it" },
  purpose: { type: "string", value: "CODE", help: "what for, HL7 purpose of use: TREAT, HRESCH, … (default TREAT)" },
  round: { type: "boolean", help: "rounds the window inward to whole epochs" },
  out: { type: "string", value: "FILE", help: "where the signed grant goes, for anybody to relay" },
  yes: { type: "boolean", help: "signs without asking" },
  "dry-run": { type: "boolean", help: "shows what would be signed (EIP-712), and signs nothing" },
};

/** What was asked for, by whom; options narrow it. */
export interface Asked extends Omit<ConsentRequest, "patient" | "reason"> {
  readonly to: Contact;
}

/** @throws UsageError for what is missing, not known or not understood. */
export function termsOf(call: Call, { session: { vault } }: AsPatient, asked?: Asked): Omit<ConsentTerms, "actions"> {
  const time = now();
  const to = asked?.to ?? contactNamed(vault, call.need("to"));
  const streams = streamsOf(vault, call.texts("stream").length > 0 ? call.texts("stream") : asked?.streams);
  const wish =
    asked && call.text("data") === undefined
      ? { from: asked.dataStart, to: asked.dataEnd }
      : parseWindow(call.need("data"), time);
  const epochs = vault.patient.streams
    .filter(({ descriptor }) => streams.includes(descriptor.name))
    .map(({ descriptor }) => descriptor.epochLength);
  const window = inEpochs(call, wish, epochs);
  const periodEnd = asked && call.text("until") === undefined ? asked.periodEnd : endOf(call, time);
  const periodStart = call.text("from") === undefined ? time : parseTime(call.need("from"), time);
  if (periodStart >= periodEnd) throw new UsageError("--from comes after --until");
  return {
    to,
    streams,
    purpose: purposeOf(call, asked?.purpose),
    dataStart: window.from,
    dataEnd: window.to,
    periodStart,
    periodEnd,
  };
}

/** `--purpose`. @throws UsageError. */
export function purposeOf(call: Call, otherwise = "TREAT"): string {
  const purpose = call.text("purpose") ?? otherwise;
  if (isPurpose(purpose)) return purpose;
  const near = closest(purpose.toUpperCase(), Object.keys(PURPOSES));
  throw new UsageError(`"${purpose}" is no purpose of use`, {
    hint: near === undefined ? `take one of ${Object.keys(PURPOSES).join(", ")}` : `did you mean ${near}?`,
  });
}

/** `--until`, a time or a length of time from now. @throws UsageError. */
export function endOf(call: Call, time: number): number {
  const until = call.need("until");
  const end = /^\d+[a-z]+$/.test(until) ? time + parseDuration(until) : parseTime(until, time);
  if (end <= time) throw new UsageError("--until lies in the past");
  return end;
}

function streamsOf({ patient }: Vault, wanted: readonly string[] | undefined): readonly string[] {
  const names = patient.streams.map(({ descriptor }) => descriptor.name);
  const streams = wanted ?? names;
  if (streams.length === 0) throw new UsageError("no stream is open", { hint: "medseal stream open NAME" });
  for (const name of streams) {
    if (names.includes(name)) continue;
    const near = closest(name, names);
    throw new UsageError(`no stream is called "${name}"`, {
      hint: near === undefined ? "see medseal stream list" : `did you mean "${near}"?`,
    });
  }
  return streams;
}

/** On bounds of the epochs of all streams: as it is, or rounded inward when that was asked for. @throws UsageError with the nearest windows. */
function inEpochs(call: Call, window: Window, epochs: readonly number[]): Window {
  const longest = Math.max(...epochs);
  const inward = roundWindow(window, longest, true);
  const outward = roundWindow(window, longest, false);
  if (inward.from === window.from && inward.to === window.to) return window;
  const empty = inward.from >= inward.to;
  // What counts from now never falls on a bound.
  const relative = /^last-|^now|now$|\.\.$/.test(call.text("data") ?? "");
  if ((call.flag("round") || relative) && !empty) return inward;
  throw new UsageError(`the window does not begin and end with an epoch of ${longest} s`, {
    hint: `take ${empty ? "" : `${shownWindow(inward)} (--round), or `}${shownWindow(outward)}`,
  });
}

/** Shows a consent, asks, signs and writes the grant; nothing is kept unless it was signed. */
export async function signAndKeep(call: Call, as: AsPatient, record: ConsentRecord): Promise<void> {
  const { session, chain, wallet } = as;
  const { consent } = record;
  if (call.flag("dry-run")) {
    const issuedAt = now();
    const message = { consent, issuedAt, deadline: issuedAt + MAX_WAIT };
    const typed = TypedDataEncoder.getPayload(registryDomain(chain.registry), GRANT_TYPES, message) as object;
    call.io.result(typed, ...JSON.stringify(typed, undefined, 2).split("\n"));
    return;
  }
  await checkNew(call.need("out"));
  call.io.note(consent.statement, "", ...summary(record, as));
  await call.io.confirm("Sign this?");
  await intoNewFile(call.need("out"), async (fill) => {
    const signed = await signGrant(wallet.signer(record.relationship), chain.registry, consent);
    await fill(formatSigned(signed));
    await session.save();
  });
  call.io.result(
    { id: record.id, statement: consent.statement, file: call.need("out") },
    `Signed. The grant is in ${call.need("out")}; anybody may relay it: medseal relay ${call.need("out")}`,
  );
}

const summary = (record: ConsentRecord, { session: { vault } }: AsPatient): string[] => {
  const { name, consent } = record;
  return [
    `  who     ${name}`,
    `  may     ${actionNames(consent.actions).join(", ")}`,
    `  what    ${namesOf(vault, record).join(", ")}`,
    `  data    ${shownWindow({ from: consent.dataStart, to: consent.dataEnd })}`,
    `  use     ${shown(consent.periodStart)} until ${shown(consent.periodEnd)}, for ${consent.purpose}`,
  ];
};
