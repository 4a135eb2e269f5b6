import { ACTIONS } from "../../src/consent/actions.ts";
import { equal, hex } from "../../src/bytes/bytes.ts";
import { random } from "../../src/bytes/random.ts";
import { UsageError } from "../../src/errors.ts";
import { checkPlan, formatPlan, planStatement, signPlan, type CarePlan } from "../../src/monitor/plan.ts";
import type { Source } from "../../src/monitor/plan.ts";
import { isSame, type Measured } from "../../src/alerts/told.ts";
import { measuredBy } from "../../src/alerts/reading.ts";
import { isAddress, isBytes32, type Hex } from "../../src/consent/consent.ts";
import type { OnChain } from "../../src/monitor/once.ts";
import type { QuietHours } from "../../src/monitor/quiet.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import type { Call, Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { withIdentity } from "../cli/home.ts";
import { contactNamed, walletOf } from "../cli/patient.ts";
import { describePlan, sealPlan, signedOf } from "../cli/plan.ts";
import { ruleNamed } from "../cli/rules.ts";
import { parseDuration } from "../cli/times.ts";
import type { Vault } from "../cli/vault.ts";

const PERIOD = 60_000;
/** Above every level: such an alert is never critical. */
const NEVER = 256;

export const command: Command = {
  summary:
    "Says which rules watch over you, who is asked in which order, and when only critical alerts may disturb; signs it and seals it to the monitor. The monitor needs leave to write the stream of your alerts first: stream open NAME --alerts, gateway authorize",
  options: {
    to: { type: "string", value: "NAME", help: "who watches: a contact that may write your alerts", required: true },
    stream: { type: "string", value: "NAME", help: "the stream of your alerts; alerts without it" },
    rule: { type: "string", value: "NAME|FILE", help: "a rule (medseal rules list)", multiple: true },
    responder: { type: "string", value: "NAME", help: "who is asked, in this order: contacts", multiple: true },
    "answer-within": { type: "string", value: "LENGTH", help: "after which the next one is asked; 5min without it" },
    within: { type: "string", value: "LENGTH", help: "in which the monitor must act, for the audit; 1min without it" },
    lateness: { type: "string", value: "LENGTH", help: "how late a reading may come and count; 10min without it" },
    quiet: { type: "string", value: "FROM-TO", help: "22:00-07:00: what is not critical waits until they end" },
    zone: { type: "string", value: "ZONE", help: "whose hours these are, Europe/Berlin" },
    routine: {
      type: "string",
      value: "RULE[=LEVEL]",
      help: "a rule whose alerts may wait, or may below this level; all others are critical",
      multiple: true,
    },
    replaces: {
      type: "string",
      value: "PLAN",
      help: "the plan that ends where this one begins; without --rule nobody watches any more. Open alerts stay open",
    },
    "on-chain": {
      type: "string",
      value: "NAME",
      help: "alerts stand on chain as well, where this responder answers for them and anybody may escalate",
    },
    device: {
      type: "string",
      value: "CODE=ID",
      help: "the device that measures it: once it is retired, nobody waits for its data",
      multiple: true,
    },
    "device-registry": { type: "string", value: "ADDRESS", help: "the DeviceRegistry that knows these devices" },
    out: { type: "string", value: "FILE", help: "where the sealed plan goes", required: true },
    yes: { type: "boolean", help: "signs without asking" },
  },
  examples: [
    [
      'plan --to Monitor --rule fast-heart --rule news2-scale-1 --responder "Nurse Kim" --responder "Dr Lee" --out ann.plan',
      "the nurse first, then the doctor",
    ],
    [
      'plan --to Monitor --rule news2-scale-1 --routine news2-scale-1=3 --quiet 22:00-07:00 --zone Europe/Berlin --responder "Dr Lee" --out ann.plan',
      "at night only from level 3 on",
    ],
    ["plan --to Monitor --replaces 1a2b3c4d --out end.plan", "nobody watches by that plan any more"],
  ],
  run: (call) =>
    withIdentity(call, async ({ vault, save }) => {
      const monitor = contactNamed(vault, call.need("to"));
      const record = leaveOf(vault, monitor.name, call.text("stream") ?? "alerts");
      const plan = await planOf(call, vault);
      checkPlan(plan);
      const out = call.need("out");
      await checkNew(out);
      call.io.note(...describePlan(plan), "", planStatement(plan), ...unmeasured(plan));
      await call.io.confirm("Sign this?");
      const signed = await signPlan(walletOf(vault).signer(record.relationship), plan, record.id);
      const { write, signature } = signed;
      vault.plans = [...(vault.plans ?? []), { to: monitor.name, text: formatPlan(plan), write, signature }];
      await save();
      await writeNew(out, await sealPlan(signed, monitor));
      call.io.result(
        { id: plan.id, statement: planStatement(plan), file: out },
        `Signed. The plan is in ${out}, sealed to ${monitor.name}: medseal monitor --plan ${out}`,
      );
    }),
};

