import { expect } from "chai";
import { sha256 } from "../../../src/bytes/hash.ts";
import { UsageError } from "../../../src/errors.ts";
import { KuboStore } from "../../../src/ipfs/client.ts";
import { cidOf } from "../../../src/ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError, StoreUnavailableError } from "../../../src/ipfs/errors.ts";
import { startNode } from "../../../src/ipfs/node.ts";
import { openStore } from "../../../src/ipfs/open.ts";
import type { BlockStore } from "../../../src/ipfs/store.ts";
import { bytesOf, failure, folders, listening } from "./support.ts";

const digest = sha256(bytesOf(10, "some block"));
const cid = cidOf(digest);
const pinset = "bafyreibqhrnvtq6sw2vjtqbc4fy4yh7njf6ffdfue6xvdopyzzb4t7wqna";

/** Every method, as none may take an outage for an answer. */
const calls: Record<string, (store: BlockStore) => Promise<unknown>> = {
  put: (store) => store.put(bytesOf(10, "some block")),
  putMany: (store) => store.putMany([bytesOf(10, "some block"), bytesOf(10, "another")]),
  get: (store) => store.get(digest),
  has: (store) => store.has(digest),
  remove: (store) => store.remove([digest]),
  putPinset: (store) => store.putPinset({ checkpoint: digest, blocks: [] }),
  getPinset: (store) => store.getPinset(pinset),
  unpin: (store) => store.unpin(pinset),
  pins: (store) => store.pins(),
};

/** Answers that say nothing about a block. */
const answers: Record<string, { status: number; type?: string; body: string }> = {
  "500 without words": { status: 500, body: "Internal Server Error" },
  "500 in Kubo's form for another failure": {
    status: 500,
    type: "application/json",
    body: JSON.stringify({ Message: "context deadline exceeded", Code: 0, Type: "error" }),
  },
  "502 with words about a missing block": { status: 502, body: `ipld: could not find ${cid}` },
  "503": { status: 503, body: "try later" },
  "404 with words about a missing block": { status: 404, body: `ipld: could not find ${cid}` },
  "403": { status: 403, body: "403 - Forbidden" },
  "200 with a web page": { status: 200, type: "text/html", body: "<html>Sign in</html>" },
  "200 with other JSON": { status: 200, type: "application/json", body: "{}" },
};

