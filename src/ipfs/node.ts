import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { openParts } from "./parts.ts";
import { rpcServer } from "./rpc/server.ts";

export interface NodeOptions {
  /** Where blocks and pins are kept; made when absent. */
  readonly folder: string;
  /** Port on 127.0.0.1; by default the system picks a free one. */
  readonly port?: number;
}

export interface RunningNode {
  /** Address of the RPC, for `KuboStore`. */
  readonly url: string;
  /** Lets requests under way finish, then ends the node. */
  stop(): Promise<void>;
}

/** How long requests under way may take when the node stops, in milliseconds. */
const GRACE = 5_000;

/**
 * Starts an IPFS node inside this process: Helia without network over files, with the Kubo RPC on 127.0.0.1.
 *
 * The RPC is the only socket it opens. Whoever may open connections on this machine may use it.
 */
export async function startNode({ folder, port = 0 }: NodeOptions): Promise<RunningNode> {
  const parts = await openParts(folder);
  const server = rpcServer(parts);
  await listen(server, port);
  const { port: bound } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${bound}`,
    stop: () => (stopped ??= close(server).then(async () => void (await parts.helia.stop()))),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", failed);
      done();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    const cut = setTimeout(() => server.closeAllConnections(), GRACE);
    server.close(() => {
      clearTimeout(cut);
      done();
    });
    server.closeIdleConnections();
  });
}
