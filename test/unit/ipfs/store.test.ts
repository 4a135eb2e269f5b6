import { KuboStore } from "../../../src/ipfs/client.ts";
import { MemoryStore } from "../../../src/ipfs/memory.ts";
import { startNode, type RunningNode } from "../../../src/ipfs/node.ts";
import { openStore } from "../../../src/ipfs/open.ts";
import type { BlockStore } from "../../../src/ipfs/store.ts";
import { behavesAsBlockStore } from "./store-behaviour.ts";
import { folders } from "./support.ts";

describe("block store in memory", () => {
  const store = new MemoryStore();
  behavesAsBlockStore(() => store);
});

describe("block store in a folder", () => {
  const folder = folders();
  let store: BlockStore;
  before(async () => void (store = await openStore({ folder: await folder() })));
  behavesAsBlockStore(() => store);
  after(() => store.close());
});

describe("block store over the RPC of the embedded node", () => {
  const folder = folders();
  let node: RunningNode;
  let store: BlockStore;
  before(async () => {
    node = await startNode({ folder: await folder() });
    store = new KuboStore(node.url);
  });
  behavesAsBlockStore(() => store);
  after(() => node.stop());
});

describe("block store on the Kubo that MEDSEAL_IPFS names", () => {
  const url = process.env["MEDSEAL_IPFS"] ?? "";
  if (url === "") {
    it("does what the embedded node does", function () {
      console.log("      not run: MEDSEAL_IPFS names no RPC address of a Kubo");
      this.skip();
    });
    return;
  }
  const store = new KuboStore(url);
  before(() => store.check());
  behavesAsBlockStore(() => store);
});
