import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8 } from "../../src/bytes/bytes.ts";
import { random } from "../../src/bytes/random.ts";
import { FIRST_HEAD, headAfter } from "../../src/chain/anchor.ts";
import { anchorAt } from "../../src/chain/contracts.ts";
import { KuboStore } from "../../src/ipfs/client.ts";
import { startNode } from "../../src/ipfs/node.ts";
import { aesGcmEncrypt } from "../../src/seal/aead.ts";
import type { World } from "../demo/world.ts";

/**
 * One encrypted block and one transaction a reading, as public projects do it: through our own client and contract, and with a block mined
 * for each transaction at once. The node's RPC has `block/put` in place of `add`. @returns readings a second.
 */
export async function peerLoop({ accounts, deployment }: World, readings: readonly string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
  const node = await startNode({ folder });
  try {
    const blocks = new KuboStore(node.url);
    const contract = anchorAt(deployment.contracts.RecordAnchor.address, accounts.gateway);
    let head: Uint8Array = FIRST_HEAD;
    const start = performance.now();
    for (const reading of readings) {
      const nonce = random(12);
      const block = aesGcmEncrypt(random(32), nonce, nonce, utf8(reading));
      const digest = await blocks.put(block);
      await (await contract.anchor(digest, digest, 1, head)).wait();
      head = headAfter(head, { root: digest, digest, size: 1 });
    }
    return (readings.length / (performance.now() - start)) * 1000;
  } finally {
    await node.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
