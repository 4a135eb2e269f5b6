import { createServer, type AddressInfo } from "node:net";
import { expect } from "chai";
import { utf8 } from "../../../src/bytes/bytes.ts";
import { MedSealError } from "../../../src/errors.ts";
import { Deliverer, type Channel, type ClosableChannel } from "../../../src/monitor/delivery.ts";
import type { Desk } from "../../../src/monitor/desk.ts";
import { mqttChannel, type Broker, type MqttOptions } from "../../../src/monitor/mqtt.ts";
import { noticeSignature, type SignedNotice } from "../../../src/monitor/receiver.ts";
import { freePort } from "../../../scripts/world/anvil.ts";
import { TestBroker, type BrokerOptions } from "./broker.ts";
import { certifiedServer } from "./certificates.ts";
import { deskAgain, deskWithNotice, quietDesk } from "./notices.ts";

const SECRET = utf8("shared with the ward");
const USER = { name: "monitor", password: "canary-of-the-password" };
const TOPIC = "ward-7/alerts";

const directly = <T>(work: () => Promise<T>): Promise<T> => work();
const shortly = (): Promise<void> => new Promise((done) => setTimeout(done, 5));

/** Waits for what another part of this process does. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await shortly();
}

describe("delivery of notices to an MQTT topic", () => {
  const brokers: TestBroker[] = [];
  const channels: ClosableChannel[] = [];
  const said: string[] = [];

  beforeEach(() => said.splice(0));
  afterEach(async () => {
    for (const channel of channels.splice(0)) await channel.close();
    for (const broker of brokers.splice(0)) await broker.close();
  });

  async function brokerOf(options: BrokerOptions = {}): Promise<TestBroker> {
    const broker = await TestBroker.open(options);
    brokers.push(broker);
    return broker;
  }

  const channelTo = (broker: Broker, options: MqttOptions = {}): ClosableChannel => {
    const channel = mqttChannel(broker, SECRET, { wait: shortly, ...options });
    channels.push(channel);
    return channel;
  };

  /** Writes down what is told of its channels. */
  const delivererOf = (desk: Desk, ...all: Channel[]): Deliverer =>
    new Deliverer(
      {
        ...{ desk, channels: all, wait: shortly },
        failed: (_, error) => {
          const { message, hint } = error as MedSealError;
          expect(error).to.be.instanceOf(MedSealError).with.property("code", "ERR_DELIVERY_FAILED");
          said.push(hint === undefined ? message : `${message} (${hint})`);
        },
        works: () => said.push("works again"),
      },
      directly,
    );

  it("publishes at QoS 1, signed, under its topic, and has delivered when the broker acknowledges", async () => {
    const { desk, notices } = await deskWithNotice();
    let acknowledge = (_isTaken: boolean): void => undefined;
    const broker = await brokerOf({
      user: USER,
      acknowledge: () => new Promise((answered) => (acknowledge = answered)),
    });
    const channel = channelTo({ url: broker.url, topic: TOPIC, user: USER }, { now: () => 1000 });
    const deliverer = delivererOf(desk, channel);
    deliverer.send(notices);
    await until(() => broker.published.length > 0);
    expect(desk.pending).to.have.length(1);
    acknowledge(true);
    await deliverer.settle(60_000);
    expect(desk.pending).to.deep.equal([]);
    const [{ text, ...message }] = broker.published as [TestBroker["published"][number]];
    expect(message).to.deep.equal({ topic: TOPIC, qos: 1, retain: false });
    const { id, time, signature, body } = JSON.parse(text) as SignedNotice;
    expect([id, time, JSON.parse(body)]).to.deep.equal([notices[0]?.id, "1000", notices[0]]);
    expect(signature).to.equal(noticeSignature(SECRET, time, body));
    expect([broker.published.length, said]).to.deep.equal([1, []]);
  });

  it("tells of a broker that is away, holds up no other channel, and publishes when it is back", async () => {
    const { desk, raise } = await quietDesk();
    const first = await brokerOf({ port: await freePort() });
    const { port, url } = first;
    const file: Channel = { name: "file", mode: "atLeastOnce", deliver: () => Promise.resolve() };
    const deliverer = delivererOf(desk, channelTo({ url, topic: TOPIC }), file);
    deliverer.start();
    await until(() => first.connected > 0);
    await first.close();
    await until(() => said.length > 1);
    deliverer.send(await raise());
    await until(() => desk.pending[0]?.done.includes("file") === true);
    const second = await brokerOf({ port });
    await deliverer.settle(60_000);
    expect(desk.pending).to.deep.equal([]);
    expect(second.published).to.have.length(1);
    expect(said[0]).to.equal("the connection to the broker has ended");
    expect(new Set(said.slice(1, -1))).to.deep.equal(new Set(["the broker does not answer"]));
    expect(said.at(-1)).to.equal("works again");
  });

  it("publishes again, under one id, what was not acknowledged when the process ended", async () => {
    const { rows, desk, notices } = await deskWithNotice();
    const deaf = await brokerOf({ port: await freePort(), acknowledge: () => new Promise(() => undefined) });
    const killed = delivererOf(desk, channelTo({ url: deaf.url, topic: TOPIC }));
    killed.send(notices);
    await until(() => deaf.published.length > 0);
    await killed.stop();
    await deaf.close();
    const hears = await brokerOf({ port: deaf.port });
    const again = deskAgain(rows);
    const next = delivererOf(again, channelTo({ url: hears.url, topic: TOPIC }));
    next.start();
    await next.settle(60_000);
    expect(again.pending).to.deep.equal([]);
    const ids = [...deaf.published, ...hears.published].map(({ text }) => (JSON.parse(text) as SignedNotice).id);
    expect(ids).to.deep.equal([notices[0]?.id, notices[0]?.id]);
  });

  it("takes another connection when the broker does not acknowledge, or ends the one there is", async () => {
    const { desk, notices } = await deskWithNotice();
    const answers = [new Promise<boolean>(() => undefined), Promise.resolve(false)];
    const broker = await brokerOf({ acknowledge: () => answers.shift() ?? Promise.resolve(true) });
    const patiences: AbortController[] = [];
    const late = (): AbortSignal => (patiences[patiences.push(new AbortController()) - 1] as AbortController).signal;
    const deliverer = delivererOf(desk, channelTo({ url: broker.url, topic: TOPIC }, { late }));
    deliverer.send(notices);
    await until(() => broker.published.length > 0);
    patiences[0]?.abort();
    await deliverer.settle(60_000);
    expect(broker.published).to.have.length(3);
    expect(broker.connected).to.equal(3);
    expect(said.filter((text) => !text.startsWith("the connection to"))).to.deep.equal([
      "the broker does not acknowledge",
      "the connection ended before the broker had acknowledged (if that comes again: may the user publish to this topic?)",
    ]);
  });

  it("tells of a wrong password before there is a notice, and says none", async () => {
    const { desk } = await quietDesk();
    const broker = await brokerOf({ user: { ...USER, password: "another" } });
    const channel = channelTo({ url: broker.url, topic: TOPIC, user: USER });
    const deliverer = new Deliverer(
      { desk, channels: [channel], failed: (name, error) => said.push(name, String((error as Error).stack)) },
      directly,
    );
    deliverer.start();
    await until(() => said.length > 0);
    expect(said.join("\n")).to.include("the broker does not accept the credentials").and.not.include(USER.password);
    expect(broker.published).to.deep.equal([]);
  });

  it("publishes over TLS to the broker that the authority names, and to no other", async () => {
    const { authority, server } = await certifiedServer("localhost");
    const { authority: stranger } = await certifiedServer("localhost");
    const { rows, desk, notices } = await deskWithNotice();
    const broker = await brokerOf({ tls: server });
    for (const [url, ca, code] of [
      [broker.url, undefined, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
      [broker.url, stranger, "CERT_SIGNATURE_FAILURE"],
      [broker.url.replace("localhost", "127.0.0.1"), authority, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ] as const) {
      said.splice(0);
      const refused = channelTo({ url, topic: TOPIC, ...(ca === undefined ? {} : { ca }) });
      const deliverer = delivererOf(deskAgain(rows), refused);
      deliverer.start();
      await until(() => said.length > 0);
      expect(said[0]).to.include(`the broker does not show that it is the one (${code}) (name the certificates`);
      await deliverer.stop();
      await refused.close();
    }
    // Not even who wants to connect.
    expect(broker.heard).to.equal(0);
    const deliverer = delivererOf(desk, channelTo({ url: broker.url, topic: TOPIC, ca: authority }));
    deliverer.send(notices);
    await deliverer.settle(60_000);
    expect(desk.pending).to.deep.equal([]);
    expect([broker.published.length, broker.connected]).to.deep.equal([1, 1]);
  });

  it("tells of an address where something else answers, or nothing", async () => {
    const { desk } = await quietDesk();
    const web = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const mute = createServer();
    for (const [server, patience] of [
      [web, 60_000],
      [mute, 50],
    ] as const) {
      await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
      const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const channel = channelTo({ url, topic: TOPIC }, { patience });
      delivererOf(desk, channel).start();
      await until(() => said.includes("the broker does not answer"));
      said.splice(0);
      await channel.close();
      server.close();
    }
  });

  it("takes its leave", async () => {
    const { desk } = await quietDesk();
    const broker = await brokerOf();
    const channel = channelTo({ url: broker.url, topic: TOPIC });
    delivererOf(desk, channel).start();
    await until(() => broker.connected > 0);
    await channel.close();
    await until(() => broker.goodbyes > 0);
    expect([broker.connected, said]).to.deep.equal([1, []]);
  });

  it("publishes nothing where the way or the topic would show it", () => {
    const wrong: readonly (readonly [url: string, topic: string, says: RegExp])[] = [
      ["mqtt://broker.example", TOPIC, /mqtts address/],
      ["mqtt://127.0.0.1.broker.example", TOPIC, /mqtts address/],
      ["https://broker.example", TOPIC, /mqtts address/],
      ["broker.example:8883", TOPIC, /mqtts address/],
      [`mqtts://monitor:${USER.password}@broker.example`, TOPIC, /no credentials/],
      ["mqtts://broker.example/ward", TOPIC, /ends with its port/],
      ["mqtts://broker.example?clientId=x", TOPIC, /ends with its port/],
      ...["", "ward/#", "+/alerts", "$SYS/alerts", "ward\0", "w".repeat(65_536)].map(
        (topic) => ["mqtts://broker.example", topic, /no topic/] as const,
      ),
    ];
    for (const [url, topic, says] of wrong) {
      const refused = (): Channel => mqttChannel({ url, topic }, SECRET);
      expect(refused, `${url} ${topic.slice(0, 20)}`)
        .to.throw(says)
        .with.property("code", "ERR_USAGE");
      expect(refused).to.not.throw(USER.password);
    }
  });
});
