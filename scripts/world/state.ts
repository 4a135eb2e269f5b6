import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { DurableFiles, isAbsent } from "../../src/files/durable.ts";
import { homeFolder } from "../cli/home.ts";

/** Chain id of the first world in a home; each reset takes the next, so that nothing signed for one counts in another. */
export const FIRST_CHAIN = 7331;

/** What a running world is, or a stopped one was. */
export interface World {
  readonly chainId: number;
  /** Ports on 127.0.0.1. */
  readonly rpcPort: number;
  readonly ipfsPort: number;
  /** Of the process that keeps it running, and of its chain client; 0 when it was stopped. */
  readonly pid: number;
  readonly anvil: number;
}

export const worldFolder = (): string => join(homeFolder(), ".world");
export const chainFile = (): string => join(worldFolder(), "chain.json");
export const blocksFolder = (): string => join(worldFolder(), "ipfs");
export const deploymentsFolder = (): string => join(worldFolder(), "deployments");
const worldFile = (): string => join(worldFolder(), "world.json");

export async function readWorld(): Promise<World | undefined> {
  try {
    return JSON.parse(await readFile(worldFile(), "utf8")) as World;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

export const writeWorld = (world: World): Promise<void> =>
  writeWhole(worldFile(), new TextEncoder().encode(`${JSON.stringify(world)}\n`));

/** Writes a file of the world so that after a crash it is the old one or the new one. */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const files = new DurableFiles(join(worldFolder(), "tmp"));
  await files.open();
  await files.write(file, bytes);
}

/** Forgets chain, blocks and deployments; identities stay. */
export async function clearWorld(): Promise<void> {
  for (const path of [chainFile(), blocksFolder(), deploymentsFolder()])
    await rm(path, { recursive: true, force: true });
}
