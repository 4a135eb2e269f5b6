import { onChainAlerts } from "../../src/chain/escalation.ts";
import { consentId } from "../../src/consent/consent.ts";
import { UsageError } from "../../src/errors.ts";
import { NotPermittedError } from "../../src/grantee/errors.ts";
import { readStream } from "../../src/grantee/read.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import type { AlertEvidence } from "../../src/monitor/audit-finding.ts";
import { entryFromObservation } from "../../src/monitor/entry.ts";
import { PlanInvalidError } from "../../src/monitor/errors.ts";
import type { Placed } from "../../src/monitor/life.ts";
import { checkSigned, type CarePlan, type Source } from "../../src/monitor/plan.ts";
import type { Standing } from "../../src/monitor/standing.ts";
import type { Observation } from "../../src/observation/observation.ts";
import type { Anchored } from "../../src/monitor/truth.ts";
import type { Call, OptionSpec } from "./command.ts";
import { Standings } from "./standings.ts";
import type { Chain } from "./chain.ts";
import { withReader, type OpenWindow, type Reader } from "./reader.ts";

export const ALERTS: Readonly<Record<string, OptionSpec>> = {
  stream: {
    type: "string",
    value: "NAME",
    help: "the stream of the alerts, as the patient calls it; alerts without it",
  },
  patient: { type: "string", value: "NAME", help: "whose, as they name themselves; the only one without it" },
  plan: { type: "string", value: "HEX", help: "the first digits of a plan's id; the newest without it" },
  from: { type: "string", value: "TIME", help: "from when; the start of what was granted without it" },
  to: { type: "string", value: "TIME", help: "to when; the end of what was granted without it" },
};

/** What a monitor wrote of one plan, opened and checked to be the patient's. */
export interface OpenAlerts {
  readonly plan: CarePlan;
  readonly entries: readonly Placed[];
  /** Milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly chain: Chain;
  /** Reads what the plan's rules look at, as far as it was granted. */
  gather(): Promise<AlertEvidence>;
}

/**
 * @param sealed - Takes the place of `work` for who may audit the alerts, not read them.
 * @throws UsageError, NotPermittedError, PlanInvalidError and what reading throws.
 */
export const withAlerts = <T>(
  call: Call,
  work: (alerts: OpenAlerts) => Promise<T>,
  sealed: (window: OpenWindow) => Promise<T> = () => {
    throw new NotPermittedError("you may audit these alerts, not read them", {
      hint: "medseal audit alerts says what can be said without reading",
    });
  },
): Promise<T> =>
  withReader(call, async (reader) => {
    const window = await reader.open(call.text("stream") ?? "alerts", { from: call.text("from"), to: call.text("to") });
    if (!window.access.keys.some(({ stream, data }) => stream.name === window.descriptor.name && data !== undefined))
      return sealed(window);
    const all: Placed[] = [];
    for await (const { recorded, object } of observationsOf(window))
      all.push({ entry: entryFromObservation(recorded), object });
    const { plan, entries } = choosePlan(call, window, all);
    const [from, to] = [1000 * window.wish.from, 1000 * window.wish.to];
    const gather = async (): Promise<AlertEvidence> => {
      const { readings, unread } = await readingsOf(call, reader, window.patient.name, plan);
      const standings = new Standings(window.chain.rpc, window.deps.watch);
      await standings.update([plan]);
      const standingOf = (source: Source, time: number): Standing => standings.at(source, time);
      const successors = plansIn(window, all).flatMap((one) => (one.plan.replaces === plan.id ? [one.plan.id] : []));
      const onChain = plan.onChain && (await onChainOf(window, plan, entries));
      return { plan, entries, readings, unread, from, to, standingOf, successors, ...(onChain ? { onChain } : {}) };
    };
    return work({ plan, entries, from, to, chain: window.chain, gather });
  });

