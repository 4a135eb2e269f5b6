import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isAddress } from "ethers";
import hre, { network } from "hardhat";
import Governance from "../ignition/modules/Governance.ts";
import { GOVERNED_NAMES } from "../src/chain/governed.ts";
import { DeploymentError } from "../src/chain/errors.ts";
import { ask, needBlock } from "../src/chain/rpc.ts";
import type { Hex } from "../src/consent/consent.ts";
import { UsageError } from "../src/errors.ts";
import { readSettings } from "../src/settings.ts";
import { handOver } from "./governance/hand-over.ts";
import { governanceText, reportGovernance, type GovernedAddresses } from "./governance/report.ts";
import { runMain } from "./main.ts";

const USAGE = "governance deploy | show | hand-over ADDRESS, each with --json or not";

/**
 * Deploys the governed contracts to the chain that MEDSEAL_RPC names, shows who holds which role there, or hands every role to a
 * multisig. Each ends with the report.
 */
await runMain(async () => {
  const words = process.argv.slice(2).filter((word) => word !== "--json");
  const json = process.argv.includes("--json");
  const [verb, to] = words;
  const expected = verb === "hand-over" ? 2 : 1;
  if (!["deploy", "show", "hand-over"].includes(verb ?? "") || words.length !== expected) {
    throw new UsageError("say what to do", { hint: USAGE });
  }
  if (verb === "hand-over" && !isAddress(to)) throw new UsageError("that is no address", { hint: USAGE });

  const { rpc } = readSettings();
  if (rpc === undefined)
    throw new UsageError("no chain is named", { hint: "set MEDSEAL_RPC in the environment or in .env" });
  process.env["MEDSEAL_RPC"] = rpc;
  process.env["HARDHAT_IGNITION_CONFIRM_DEPLOYMENT"] = "false";
  const connection = await network.create("external");
  try {
    const { ethers, ignition } = connection;
    const { provider } = ethers;
    await ask(provider, "eth_chainId", []);
    const { chainId } = await provider.getNetwork();
    const { hash } = await needBlock(provider, 0);
    const deploymentId = `chain-${chainId}-${hash.slice(2, 10)}-governance`;
    if (verb === "deploy") await ignition.deploy(Governance, { deploymentId });
    const addresses = await deployedAddresses(join(hre.config.paths.ignition, "deployments", deploymentId));
    if (verb === "hand-over") {
      const [deployer] = await ethers.getSigners();
      if (deployer === undefined) throw new UsageError("the node holds no account to sign with");
      await handOver(addresses.AccessManager, deployer, to ?? "");
    }
    const report = await reportGovernance(provider, addresses);
    if (verb === "deploy") {
      console.error(
        "The deployer acts without delays until the hand-over; those of appointments count after five days.",
      );
    }
    console.log(
      json
        ? JSON.stringify(report, (_key, value: unknown) => (typeof value === "bigint" ? Number(value) : value), 2)
        : governanceText(report),
    );
  } finally {
    await connection.close();
  }
});

/** Where Ignition has put the governed contracts. */
async function deployedAddresses(folder: string): Promise<GovernedAddresses> {
  let found: Record<string, unknown>;
  try {
    found = JSON.parse(await readFile(join(folder, "deployed_addresses.json"), "utf8")) as Record<string, unknown>;
  } catch (cause) {
    throw new DeploymentError("the governed contracts are not deployed on this chain", { cause, hint: USAGE });
  }
  const entries = GOVERNED_NAMES.map((name) => {
    const address = found[`Governance#${name}`];
    if (!isAddress(address)) throw new DeploymentError(`Ignition has not deployed ${name}`, { hint: USAGE });
    return [name, address as Hex] as const;
  });
  return Object.fromEntries(entries) as GovernedAddresses;
}
