import type { NetworkConnection } from "hardhat/types/network";
import { fromHex } from "../../src/bytes/bytes.ts";
import { evaluatorInterface } from "../../src/chain/contracts.ts";
import { ContractRefusedError } from "../../src/chain/errors.ts";
import { decodeEvaluation, encodeQuestion } from "../../src/chain/rules.ts";
import type { Hex } from "../../src/consent/consent.ts";
import type { Judge } from "./rules-campaign.ts";

/** The evaluator as it stands on the chain of a test: much faster than in this process, and nobody else sees it. */
export function chainJudge({ ethers }: Pick<NetworkConnection, "ethers">, to: Hex): Judge {
  return {
    async evaluate(...question) {
      const call = { to, data: encodeQuestion(...question) };
      const answer: unknown = await ethers.provider.send("eth_call", [call, "latest"]).catch((error: unknown) => {
        throw new ContractRefusedError("RuleEvaluator", reasonOf(error));
      });
      return decodeEvaluation(fromHex(answer as string));
    },
  };
}

/** The name of the custom error that a call reverted with, wherever the provider keeps its data. */
function reasonOf(error: unknown): string {
  for (let at = error; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) {
    const { data } = at as { data?: unknown };
    if (typeof data === "string" && data.length >= 10) return evaluatorInterface.parseError(data)?.name ?? data;
  }
  return String(error);
}