/** What the address that writes the plan's alerts has raised on chain. */
async function onChainOf(
  { access, chain, deps }: OpenWindow,
  { id }: CarePlan,
  entries: readonly Placed[],
): Promise<NonNullable<AlertEvidence["onChain"]>> {
  const write = entries.flatMap(({ entry }) =>
    entry.kind === "plan" && entry.plan === id ? [entry.signed.write] : [],
  );
  const gateways = access.keys
    .filter((keys) => write.includes(consentId(keys.write.consent)))
    .map((keys) => keys.write.consent.grantee);
  const all = await onChainAlerts(chain.rpc, chain.deployment);
  return { alerts: all.filter(({ gateway }) => gateways.includes(gateway)), now: deps.time };
}

async function* observationsOf({
  access,
  request,
  deps,
  wish,
}: OpenWindow): AsyncGenerator<{ recorded: Observation; object: string }> {
  for await (const batch of readStream(access, request, deps)) {
    const object = cidOf(batch.found.entry.header);
    if (batch.leave !== undefined) continue;
    for (const recorded of (batch.chunks ?? []).flatMap(({ observations }) => observations)) {
      const seconds = Date.parse(recorded.time) / 1000;
      if (seconds >= wish.from && seconds < wish.to) yield { recorded, object };
    }
  }
}

interface PlanEntries {
  readonly plan: CarePlan;
  readonly entries: readonly Placed[];
}

/** The plans of a stream, each with its entries by their numbers. @throws PlanInvalidError when one is not the patient's. */
export function plansIn({ access }: Pick<OpenWindow, "access">, all: readonly Placed[]): PlanEntries[] {
  const signed = all.flatMap(({ entry }) => (entry.kind === "plan" ? [entry.signed] : []));
  return signed.map((one): PlanEntries => {
    const leave = access.keys.find(({ write }) => consentId(write.consent) === one.write);
    if (leave === undefined)
      throw new PlanInvalidError("it names another leave than the one its alerts were written under");
    checkSigned(one, leave.write.consent.grantor);
    const { plan } = one;
    return { plan, entries: all.filter(({ entry }) => entry.plan === plan.id).sort((a, b) => a.entry.n - b.entry.n) };
  });
}

/** The plan that is asked for. @throws UsageError. */
function choosePlan(call: Call, window: OpenWindow, all: readonly Placed[]): PlanEntries {
  const wanted = call.text("plan") ?? "";
  const plans = plansIn(window, all);
  const found = plans.findLast(({ plan }) => plan.id.startsWith(wanted));
  if (found !== undefined) return found;
  const hint =
    wanted === ""
      ? "it stands where the monitor began: take an earlier --from"
      : `there are: ${plans.map(({ plan }) => plan.id.slice(0, 8)).join(", ")}`;
  throw new UsageError("the stream has no such care plan in this window", { hint });
}

async function readingsOf(
  call: Call,
  reader: Reader,
  patient: string,
  { watches }: CarePlan,
): Promise<{ readings: Anchored[]; unread: string[] }> {
  const readings: Anchored[] = [];
  const opened = new Set<string>();
  const unread: string[] = [];
  for (const { rule } of watches) {
    for (const { system, code, unit } of rule.inputs) {
      const looksAt = ({ channels }: StreamDescriptor): boolean =>
        channels.some((channel) => {
          const measured = channel.component ?? channel.code;
          return measured.system === system && measured.code === code && channel.unit === unit;
        });
      const stream = reader.streamsOf(patient).findLast(looksAt);
      const window = stream && (await reader.open(stream, { from: call.text("from"), to: call.text("to"), patient }));
      const isReadable = window?.access.keys.some(
        (keys) => keys.stream.name === stream?.name && keys.data !== undefined,
      );
      if (!stream || !window || !isReadable) unread.push(rule.name);
      else if (!opened.has(stream.name)) {
        opened.add(stream.name);
        for await (const one of observationsOf(window)) readings.push(one);
      }
    }
  }
  return { readings, unread: [...new Set(unread)] };
}
