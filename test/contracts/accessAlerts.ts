import type { NetworkConnection } from "hardhat/types/network";
import { ruleFields, ruleId } from "../../src/alerts/abi.ts";
import { ruleOf } from "../unit/alerts/samples.ts";
import type { Row } from "./access.ts";
import { alertDomain, newAlert, signAcknowledgement } from "./alerts.ts";
import type { Governed } from "./governed.ts";
import { MINUTE } from "./ground.ts";

const SLOT = 7;

/** AlertRules' functions, of a rule of the organisation's, and of an alert of the gateway's that the clinician is to answer. */
export async function alertRows({ organisation, gateway, clinician, time }: Governed, { ethers }: NetworkConnection) {
  const rules = await ethers.deployContract("AlertRules");
  const { chainId } = await ethers.provider.getNetwork();
  const domain = alertDomain({ chainId, contract: await rules.getAddress() });
  const rule = ruleOf("threshold");
  const [fields, id] = [ruleFields(rule), ruleId(rule)];
  const { sealedAlert, digest } = newAlert(clinician.address);
  const raise = () => rules.connect(gateway).raise(SLOT, digest);
  const row = (differs: Omit<Row, "contract" | "watch">): Row => ({
    contract: "AlertRules",
    watch: async () => [
      await rules.ruleOf(organisation, id),
      await rules.versionOf(organisation, rule.name),
      await rules.alertOf(gateway, SLOT),
    ],
    ...differs,
  });
  const rows = [
    row({ method: "publish", of: "a publisher", args: () => [fields] }),
    row({
      method: "retire",
      of: "a publisher",
      args: () => [id],
      before: () => rules.connect(organisation).publish(fields),
    }),
    row({ method: "raise", of: "a gateway", args: () => [SLOT, digest] }),
    row({
      method: "escalate",
      of: "a gateway",
      args: () => [gateway.address, SLOT],
      before: async () => {
        await raise();
        await time.increase(15 * MINUTE + 1);
      },
    }),
    row({
      method: "acknowledge",
      of: "a gateway",
      args: async (actor) => {
        const signature = await signAcknowledgement(actor, domain, gateway.address, SLOT, sealedAlert);
        return [gateway.address, SLOT, sealedAlert, signature];
      },
      before: raise,
    }),
  ];
  return { rules, rows };
}
