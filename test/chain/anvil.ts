import { JsonRpcProvider, Network } from "ethers";
import { spawnAnvil } from "../../scripts/world/anvil.ts";

const CHAIN_ID = 7331;

export interface Anvil {
  readonly provider: JsonRpcProvider;
  readonly url: string;
  stop(): Promise<void>;
}

/** A real chain client of its own: the only one here that reorganises. */
export async function startAnvil(...options: string[]): Promise<Anvil> {
  const { url, stop } = await spawnAnvil(CHAIN_ID, 0, ...options);
  const network = Network.from(CHAIN_ID);
  const provider = new JsonRpcProvider(url, network, {
    staticNetwork: network,
    cacheTimeout: -1,
    batchMaxCount: 1,
    pollingInterval: 20,
  });
  return {
    provider,
    url,
    async stop() {
      provider.destroy();
      await stop();
    },
  };
}
