import { parseEther } from "ethers";
import { UsageError } from "../../src/errors.ts";
import { openRpc } from "../../src/chain/rpc.ts";
import type { Command } from "../cli/command.ts";
import { chainId, rpcUrl } from "../cli/chain.ts";
import { withVault } from "../cli/home.ts";
import { ownAddress } from "../cli/patient.ts";

const ETHER = 100;

export const command: Command = {
  summary: "Gives your own address ether, on a chain to try things on and nowhere else",
  options: {},
  examples: [["fund --as ward-gateway", "a gateway pays for its anchors, a relayer for grants"]],
  run: (call) =>
    withVault(call, async ({ vault }) => {
      const url = rpcUrl();
      const id = await chainId(url);
      const rpc = openRpc(url, id);
      try {
        const node = String(await rpc.send("web3_clientVersion", []));
        const [rich] = (await rpc.send("eth_accounts", [])) as string[];
        if (!/^(anvil|HardhatNetwork)\//.test(node) || rich === undefined)
          throw new UsageError(`chain ${id} is not one to try things on`, {
            hint: "send ether to the address that medseal whoami prints",
          });
        const address = ownAddress(vault);
        const sent = String(
          await rpc.send("eth_sendTransaction", [
            { from: rich, to: address, value: `0x${parseEther(String(ETHER)).toString(16)}` },
          ]),
        );
        await rpc.waitForTransaction(sent);
        call.io.result({ address, ether: ETHER }, `${vault.name} has ${ETHER} ether more, at ${address}`);
      } finally {
        rpc.destroy();
      }
    }),
};
