import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Signer } from "ethers";
import { network } from "hardhat";
import MedSeal from "../../ignition/modules/MedSeal.ts";
import { fromHex } from "../../src/bytes/bytes.ts";
import { anchoredCheckpoints } from "../../src/chain/anchor.ts";
import { pinDeployment, type Deployment } from "../../src/chain/deployment.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { PermissionJudge } from "../../src/chain/permission.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import type { AnchoredCheckpoint } from "../../src/chain/anchor.ts";
import type { Hex } from "../../src/consent/consent.ts";
import type { RegistryAddress } from "../../src/consent/typed-data.ts";
import { Archive } from "../../src/archive/archive.ts";
import type { CheckpointPlace } from "../../src/log/checkpoint.ts";
import { openStore } from "../../src/ipfs/open.ts";
import type { BlockStore } from "../../src/ipfs/store.ts";

/** An in-process chain with the contracts on it, and an embedded IPFS node in a temporary folder. */
export interface World {
  readonly folder: string;
  readonly rpc: Rpc;
  readonly deployment: Deployment;
  readonly registry: RegistryAddress;
  readonly blocks: BlockStore;
  /** Accounts with ether: none of them is the patient. */
  readonly accounts: { readonly gateway: Signer; readonly relayer: Signer };
  readonly gasOfDeployment: bigint;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-demo-"));
  // Stopped half-way, nothing stays behind: the folder holds keys of the story.
  const stopped = (signal: NodeJS.Signals): void => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stopped);
  const connection = await network.create();
  const { ethers } = connection;
  // Its clock starts when Hardhat was loaded, which may be long ago.
  const behind = Math.floor(Date.now() / 1000) - ((await ethers.provider.getBlock("latest"))?.timestamp ?? 0);
  await ethers.provider.send("evm_increaseTime", [Math.max(0, behind)]);
  const [deployer, gateway, relayer] = (await ethers.getSigners()) as unknown as [Signer, Signer, Signer];
  const before = await ethers.provider.getBalance(deployer);
  const { consentRegistry, recordAnchor } = await connection.ignition.deploy(MedSeal);
  const addresses = {
    ConsentRegistry: await consentRegistry.getAddress(),
    RecordAnchor: await recordAnchor.getAddress(),
  };
  const gasOfDeployment = await gasUsedBy(ethers.provider, before - (await ethers.provider.getBalance(deployer)));
  const { chainId } = await ethers.provider.getNetwork();
  const rpc: Rpc = ethers.provider;
  const deployment = await pinDeployment(rpc, Number(chainId), addresses, 0);
  const blocks = await openStore({ folder: join(folder, "ipfs") });
  return {
    folder,
    rpc,
    deployment,
    registry: { chainId: Number(chainId), registry: deployment.contracts.ConsentRegistry.address },
    blocks,
    accounts: { gateway, relayer },
    gasOfDeployment,
    async close() {
      await blocks.close();
      await connection.close();
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stopped);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Gas of the blocks so far; the deployer is the only sender. */
async function gasUsedBy(
  provider: { getBlockNumber(): Promise<number>; getBlock(n: number): Promise<{ gasUsed: bigint } | null> },
  spent: bigint,
): Promise<bigint> {
  if (spent === 0n) return 0n;
  let gas = 0n;
  for (let n = 1; n <= (await provider.getBlockNumber()); n++) gas += (await provider.getBlock(n))?.gasUsed ?? 0n;
  return gas;
}

export const placeOf = (world: World, gateway: Hex): CheckpointPlace => ({
  chainId: BigInt(world.deployment.chainId),
  anchor: fromHex(world.deployment.contracts.RecordAnchor.address),
  gateway: fromHex(gateway),
});

export const historyOf = (world: World, gateway: Hex): Promise<AnchoredCheckpoint[]> =>
  anchoredCheckpoints(world.rpc, world.deployment, gateway);

/** What every party keeps for itself: the consents' public state, and the contract's own judgement on them. */
export interface Viewer {
  readonly ledger: ConsentLedger;
  readonly judge: PermissionJudge;
}

export async function openViewer(world: World): Promise<Viewer> {
  const ledger = new ConsentLedger(world.rpc, world.deployment);
  await ledger.sync();
  return { ledger, judge: await PermissionJudge.create(world.rpc, world.deployment, ledger) };
}

/** A gateway's whole archive up to now, read link by link. */
export async function openArchive(world: World, gateway: Hex): Promise<Archive> {
  const archive = new Archive(placeOf(world, gateway), (digest) => world.blocks.get(digest));
  await archive.update(await historyOf(world, gateway));
  return archive;
}
