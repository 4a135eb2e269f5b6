import { network } from "hardhat";
import Alerts from "../ignition/modules/Alerts.ts";
import MedSeal from "../ignition/modules/MedSeal.ts";
import { deploymentFile, pinDeployment, readDeployment, writeDeployment, type Of } from "../src/chain/deployment.ts";
import { DeploymentError } from "../src/chain/errors.ts";
import { ask, needBlock } from "../src/chain/rpc.ts";
import { UsageError } from "../src/errors.ts";
import { runMain } from "./main.ts";
import { readSettings } from "../src/settings.ts";

/**
 * Deploys the contracts to the chain that MEDSEAL_RPC names and records addresses and code hashes by chain id. Ignition takes up a
 * deployment that was cut off, and deploys nothing twice.
 */
async function deploy(): Promise<void> {
  const settings = readSettings();
  if (settings.rpc === undefined)
    throw new UsageError("no chain is named", { hint: "set MEDSEAL_RPC in the environment or in .env" });
  process.env["MEDSEAL_RPC"] = settings.rpc;
  process.env["HARDHAT_IGNITION_CONFIRM_DEPLOYMENT"] = "false";
  const connection = await network.create("external");
  try {
    const { provider } = connection.ethers;
    // Asked first, since what others ask does not tell an outage from a bug.
    await ask(provider, "eth_chainId", []);
    const chainId = Number((await provider.getNetwork()).chainId);
    const { number } = await needBlock(provider, "latest");
    // With the first block: a chain to try things on may begin anew under its old id.
    const { hash } = await needBlock(provider, 0);
    const deploymentId = `chain-${chainId}-${hash.slice(2, 10)}`;
    const { consentRegistry, recordAnchor } = await connection.ignition.deploy(MedSeal, { deploymentId });
    const { alertRules, ruleEvaluator } = await connection.ignition.deploy(Alerts, { deploymentId });
    const addresses = {
      ConsentRegistry: await consentRegistry.getAddress(),
      RecordAnchor: await recordAnchor.getAddress(),
      AlertRules: await alertRules.getAddress(),
      RuleEvaluator: await ruleEvaluator.getAddress(),
    };
    const deployment = await pinDeployment(
      provider,
      chainId,
      addresses,
      await firstBlock(settings.deployments, chainId, addresses, number),
    );
    await writeDeployment(settings.deployments, deployment);
    console.log(JSON.stringify({ ...deployment, record: deploymentFile(settings.deployments, chainId) }, undefined, 2));
  } finally {
    await connection.close();
  }
}

/** A deployment that stood already keeps the block it was recorded with. */
async function firstBlock(
  folder: string,
  chainId: number,
  addresses: Readonly<Of<string>>,
  latest: number,
): Promise<number> {
  try {
    const { contracts } = await readDeployment(folder, chainId);
    const recorded = Object.entries(contracts).map(([name, one]) => ({
      ...one,
      now: addresses[name as keyof typeof addresses],
    }));
    // New ones beside them are found from the old block on as well.
    return recorded.every(({ address, now }) => address === now)
      ? Math.min(...recorded.map(({ block }) => block))
      : latest;
  } catch (error) {
    if (error instanceof DeploymentError) return latest;
    throw error;
  }
}

await runMain(deploy);
