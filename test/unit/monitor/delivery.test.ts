import { execFile } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { utf8 } from "../../../src/bytes/bytes.ts";
import { Deliverer, fileChannel, webhookChannel, type Channel } from "../../../src/monitor/delivery.ts";
import type { Notice } from "../../../src/monitor/notice.ts";
import { noticeSignature } from "../../../src/monitor/receiver.ts";
import { deskAgain, deskWithNotice } from "./notices.ts";

const SECRET = utf8("shared with the hospital");
const directly = <T>(work: () => Promise<T>): Promise<T> => work();
const atOnce = (): Promise<void> => new Promise((done) => setImmediate(done));

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers with these statuses, one after the other, then with 204. */
async function receiver(...statuses: number[]): Promise<{ url: string; received: Received[]; server: Server }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 204, { location: "http://127.0.0.1:9/" }).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`, received, server };
}

describe("delivery of notices", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "medseal-delivery-"))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("tries a webhook until it takes the notice, signed, under one id", async () => {
    const { desk, notices } = await deskWithNotice();
    const { url, received, server } = await receiver(500, 302, 404);
    const failed: string[] = [];
    const channel = webhookChannel(url, SECRET, { now: () => 1000 });
    const deliverer = new Deliverer(
      { desk, channels: [channel], failed: (name, error) => failed.push(`${name}: ${String(error)}`), wait: atOnce },
      directly,
    );
    deliverer.send(notices);
    await deliverer.settle(60_000);
    server.close();
    expect(failed.map((text) => /answers (\d+)/.exec(text)?.[1])).to.deep.equal(["500", "302", "404"]);
    expect(new Set(received.map(({ headers }) => headers["medseal-id"]))).to.deep.equal(new Set([notices[0]?.id]));
    for (const { headers, body } of received) {
      expect(JSON.parse(body)).to.deep.equal(notices[0]);
      expect(headers["medseal-signature"]).to.equal(noticeSignature(SECRET, "1000", body));
    }
    expect(received).to.have.length(4);
    expect(desk.pending).to.deep.equal([]);
  });

  it("signs so that another time, body or secret has another signature", () => {
    const signatures = [
      noticeSignature(SECRET, "1000", "{}"),
      noticeSignature(SECRET, "1001", "{}"),
      noticeSignature(SECRET, "1000", "[]"),
      noticeSignature(utf8("another"), "1000", "{}"),
    ];
    expect(new Set(signatures).size).to.equal(4);
  });

  it("sends nothing where the way would show it", () => {
    for (const url of ["http://hospital.example/alerts", "ftp://127.0.0.1/", "hospital", ""])
      expect(() => webhookChannel(url, SECRET), url)
        .to.throw()
        .with.property("code", "ERR_USAGE");
    expect(webhookChannel("https://hospital.example/alerts?token=abc", SECRET).name).not.to.contain("abc");
  });

  it("writes a notice into the file once, however often it is delivered, and mends a line that was cut off", async () => {
    const { notices } = await deskWithNotice();
    const path = join(folder, "alerts.ndjson");
    const [notice] = notices as [Notice];
    const { signal } = new AbortController();
    const first = fileChannel(path);
    await first.deliver(notice, signal);
    await first.deliver(notice, signal);
    await first.close();
    await appendFile(path, JSON.stringify({ ...notice, id: "another" }).slice(0, 20));
    const second = fileChannel(path);
    await second.deliver(notice, signal);
    await second.deliver({ ...notice, id: "another" }, signal);
    await second.close();
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as Notice).id)).to.deep.equal([notice.id, "another"]);
  });

  it("goes on after a crash: what may come twice is delivered again, what may not is not shown again", async () => {
    const { rows, desk, notices } = await deskWithNotice();
    const told: string[] = [];
    let tries = 0;
    const channels: Channel[] = [
      { name: "shown", mode: "once", deliver: () => Promise.resolve(void told.push("shown")) },
      {
        name: "sent",
        mode: "atLeastOnce",
        deliver: () => {
          tries += 1;
          return Promise.reject(new Error("killed here"));
        },
      },
    ];
    const deliverer = new Deliverer({ desk, channels, wait: atOnce }, directly);
    deliverer.send(notices);
    while (told.length === 0 || tries < 3) await atOnce();
    await deliverer.stop();
    const again = deskAgain(rows);
    const working = channels.map((channel) => ({
      ...channel,
      deliver: () => Promise.resolve(void told.push(`${channel.name} again`)),
    }));
    const next = new Deliverer({ desk: again, channels: working, wait: atOnce }, directly);
    next.start();
    await next.settle(60_000);
    expect(told).to.deep.equal(["shown", "sent again"]);
    expect(again.pending).to.deep.equal([]);
  });

  it("settles though nothing else keeps the process", async () => {
    const program = `
      import { Deliverer } from ${JSON.stringify(new URL("../../../src/monitor/delivery.ts", import.meta.url).href)};
      const away = { name: "away", mode: "atLeastOnce", deliver: () => Promise.reject(new Error("away")) };
      const deliverer = new Deliverer({ desk: { pending: [{ notice: { id: "1" }, done: [] }] }, channels: [away] });
      deliverer.start();
      await deliverer.settle(100);
      await deliverer.stop();
      console.log("settled");`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout).to.equal("settled\n");
  });
});
