import { getAddress, type Signer } from "ethers";
import type { Hex } from "../consent/consent.ts";
import { alertRulesAt, alertRulesInterface } from "./contracts.ts";
import { deployedAt, type Deployment } from "./deployment.ts";
import { NodeLiesError } from "./errors.ts";
import { readLogs } from "./logs.ts";
import { checkChain, needBlock, type Rpc } from "./rpc.ts";
import { sendAndWait, type Mined } from "./transaction.ts";

/** Seconds after which anybody may escalate; `DEADLINE` of the contract. */
export const DEADLINE = 900;

/** One alert as the events tell it. Times in unix seconds, of blocks. */
export interface OnChainAlert {
  readonly gateway: Hex;
  readonly slot: number;
  /** 25 bytes. */
  readonly digest: Hex;
  readonly raisedAt: number;
  readonly escalatedAt: number | undefined;
  readonly acknowledgedAt: number | undefined;
}

/** All of AlertRules' transactions of alerts, under the sender's address. @throws ContractRefusedError, ChainUnavailableError. */
export class AlertSender {
  readonly #rules: ReturnType<typeof alertRulesAt>;

  constructor(signer: Signer, deployment: Deployment) {
    this.#rules = alertRulesAt(deployedAt(deployment, "AlertRules").address, signer);
  }

  raise(slot: number, digest: Hex): Promise<Mined> {
    return sendAndWait("AlertRules", () => this.#rules.raise(slot, digest));
  }

  escalate(gateway: Hex, slot: number): Promise<Mined> {
    return sendAndWait("AlertRules", () => this.#rules.escalate(gateway, slot));
  }

  acknowledge(gateway: Hex, slot: number, sealedAlert: Hex, signature: Hex): Promise<Mined> {
    return sendAndWait("AlertRules", () => this.#rules.acknowledge(gateway, slot, sealedAlert, signature));
  }
}

/** Alerts that were raised on chain, oldest first, from all events: the node does not learn whose are sought. @throws NodeLiesError. */
export async function onChainAlerts(rpc: Rpc, deployment: Deployment): Promise<OnChainAlert[]> {
  await checkChain(rpc, deployment.chainId);
  const { address, block: first } = deployedAt(deployment, "AlertRules");
  const all: OnChainAlert[] = [];
  /** The place of the one that a slot holds now. */
  const held = new Map<string, number>();
  const times = new Map<number, number>();
  const timeOf = async (block: number): Promise<number> => {
    const known = times.get(block) ?? (await needBlock(rpc, block)).timestamp;
    times.set(block, known);
    return known;
  };
  for await (const { logs } of readLogs(rpc, address, first, (await needBlock(rpc, "latest")).number)) {
    for (const { topics, data, block } of logs) {
      const name = NAMES.get(topics[0] ?? "0x");
      if (name === undefined) continue;
      const { gateway, slot, digest } = fieldsOf(name, data, topics);
      const key = `${gateway}/${slot}`;
      const time = await timeOf(block);
      if (name === "AlertRaised") {
        held.set(key, all.length);
        all.push({ gateway, slot, digest, raisedAt: time, escalatedAt: undefined, acknowledgedAt: undefined });
        continue;
      }
      const at = held.get(key) ?? -1;
      const alert = all[at];
      if (alert?.digest !== digest) throw new NodeLiesError("an alert went on that was not raised");
      all[at] = { ...alert, [name === "AlertEscalated" ? "escalatedAt" : "acknowledgedAt"]: time };
    }
  }
  return all;
}

/** Whether nobody has acknowledged or escalated it, and anybody may. @param now - Unix seconds. */
export const isOverdue = ({ raisedAt, escalatedAt, acknowledgedAt }: OnChainAlert, now: number): boolean =>
  escalatedAt === undefined && acknowledgedAt === undefined && now > raisedAt + DEADLINE;

type Name = "AlertRaised" | "AlertEscalated" | "AlertAcknowledged";
const NAMES = new Map(
  (["AlertRaised", "AlertEscalated", "AlertAcknowledged"] as const).map((name): [Hex, Name] => [
    alertRulesInterface.getEvent(name as "AlertRaised").topicHash as Hex,
    name,
  ]),
);

function fieldsOf(name: Name, data: Hex, topics: readonly Hex[]): Pick<OnChainAlert, "gateway" | "slot" | "digest"> {
  try {
    const [gateway, slot, digest] = alertRulesInterface.decodeEventLog(name, data, [...topics]);
    return { gateway: getAddress(gateway as string) as Hex, slot: Number(slot), digest: digest as Hex };
  } catch {
    throw new NodeLiesError("an event of an alert is none");
  }
}
