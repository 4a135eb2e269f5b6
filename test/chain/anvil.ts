import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { JsonRpcProvider, Network } from "ethers";

const require = createRequire(import.meta.url);
const CHAIN_ID = 7331;

export interface Anvil {
  readonly provider: JsonRpcProvider;
  readonly url: string;
  stop(): Promise<void>;
}

/** A real chain client of its own, on 127.0.0.1: the only one here that reorganises. A block is final when two lie on it. */
export async function startAnvil(...options: string[]): Promise<Anvil> {
  const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  const binary = require.resolve(
    `@foundry-rs/anvil-${platform}/bin/anvil${process.platform === "win32" ? ".exe" : ""}`,
  );
  const port = await freePort();
  const words = [
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--chain-id",
    String(CHAIN_ID),
    "--slots-in-an-epoch",
    "1",
    "--silent",
  ];
  const child = spawn(binary, [...words, ...options], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const network = Network.from(CHAIN_ID);
  const provider = new JsonRpcProvider(url, network, {
    staticNetwork: network,
    cacheTimeout: -1,
    batchMaxCount: 1,
    pollingInterval: 20,
  });
  for (let tries = 0; ; tries++) {
    try {
      await provider.send("eth_chainId", []);
      break;
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  return {
    provider,
    url,
    async stop() {
      provider.destroy();
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
