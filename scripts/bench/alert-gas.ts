import { Wallet, type Signer } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { alertDomain, newAlert, signAcknowledgement } from "../../test/contracts/alerts.ts";
import { BEGIN, ruleOf, value } from "../../test/unit/alerts/samples.ts";
import { ruleFields, ruleId } from "../../src/alerts/abi.ts";
import type { Rule } from "../../src/alerts/rule.ts";
import { evaluate } from "../../src/alerts/evaluate.ts";
import { START } from "../../src/alerts/state.ts";
import { alertRulesAt, alertRulesInterface } from "../../src/chain/contracts.ts";
import { encodeQuestion } from "../../src/chain/rules.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { CHANGED_SLOT, ECRECOVER, log, measure, NEW_SLOT, type GasRow } from "./floor.ts";

/** On-chain escalation must stay an option that one can afford. */
const MOST_FOR_RAISE = 30_000;
const SLOT = 0x01010101;
const FIFTEEN_MINUTES = 900;

type Measured = `AlertRules.${"raise" | "escalate" | "acknowledge" | "publish" | "retire"}` | "RuleEvaluator.evaluate";

export type AlertRows = Readonly<Record<Measured, GasRow>>;

/**
 * AlertRules in steady state: in a slot that was used before, by a publisher whose rule gets its next version; and RuleEvaluator, as a
 * transaction, on one value after another.
 */
export async function alertGas(connection: NetworkConnection, gateway: Signer, relayer: Signer): Promise<AlertRows> {
  return { ...(await escalation(connection, gateway, relayer)), ...(await library(connection, gateway)) };
}

async function escalation({ ethers, networkHelpers }: NetworkConnection, gateway: Signer, relayer: Signer) {
  const address = (await (await ethers.deployContract("AlertRules")).getAddress()) as Hex;
  const alerts = alertRulesAt(address, gateway);
  const relayed = alertRulesAt(address, relayer);
  const raiser = await gateway.getAddress();
  const { chainId } = await ethers.provider.getNetwork();
  const domain = alertDomain({ chainId, contract: address });
  const effects = CHANGED_SLOT + log(2, 64);
  const raise = (digest: string, limit?: number) => measure(() => alerts.raise(SLOT, digest), effects, limit);

  await raise(newAlert(Wallet.createRandom().address).digest);
  await networkHelpers.time.increase(FIFTEEN_MINUTES + 1);
  const escalate = await measure(() => relayed.escalate(raiser, SLOT), effects);
  const responder = Wallet.createRandom();
  const { sealedAlert, digest } = newAlert(responder.address);
  const signature = await signAcknowledgement(responder, domain, raiser, SLOT, sealedAlert);
  const raised = await raise(digest, MOST_FOR_RAISE);
  const acknowledge = await measure(
    () => relayed.acknowledge(raiser, SLOT, sealedAlert, signature),
    ECRECOVER + effects,
  );
  return { "AlertRules.raise": raised, "AlertRules.escalate": escalate, "AlertRules.acknowledge": acknowledge };
}

async function library({ ethers }: NetworkConnection, publisher: Signer) {
  const alerts = alertRulesAt((await (await ethers.deployContract("AlertRules")).getAddress()) as Hex, publisher);
  const evaluator = await (await ethers.deployContract("RuleEvaluator")).getAddress();
  const [first, second] = [1, 2].map((version) => ruleOf("threshold", { version })) as [Rule, Rule];
  await (await alerts.publish(ruleFields(first))).wait();
  const fields = ruleFields(second);
  const { data } = alertRulesInterface.encodeEventLog("RulePublished", [
    await publisher.getAddress(),
    ruleId(second),
    fields,
  ]);
  const publish = await measure(() => alerts.publish(fields), NEW_SLOT + CHANGED_SLOT + log(3, (data.length - 2) / 2));
  const retire = await measure(() => alerts.retire(ruleId(first)), CHANGED_SLOT + log(3, 0));
  const { state } = evaluate(first, START, [value(BEGIN, 80)]);
  const question = encodeQuestion(first, state, [value(BEGIN + 1000, 81)]);
  const judged = await measure(() => publisher.sendTransaction({ to: evaluator, data: question }), 0);
  return { "AlertRules.publish": publish, "AlertRules.retire": retire, "RuleEvaluator.evaluate": judged };
}
