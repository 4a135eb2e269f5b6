import { getAddress, type Signer } from "ethers";
import { ruleFields, ruleFrom, ruleId, type Decoded, type RuleStruct } from "../alerts/abi.ts";
import type { Rule } from "../alerts/rule.ts";
import type { Hex } from "../consent/consent.ts";
import { alertRulesAt, alertRulesInterface } from "./contracts.ts";
import { deployedAt, type Deployment } from "./deployment.ts";
import { NodeLiesError } from "./errors.ts";
import { readLogs } from "./logs.ts";
import { checkChain, needBlock, type Rpc } from "./rpc.ts";
import { sendAndWait, type Mined } from "./transaction.ts";

/** A rule in the public library. */
export interface PublishedRule {
  readonly rule: Rule;
  readonly id: Hex;
  readonly publisher: Hex;
  readonly block: number;
  readonly retired: boolean;
}

/** Puts a rule into the public library, under the sender's address. @throws ContractRefusedError, ChainUnavailableError. */
export function publishRule(rule: Rule, publisher: Signer, deployment: Deployment): Promise<Mined> {
  const rules = alertRulesAt(deployedAt(deployment, "AlertRules").address, publisher);
  return sendAndWait("AlertRules", () => rules.publish(ruleFields(rule)));
}

/** All rules of the library, from its events: the node does not learn which of them is sought. @throws NodeLiesError. */
export async function publishedRules(rpc: Rpc, deployment: Deployment): Promise<PublishedRule[]> {
  await checkChain(rpc, deployment.chainId);
  const { address, block: first } = deployedAt(deployment, "AlertRules");
  const published = alertRulesInterface.getEvent("RulePublished");
  const retired = alertRulesInterface.getEvent("RuleRetired");
  const found = new Map<string, PublishedRule>();
  for await (const { logs } of readLogs(rpc, address, first, (await needBlock(rpc, "latest")).number)) {
    for (const { topics, data, block } of logs) {
      const [topic, by = "", id = ""] = topics;
      const key = by + id;
      if (topic === published.topicHash) {
        const rule = decoded(data, topics);
        if (ruleId(rule) !== id) throw new NodeLiesError("a rule has another id than its own");
        const publisher = getAddress(`0x${by.slice(26)}`) as Hex;
        found.set(key, { rule, id: id, publisher, block, retired: false });
      } else if (topic === retired.topicHash) {
        const rule = found.get(key);
        if (!rule) throw new NodeLiesError("a rule is retired that was not published");
        found.set(key, { ...rule, retired: true });
      }
    }
  }
  return [...found.values()];
}

function decoded(data: Hex, topics: readonly Hex[]): Rule {
  try {
    const [, , rule] = alertRulesInterface.decodeEventLog("RulePublished", data, [...topics]);
    return ruleFrom(rule as Decoded<RuleStruct>);
  } catch {
    throw new NodeLiesError("a published rule is none");
  }
}
