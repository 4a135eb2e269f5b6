import { formatEther } from "ethers";
import { MedSealError } from "../../src/errors.ts";
import { readSettings } from "../../src/settings.ts";
import type { Command } from "../cli/command.ts";
import { withChain, withStore } from "../cli/chain.ts";
import { withVault } from "../cli/home.ts";
import { ownAddress } from "../cli/patient.ts";

export const command: Command = {
  summary: "Tells what is reached and what you have: chain, contracts, store, ether, streams, consents, contacts",
  options: {},
  examples: [["status --as ann", "where things stand"]],
  run: (call) =>
    withVault(call, async ({ vault }) => {
      const address = ownAddress(vault);
      const chain = await tried(() =>
        withChain(async ({ rpc, deployment }) => ({
          chainId: deployment.chainId,
          block: await rpc.getBlockNumber(),
          ether: formatEther(await rpc.getBalance(address)),
        })),
      );
      const { ipfs } = readSettings();
      const store = await tried(() =>
        withStore(async (blocks) => ({ address: ipfs ?? "embedded", pins: (await blocks.pins()).length })),
      );
      const { streams, consents } = vault.patient;
      const have = {
        contacts: vault.contacts.length,
        streams: streams.length,
        consents: consents.length,
        releases: vault.releases.length,
      };
      call.io.result(
        { name: vault.name, address, chain, store, ...have },
        `${vault.name}, ${address}`,
        "error" in chain
          ? `  chain  ${chain.error}`
          : `  chain  ${chain.chainId} at block ${chain.block}; ${chain.ether} ether`,
        "error" in store ? `  store  ${store.error}` : `  store  ${store.address}, ${store.pins} checkpoints pinned`,
        `  ${have.contacts} contacts, ${have.streams} streams, ${have.consents} consents, ${have.releases} releases from others`,
      );
    }),
};

/** A part that is away does not keep the rest from being told. */
async function tried<T>(work: () => Promise<T>): Promise<T | { error: string }> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MedSealError)) throw error;
    return { error: error.hint === undefined ? error.message : `${error.message}: ${error.hint}` };
  }
}
