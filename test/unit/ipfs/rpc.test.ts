import { request, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import * as dagCbor from "@ipld/dag-cbor";
import { expect } from "chai";
import { create, type KuboRPCClient } from "ipfs-http-client";
import { CID } from "multiformats/cid";
import { concat, hex, utf8 } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { cidOf, cidWith, rawCid } from "../../../src/ipfs/cid.ts";
import { startNode, type RunningNode } from "../../../src/ipfs/node.ts";
import { COMMANDS } from "../../../src/ipfs/rpc/commands.ts";
import { MAX_BLOCK } from "../../../src/ipfs/store.ts";
import { bytesOf, failure, folders } from "./support.ts";

interface Reply {
  status: number;
  text: string;
  headers: IncomingHttpHeaders;
}

describe("RPC of the embedded node", () => {
  const fresh = folders();
  let node: RunningNode;
  let rpc: KuboRPCClient;

  before(async () => {
    node = await startNode({ folder: await fresh() });
    rpc = create(node.url);
  });
  afterEach("still answers", async () => {
    expect((await send("version")).status).to.equal(200);
  });
  after(() => node.stop());

  /** By node:http, as `fetch` lets nobody set Host or Origin. */
  function send(
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: Uint8Array } = {},
  ): Promise<Reply> {
    return new Promise((done, failed) => {
      const { method = "POST", headers = {}, body } = options;
      const sent = request(`${node.url}/api/v0/${path}`, { method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", failed);
        response.on("end", () => {
          done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString(), headers: response.headers });
        });
      });
      sent.on("error", failed).end(body);
    });
  }

  const upload = (path: string, ...files: Uint8Array[]): Promise<Reply> =>
    send(path, {
      headers: { "content-type": "multipart/form-data; boundary=edge" },
      body: concat(
        ...files.flatMap((file) => [
          utf8('--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\n'),
          file,
          utf8("\r\n"),
        ]),
        utf8("--edge--\r\n"),
      ),
    });
  const kuboError = ({ text }: Reply): unknown => JSON.parse(text);

  describe("refuses", () => {
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
      it(`${method}`, async () => {
        expect((await send("version", { method })).status).to.equal(405);
      });
    }

    const pages: Record<string, Record<string, string>> = {
      "a web page's origin": { origin: "https://example.org" },
      "an opaque origin": { origin: "null" },
      "the origin of this very node": { origin: "http://127.0.0.1" },
      "a web page's referrer": { referer: "https://example.org/" },
      "what a browser says of the site": { "sec-fetch-site": "cross-site" },
      "a browser": { "user-agent": "Mozilla/5.0 (X11)" },
      "a name that somebody pointed to this machine": { host: "rebound.example.org" },
    };
    for (const [name, headers] of Object.entries(pages)) {
      it(`${name}`, async () => {
        expect((await send("version", { headers })).status).to.equal(403);
      });
    }

    for (const path of [
      "",
      "nonsense",
      "block",
      "block/",
      "__proto__",
      "constructor",
      "block/put/x",
      "../version",
      "add",
    ]) {
      it(`the unknown command "${path}"`, async () => {
        const { status, text } = await send(path);
        expect([status, text]).to.deep.equal([404, "404 page not found\n"]);
      });
    }

    const bad: readonly string[] = [
      "block/get",
      "block/get?arg=nonsense",
      "block/get?arg=/ipfs/",
      "block/get?arg=a&arg=b",
      `block/get?arg=${cidOf(sha256())}/path`,
      "block/stat?arg=",
      "block/rm",
      "pin/add",
      "pin/rm",
      "pin/ls?type=nonsense",
      "pin/ls?arg=nonsense",
      `pin/add?arg=${cidOf(sha256())}&name=${"x".repeat(256)}`,
      "block/put?cid-codec=dag-pb",
      "block/put?cid-codec=constructor",
      "block/put?mhtype=sha3-256",
      "dag/put?store-codec=dag-cbor&input-codec=dag-json",
      "dag/put",
      `dag/get?arg=${cidOf(sha256())}`,
    ];
    for (const path of bad) {
      it(`the call ${path.slice(0, 60)}`, async () => {
        const reply = await send(path);
        expect(reply.status).to.equal(400);
        expect(kuboError(reply)).to.include({ Code: 1, Type: "error" }).and.to.have.property("Message").that.is.not
          .empty;
      });
    }

    it("bodies that are not multipart, and ends cut off", async () => {
      const type = { "content-type": "multipart/form-data; boundary=edge" };
      for (const body of [undefined, utf8("garbage"), bytesOf(100_000, "garbage"), utf8("--edge\r\n\r\nabc")]) {
        const reply = await send("block/put", { headers: type, ...(body === undefined ? {} : { body }) });
        expect(reply.status).to.be.oneOf([400, 500]);
        expect(kuboError(reply)).to.include({ Type: "error" });
      }
      expect((await send("block/put", { body: utf8("abc") })).status).to.equal(400);
    });

    it("a block above the limit, in words", async () => {
      const reply = await upload("block/put", new Uint8Array(MAX_BLOCK + 1));
      expect(reply.status).to.equal(500);
      expect(kuboError(reply)).to.have.property("Message", `the block is over ${MAX_BLOCK} bytes: too big`);
    });

    it("a node that is not DAG-CBOR", async () => {
      expect((await upload("dag/put?input-codec=dag-cbor", utf8("\xff\xff"))).status).to.equal(400);
    });

    it("a client that goes away in the middle of a block, without keeping any of it", async () => {
      const before = await rpc.repo.stat();
      await new Promise<void>((done) => {
        const socket = connect(Number(new URL(node.url).port), "127.0.0.1", () => {
          const head = "POST /api/v0/block/put HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n";
          socket.write(`${head}Content-Type: multipart/form-data; boundary=edge\r\n\r\n--edge\r\n\r\nabc`, () => {
            socket.destroy();
            done();
          });
        });
      });
      expect((await rpc.repo.stat()).numObjects).to.equal(before.numObjects);
    });
  });

  it("listens on loopback only", async () => {
    const port = Number(new URL(node.url).port);
    const outward = Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).filter(({ internal }) => !internal),
    );
    if (outward.length === 0) console.log("        this machine has no other address to try");
    for (const { address, family, scopeid } of outward) {
      const host = family === "IPv6" && scopeid ? `${address}%${scopeid}` : address;
      const reached = await new Promise<boolean>((done) => {
        const socket = connect({ host, port, timeout: 1000 }, () => done(true));
        socket.on("error", () => done(false)).on("timeout", () => done(false));
        socket.on("close", () => done(false)).on("connect", () => socket.destroy());
      });
      expect(reached, host).to.be.false;
    }
  });

  it("says in Kubo's words and with its status what it lacks", async () => {
    const cid = cidOf(sha256(utf8("absent")));
    for (const command of ["block/get", "block/stat", "pin/add", "dag/get?output-codec=raw&"]) {
      const reply = await send(`${command}${command.includes("?") ? "" : "?"}arg=${cid}`);
      expect([reply.status, kuboError(reply)]).to.deep.equal([
        500,
        { Message: `block was not found locally (offline): ipld: could not find ${cid}`, Code: 0, Type: "error" },
      ]);
    }
    expect((await send(`block/rm?arg=${cid}`)).text).to.equal(
      `{"Hash":"${cid}","Error":"ipld: could not find ${cid}"}\n`,
    );
    expect((await send(`block/rm?force=true&arg=${cid}`)).text).to.equal(`{"Hash":"${cid}"}\n`);
    expect(kuboError(await send(`pin/rm?arg=${cid}`))).to.include({ Message: "not pinned or pinned indirectly" });
    expect(kuboError(await send(`pin/ls?arg=${cid}`))).to.include({ Message: `path '${cid}' is not pinned` });
  });

  it("tells its version and id as a client of Kubo reads them", async () => {
    expect(await rpc.version()).to.include({ version: "0.1.0" });
    const { id, addresses } = await rpc.id();
    expect(id.toString()).to.match(/^12D3KooW/);
    expect(addresses).to.deep.equal([]);
    expect(await rpc.repo.version()).to.equal("medseal-repo@1");
  });

  it("stores several files of one call, a line each", async () => {
    const { status, text } = await upload("block/put", utf8("one"), utf8("two"));
    expect(status).to.equal(200);
    const keys = text
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { Key: string }).Key);
    expect(keys).to.deep.equal(["one", "two"].map((file) => cidOf(sha256(utf8(file)))));
  });

  it("stores and gives nodes of DAG-CBOR", async () => {
    const leaf = await rpc.block.put(utf8("leaf"));
    const cid = await rpc.dag.put({ hello: leaf });
    expect(cid.toString()).to.equal(cidWith(dagCbor.code, sha256(dagCbor.encode({ hello: leaf }))).toString());
    const { value } = (await rpc.dag.get(cid)) as { value: { hello: CID } };
    expect(value.hello.toString()).to.equal(leaf.toString());
  });

  it("counts blocks and bytes", async () => {
    const before = await rpc.repo.stat();
    await rpc.block.put(bytesOf(1000, "counted"));
    const { numObjects, repoSize } = await rpc.repo.stat();
    expect([numObjects - before.numObjects, repoSize - before.repoSize]).to.deep.equal([1n, 1000n]);
  });

  it("lists pins of every kind", async () => {
    const below = await rpc.block.put(utf8("below"));
    const direct = await rpc.block.put(utf8("direct"));
    const root = await rpc.dag.put({ below, again: below });
    await rpc.pin.add(root, { name: "a name" });
    await rpc.pin.add(direct, { recursive: false });
    const list = async (options: object): Promise<object[]> => {
      const rows: object[] = [];
      for await (const { cid, type, name } of rpc.pin.ls(options)) rows.push({ cid: cid.toString(), type, name });
      return rows;
    };
    const rows = {
      recursive: { cid: root.toString(), type: "recursive", name: undefined },
      direct: { cid: direct.toString(), type: "direct", name: undefined },
      indirect: { cid: below.toString(), type: "indirect", name: undefined },
    };
    expect(await list({})).to.have.deep.members(Object.values(rows));
    expect(await list({ type: "recursive", names: true })).to.deep.equal([{ ...rows.recursive, name: "a name" }]);
    for (const type of ["direct", "indirect"] as const) expect(await list({ type })).to.deep.equal([rows[type]]);
    expect(await list({ paths: below })).to.deep.equal([rows.indirect]);
    await failure(list({ paths: below, type: "recursive" }), Error);
    expect(JSON.parse((await send("pin/ls")).text))
      .to.have.property("Keys")
      .with.property(root.toString());
    await rpc.pin.add(root, { name: "another" });
    expect(await list({ paths: root, names: true })).to.deep.equal([{ ...rows.recursive, name: "another" }]);
    for (const cid of [root, direct]) await rpc.pin.rm(cid);
    expect(await list({})).to.deep.equal([]);
  });

  it("removes no block that is pinned, and says how it is", async () => {
    const below = await rpc.block.put(utf8("below"));
    const root = await rpc.dag.put({ below });
    await rpc.pin.add(root);
    for await (const { cid, error } of rpc.block.rm([root, below])) {
      expect(error?.message).to.equal(cid.equals(root) ? "pinned: recursive" : "pinned via a recursive pin");
    }
    expect(hex(await rpc.block.get(rawCid(sha256(utf8("below")))))).to.equal(hex(utf8("below")));
    await rpc.pin.rm(root);
  });

  it("offers the commands that the README lists, and no other", () => {
    expect([...COMMANDS.keys()].sort()).to.deep.equal([
      ...[
        "block/get",
        "block/put",
        "block/rm",
        "block/stat",
        "dag/get",
        "dag/put",
        "id",
        "pin/add",
        "pin/ls",
        "pin/rm",
      ],
      ...["repo/gc", "repo/stat", "repo/version", "version"],
    ]);
  });
});
