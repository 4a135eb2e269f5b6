import { World, type Place } from "./world.ts";

let host: Promise<World> | undefined;

/** Chain and store for worlds that neither stop them nor look into them: the same for all files of a run. */
export async function sharedChain(): Promise<Place> {
  const { MEDSEAL_RPC = "", MEDSEAL_IPFS = "", MEDSEAL_DEPLOYMENTS = "" } = (await (host ??= World.open(true))).env;
  return { MEDSEAL_RPC, MEDSEAL_IPFS, MEDSEAL_DEPLOYMENTS };
}

// Of the whole run: mocha calls it when the last file is through.
after(async () => (await host?.catch(() => undefined))?.close());
