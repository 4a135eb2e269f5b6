import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonRpcProvider, Network, Wallet } from "ethers";
import { random } from "../../src/bytes/random.ts";
import { pinDeployment, type Deployment } from "../../src/chain/deployment.ts";
import { callNode } from "../../src/chain/rpc.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import type { GatewayKeys } from "../../src/gateway/deps.ts";
import { MemoryStore } from "../../src/ipfs/memory.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import { ConsentRegistry__factory } from "../../typechain-types/factories/ConsentRegistry__factory.ts";
import { RecordAnchor__factory } from "../../typechain-types/factories/RecordAnchor__factory.ts";
import { newIdentity } from "../demo/parties.ts";
import { granted, openPatient, relayed, type DemoPatient } from "../demo/patient.ts";
import type { World } from "../demo/world.ts";
import { spawnAnvil } from "../world/anvil.ts";

const CHAIN_ID = 7332;
/** A hundred, in wei. */
const ETHER = "0x56bc75e2d63100000";

/** What a gateway of its own needs to take in a recording: it goes to another process as it is. */
export interface Posting {
  readonly rpc: string;
  readonly deployment: Deployment;
  readonly keys: GatewayKeys;
  /** Of the address that anchors; it has ether. */
  readonly account: string;
  readonly lease: Uint8Array;
}

/** A chain in a process of its own with the contracts on it, and a patient who gives leave to write. */
export interface Ground {
  readonly world: World;
  /** Leave for a gateway that nobody knew before. @param window - Unix seconds on bounds of epochs. */
  post(stream: Omit<StreamDescriptor, "id">, window: { dataStart: number; dataEnd: number }): Promise<Posting>;
  close(): Promise<void>;
}

export async function openGround(): Promise<Ground> {
  const anvil = await spawnAnvil(CHAIN_ID, 0);
  const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
  const network = Network.from(CHAIN_ID);
  const options = { staticNetwork: network, cacheTimeout: -1, batchMaxCount: 1, pollingInterval: 10 };
  const rpc = new JsonRpcProvider(anvil.url, network, options);
  const close = async (): Promise<void> => {
    rpc.destroy();
    await anvil.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [deployer, relayer] = await Promise.all([rpc.getSigner(0), rpc.getSigner(1)]);
    const registry = await (await new ConsentRegistry__factory(deployer).deploy()).waitForDeployment();
    const anchor = await (await new RecordAnchor__factory(deployer).deploy()).waitForDeployment();
    const addresses = { ConsentRegistry: await registry.getAddress(), RecordAnchor: await anchor.getAddress() };
    const deployment = await pinDeployment(rpc, CHAIN_ID, addresses, 0);
    const world: World = {
      folder,
      rpc,
      deployment,
      registry: { chainId: CHAIN_ID, registry: deployment.contracts.ConsentRegistry.address },
      blocks: new MemoryStore(),
      accounts: { gateway: deployer, relayer },
      gasOfDeployment: 0n,
      close,
    };
    const patient = await openPatient(world);
    return { world, post: (stream, window) => post(patient, anvil.url, stream, window), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function post(
  { self, ...patient }: DemoPatient,
  url: string,
  stream: Omit<StreamDescriptor, "id">,
  window: { dataStart: number; dataEnd: number },
): Promise<Posting> {
  const { world, period } = patient;
  const account = Wallet.createRandom();
  await callNode(url, "anvil_setBalance", [account.address, ETHER]);
  const { party, hpke } = await newIdentity("Gateway", account);
  const name = `${stream.name} for ${account.address}`;
  self.openStream({ ...stream, name });
  const write = await self.authorizeGateway({
    to: party,
    streams: [name],
    purpose: "TREAT",
    ...window,
    ...period,
  });
  await relayed(world, await granted({ self, ...patient }, write));
  // A block is final when two lie on it.
  for (let i = 0; i < 2; i++) await callNode(url, "evm_mine");
  const { envelope } = await self.lease(write.id, "the patient in bed 7");
  const keys = { hpke, signing: generateSigningKey(), secret: random(32) };
  return { rpc: url, deployment: world.deployment, keys, account: account.privateKey, lease: envelope };
}
