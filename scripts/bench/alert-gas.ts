import { Wallet, concat, keccak256, type Signer } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { ruleFields } from "../../src/alerts/abi.ts";
import type { Rule } from "../../src/alerts/rule.ts";
import { alertRulesAt } from "../../src/chain/contracts.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { CHANGED_SLOT, ECRECOVER, log, measure, word, type GasRow } from "./floor.ts";

/** On-chain escalation must stay an option that one can afford. */
const MOST_FOR_RAISE = 30_000;
const SLOT = 0x01010101;
const FIFTEEN_MINUTES = 900;

const HEART_RATE: Rule = {
  name: "heart-rate",
  version: 1,
  kind: "threshold",
  inputs: [{ system: "http://loinc.org", code: "8867-4", unit: "/min", digits: 0, maxAge: 10_000, bands: [] }],
  trigger: { comparator: "atLeast", threshold: 130n, hysteresis: 5n, raiseAfter: 10_000, clearAfter: 10_000 },
  window: 0,
  minSpan: 0,
  per: 0,
  readings: 0,
  responses: [],
};

export type AlertRows = Readonly<
  Record<"AlertRules.raise" | "AlertRules.escalate" | "AlertRules.acknowledge" | "AlertRules.retire", GasRow>
>;

/** AlertRules in steady state: in a slot that was used before, by a publisher who has retired a rule before. */
export async function alertGas(connection: NetworkConnection, gateway: Signer, relayer: Signer): Promise<AlertRows> {
  const { ethers, networkHelpers } = connection;
  const address = (await (await ethers.deployContract("AlertRules")).getAddress()) as Hex;
  const alerts = alertRulesAt(address, gateway);
  const relayed = alertRulesAt(address, relayer);
  const raiser = await gateway.getAddress();
  const { chainId } = await ethers.provider.getNetwork();
  const domain = { name: "MedSeal AlertRules", version: "1", chainId, verifyingContract: address };
  const types = {
    Acknowledge: [
      { name: "gateway", type: "address" },
      { name: "slot", type: "uint32" },
      { name: "sealedAlert", type: "bytes32" },
    ],
  };

  /** A slot, an alert in it, and its responder's signature. */
  const alert = async () => {
    const [responder, sealedAlert] = [Wallet.createRandom(), word()];
    const digest = keccak256(concat([sealedAlert, responder.address])).slice(0, 2 + 2 * 25);
    const signature = await responder.signTypedData(domain, types, { gateway: raiser, slot: SLOT, sealedAlert });
    return { sealedAlert, digest, signature };
  };
  const effects = CHANGED_SLOT + log(2, 64);
  const raise = (digest: string, limit?: number) => measure(() => alerts.raise(SLOT, digest), effects, limit);
  const afterTheDeadline = () => networkHelpers.time.increase(FIFTEEN_MINUTES + 1);

  await raise((await alert()).digest);
  await afterTheDeadline();
  const escalate = await measure(() => relayed.escalate(raiser, SLOT), effects);
  const { sealedAlert, digest, signature } = await alert();
  const raised = await raise(digest, MOST_FOR_RAISE);
  const acknowledge = await measure(
    () => relayed.acknowledge(raiser, SLOT, sealedAlert, signature),
    ECRECOVER + effects,
  );

  const id = await alerts.ruleIdOf.staticCall(ruleFields(HEART_RATE));
  await (await alerts.publish(ruleFields(HEART_RATE))).wait();
  const retire = await measure(() => alerts.retire(id), CHANGED_SLOT + log(3, 0));
  return {
    "AlertRules.raise": raised,
    "AlertRules.escalate": escalate,
    "AlertRules.acknowledge": acknowledge,
    "AlertRules.retire": retire,
  };
}