async function planOf(call: Call, vault: Vault): Promise<CarePlan> {
  const [rules, names] = [call.texts("rule"), call.texts("responder")];
  const isEnd = call.text("replaces") !== undefined && rules.length === 0;
  if (rules.length === 0 && !isEnd)
    throw new UsageError("no rule is named", { hint: "add --rule NAME, once for each" });
  if (names.length === 0 && !isEnd)
    throw new UsageError("nobody is named who answers", { hint: "add --responder NAME, in order" });
  const responders = names.map((name) => ({ name, address: contactNamed(vault, name).address }));
  const length = (option: string, otherwise: string): number => 1000 * parseDuration(call.text(option) ?? otherwise);
  const routine = new Map(call.texts("routine").map(routineOf));
  const watches = [];
  for (const one of rules) {
    const rule = await ruleNamed(one);
    const criticalFrom = routine.get(rule.name) ?? 0;
    routine.delete(rule.name);
    const times = { answerWithin: length("answer-within", "5min"), lateness: length("lateness", "10min") };
    watches.push({ rule, responders: names, ...times, criticalFrom });
  }
  const [left] = routine.keys();
  if (left !== undefined) throw new UsageError(`--routine names "${left}", which is no rule of the plan`);
  const quiet = quietOf(call);
  return {
    id: hex(random(16)),
    patient: vault.name,
    ...{ watches, responders, quiet },
    onChain: onChainOf(call, vault),
    sources: sourcesOf(
      call,
      vault,
      watches.flatMap(({ rule }) => rule.inputs),
    ),
    replaces: replacedBy(call, vault),
    within: length("within", "1min"),
    period: PERIOD,
  };
}

/** A rule for what nobody records never alerts: who signs has to see that. */
function unmeasured({ watches, sources }: CarePlan): string[] {
  const isRecorded = (input: Measured): boolean =>
    sources.some(({ channels, writes }) => writes.length > 0 && channels.some((one) => isSame(one, input)));
  return watches.flatMap(({ rule: { name, inputs } }) =>
    inputs
      .filter((input) => !isRecorded(input))
      .map(
        ({ code, unit }) =>
          `WARNING: nobody has leave to record ${code} in ${unit || "no unit"}, which ${name} looks at`,
      ),
  );
}

