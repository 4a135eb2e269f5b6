import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readDeployment } from "../../src/chain/deployment.ts";
import { readSettings } from "../../src/settings.ts";
import type { Command } from "../cli/command.ts";
import { chainId, rpcUrl } from "../cli/chain.ts";

export const command: Command = {
  summary:
    "Deploys the contracts to the chain that MEDSEAL_RPC names, with Ignition; taken up again after a cut, it deploys nothing twice",
  options: {},
  examples: [["deploy", "addresses and code hashes go to MEDSEAL_DEPLOYMENTS, one file a chain"]],
  async run(call) {
    const id = await chainId(rpcUrl());
    const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
    const args = [path("tools/with-build.mjs"), "scripts/deploy.ts"];
    const deployments = resolve(readSettings().deployments);
    const env = { ...process.env, MEDSEAL_RPC: rpcUrl(), MEDSEAL_DEPLOYMENTS: deployments };
    const { status } = spawnSync(process.execPath, args, {
      cwd: path(""),
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (status !== 0) {
      process.exitCode = status ?? 1;
      return;
    }
    const deployment = await readDeployment(deployments, id);
    const contracts = Object.entries(deployment.contracts).map(
      ([name, { address }]) => `  ${name.padEnd(16)} ${address}`,
    );
    call.io.result(deployment, `Deployed on chain ${id}:`, ...contracts);
  },
};