describe("store outage", () => {
  const fresh = folders();

  for (const [name, call] of Object.entries(calls)) {
    it(`is what a stopped node is to ${name}`, async () => {
      const node = await startNode({ folder: await fresh() });
      const store = new KuboStore(node.url);
      await store.has(digest);
      await node.stop();
      expect(await failure(call(store), StoreUnavailableError)).to.include({ code: "ERR_STORE_UNAVAILABLE", exit: 4 });
    });

    it(`is what a node that never answers is to ${name}`, async () => {
      const server = await listening((request) => void request.resume());
      await failure(call(new KuboStore(server.url, { timeout: 150, pinTimeout: 150 })), StoreUnavailableError);
      await server.stop();
    });

    for (const [what, { status, type, body }] of Object.entries(answers)) {
      // An empty list of pins is what a page without a line of JSON would have to be taken for; "{}" names no pin.
      it(`is what ${what} is to ${name}`, async () => {
        const server = await listening((request, response) => {
          request
            .resume()
            .on("end", () => response.writeHead(status, { "content-type": type ?? "text/plain" }).end(body));
        });
        await failure(call(new KuboStore(server.url)), StoreUnavailableError);
        await server.stop();
      });
    }
  }

  it("names the block that was asked for", async () => {
    const server = await listening((_, response) => response.writeHead(500).end());
    expect((await failure(new KuboStore(server.url).get(digest), StoreUnavailableError)).cid).to.equal(cid);
    await server.stop();
  });

  it("is what an answer cut off in the middle is", async () => {
    const server = await listening((request, response) => {
      request.resume();
      response.writeHead(200, { "content-length": 100 });
      response.write("half", () => response.destroy());
    });
    await failure(new KuboStore(server.url).get(digest), StoreUnavailableError);
    await server.stop();
  });

  it("is not what Kubo's own words for missing, altered and pinned blocks are", async () => {
    const say = async (message: string): Promise<{ store: KuboStore; stop: () => Promise<void> }> => {
      const body = JSON.stringify({ Message: message, Code: 0, Type: "error" });
      const { url, stop } = await listening((_, response) =>
        response.writeHead(500, { "content-type": "application/json" }).end(body),
      );
      return { store: new KuboStore(url), stop };
    };
    const missing = await say(`block was not found locally (offline): ipld: could not find ${cid}`);
    await failure(missing.store.get(digest), BlockMissingError);
    expect(await missing.store.has(digest)).to.be.false;
    await missing.stop();
    const altered = await say("block in storage has different hash than requested");
    expect((await failure(altered.store.get(digest), BlockAlteredError)).found).to.equal(undefined);
    await altered.stop();
    const unpinned = await say("not pinned or pinned indirectly");
    await unpinned.store.unpin(pinset);
    await unpinned.stop();
  });

  it("is not what a node does that acknowledges a block and loses or changes it: the put fails", async () => {
    const keeping = async (gets: { status: number; body: string }): Promise<Awaited<ReturnType<typeof listening>>> =>
      listening((request, response) => {
        request.resume().on("end", () => {
          if (!request.url?.includes("block/get")) response.end(JSON.stringify({ Key: cid, Size: 10 }));
          else response.writeHead(gets.status, { "content-type": "application/json" }).end(gets.body);
        });
      });
    const losing = await keeping({ status: 500, body: JSON.stringify({ Message: `ipld: could not find ${cid}` }) });
    await failure(new KuboStore(losing.url).put(bytesOf(10, "some block")), BlockMissingError);
    await losing.stop();
    const changing = await keeping({ status: 200, body: "another" });
    const error = await failure(new KuboStore(changing.url).put(bytesOf(10, "some block")), BlockAlteredError);
    expect(error.found).to.equal("another".length);
    await changing.stop();
  });

  it("is told when a store is opened by an address where none answers", async () => {
    const server = await listening((_, response) => response.end("hello"));
    await failure(openStore({ url: server.url }), StoreUnavailableError);
    await server.stop();
    await failure(openStore({ url: server.url }), StoreUnavailableError);
  });
});

describe("opening a store", () => {
  const fresh = folders();

  it("uses the address when one is named, and leaves that node running when closed", async () => {
    const node = await startNode({ folder: await fresh() });
    const store = await openStore({ url: node.url, folder: "/nowhere/at/all" });
    await store.put(bytesOf(10, "some block"));
    await store.close();
    expect(await new KuboStore(node.url).has(digest)).to.be.true;
    await node.stop();
  });

  it("takes a multiaddr for an address, as Kubo writes it", async () => {
    const node = await startNode({ folder: await fresh() });
    const store = await openStore({ url: `/ip4/127.0.0.1/tcp/${new URL(node.url).port}` });
    expect(await store.has(digest)).to.be.false;
    await node.stop();
  });

  it("hands credentials in the address to the node", async () => {
    let header: string | undefined;
    const server = await listening((request, response) => {
      header = request.headers.authorization;
      response.writeHead(200, { "content-type": "application/json" }).end('{"Version":"0.43.1"}');
    });
    await openStore({ url: server.url.replace("//", "//me:p%40ss@") });
    expect(header).to.equal(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
    await server.stop();
  });

  it("starts an embedded node in the folder otherwise, and ends it when closed", async () => {
    const folder = await fresh();
    for (const url of [undefined, ""]) {
      const store = await openStore({ url, folder });
      await store.put(bytesOf(10, "some block"));
      await store.close();
      await store.close();
      await failure(store.has(digest), StoreUnavailableError);
    }
    const again = await openStore({ folder });
    expect(await again.has(digest)).to.be.true;
    await again.close();
  });

  it("tells when the embedded node cannot have its folder", async () => {
    await failure(openStore({ folder: "/dev/null/folder" }), StoreUnavailableError);
  });

  it("refuses what is no address, and no choice at all", async () => {
    for (const url of ["nonsense", "ftp://127.0.0.1", "/ip4/nonsense"]) await failure(openStore({ url }), UsageError);
    await failure(openStore({}), UsageError);
  });
});