/** For each channel that a rule looks at: the leaves to write it that the patient gave, and the device that was named. */
function sourcesOf(call: Call, { patient }: Vault, inputs: readonly Measured[]): Source[] {
  const registry = call.text("device-registry");
  const devices = new Map(call.texts("device").map(deviceOf));
  if ((registry === undefined) !== (devices.size === 0) || (registry !== undefined && !isAddress(registry)))
    throw new UsageError("--device and --device-registry ADDRESS go together");
  const sources: Source[] = [];
  for (const { system, code, unit } of inputs) {
    const channel = { system, code, unit };
    if (sources.some(({ channels: [other] }) => other !== undefined && isSame(other, channel))) continue;
    const measures = patient.streams.filter(({ descriptor }) =>
      descriptor.channels.some((one) => isSame(measuredBy(one), channel)),
    );
    const writes = patient.consents
      .filter(({ consent, revoked }) => !revoked && (consent.actions & ACTIONS.WRITE) !== 0)
      .filter(({ streams }) => streams.some((id) => measures.some(({ descriptor }) => equal(id, descriptor.id))))
      .map(({ id, consent }) => ({
        grantor: consent.grantor,
        id,
        until: Math.min(consent.periodEnd, consent.dataEnd),
      }));
    const id = devices.get(code);
    devices.delete(code);
    const device = id === undefined || registry === undefined ? undefined : { registry, id };
    if (writes.length > 0 || device) sources.push({ channels: [channel], writes, device });
  }
  const [left] = devices.keys();
  if (left !== undefined) throw new UsageError(`--device names ${left}, which no rule of the plan looks at`);
  return sources;
}

function deviceOf(text: string): [string, Hex] {
  const [code = "", id, more] = text.split("=");
  if (code === "" || more !== undefined || !isBytes32(id))
    throw new UsageError("--device is CODE=ID", { hint: "for example 8867-4=0x… with 64 digits" });
  return [code, id];
}

function onChainOf(call: Call, vault: Vault): OnChain | undefined {
  const responder = call.text("on-chain");
  if (responder === undefined) return undefined;
  const { publicKey: key } = contactNamed(vault, responder);
  if (key !== undefined) return { responder, key };
  throw new UsageError(`the key of ${responder} was not kept`, { hint: "add their card again: medseal contacts add" });
}

/** The id of the plan that this one takes the place of. */
function replacedBy(call: Call, { plans = [] }: Vault): string | undefined {
  const wanted = call.text("replaces");
  if (wanted === undefined) return undefined;
  const [found, ...more] = plans.map((one) => signedOf(one).plan.id).filter((id) => id.startsWith(wanted));
  if (found !== undefined && more.length === 0) return found;
  throw new UsageError(`${found ? "several plans" : "no plan"} of yours begin with "${wanted}"`, {
    hint: "medseal plan show lists them",
  });
}

function routineOf(text: string): [string, number] {
  const [name = "", level, more] = text.split("=");
  if (more !== undefined || (level !== undefined && !/^[1-9]\d{0,2}$/.test(level)))
    throw new UsageError("--routine is RULE or RULE=LEVEL", { hint: "for example news2-scale-1=3" });
  return [name, level === undefined ? NEVER : Number(level)];
}

function quietOf(call: Call): QuietHours | undefined {
  const text = call.text("quiet");
  if (text === undefined) {
    if (call.texts("routine").length > 0) throw new UsageError("--routine goes with --quiet");
    return undefined;
  }
  const [, ...parts] = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  const [h1, m1, h2, m2] = parts.map(Number);
  if (h1 === undefined || m1 === undefined || h2 === undefined || m2 === undefined)
    throw new UsageError(`"${text}" are no quiet hours`, { hint: "write 22:00-07:00" });
  return { from: 60 * h1 + m1, to: 60 * h2 + m2, zone: call.need("zone") };
}

/** The consent under which the monitor writes the patient's alerts. */
function leaveOf({ patient }: Vault, monitor: string, stream: string): ConsentRecord {
  const open = patient.streams.find(({ descriptor }) => descriptor.name === stream);
  if (!open)
    throw new UsageError(`no stream is called "${stream}"`, { hint: `medseal stream open ${stream} --alerts` });
  const found = patient.consents.findLast(
    ({ name, consent, streams, revoked }) =>
      name === monitor &&
      !revoked &&
      (consent.actions & ACTIONS.WRITE) !== 0 &&
      streams.some((id) => equal(id, open.descriptor.id)),
  );
  if (found) return found;
  throw new UsageError(`${monitor} may not write ${stream}`, {
    hint: `medseal gateway authorize --to ${JSON.stringify(monitor)} --stream ${stream} …`,
  });
}
