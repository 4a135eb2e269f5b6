import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Aedes } from "aedes";
import type { Certified } from "./certificates.ts";

export interface BrokerOptions {
  /** Another port than a free one: that of a broker that is gone. */
  readonly port?: number;
  readonly user?: { readonly name: string; readonly password: string };
  readonly tls?: Certified;
  /** Answers whether a message is acknowledged; while it does not answer, it is not. */
  readonly acknowledge?: (message: string) => Promise<boolean>;
}

/** MQTT 3.1.1, section 3.14. */
const DISCONNECT = Buffer.of(0xe0, 0);

/** An MQTT broker on this machine. */
export class TestBroker {
  readonly url: string;
  readonly port: number;
  /** Of clients, in the order in which they came. */
  readonly published: {
    readonly topic: string;
    readonly qos: number;
    readonly retain: boolean;
    readonly text: string;
  }[] = [];
  /** Clients that were let in. */
  connected = 0;
  /** Bytes from all clients, behind TLS. */
  heard = 0;
  /** Clients that took their leave. */
  goodbyes = 0;
  readonly #broker: Aedes;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(broker: Aedes, server: Server, protocol: string) {
    this.#broker = broker;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `${protocol}://localhost:${this.port}`;
  }

  static async open({ port = 0, user, tls, acknowledge }: BrokerOptions = {}): Promise<TestBroker> {
    const broker = await Aedes.createBroker({
      authenticate: (_client, name, password, done) =>
        done(null, user === undefined || (name === user.name && password?.toString() === user.password)),
      authorizePublish: (client, { topic, qos, retain, payload }, done) => {
        if (client === null) return done(null);
        const text = payload.toString();
        it.published.push({ topic, qos, retain, text });
        const answer = acknowledge?.(text) ?? Promise.resolve(true);
        void answer.then((isTaken) => done(isTaken ? null : new Error("not allowed")));
      },
    });
    const handle = (socket: Socket): void => {
      broker.handle(socket);
      socket.on("data", (bytes: Buffer) => {
        it.heard += bytes.length;
        if (bytes.subarray(-DISCONNECT.length).equals(DISCONNECT)) it.goodbyes += 1;
      });
    };
    const server = tls ? createTlsServer({ key: tls.key, cert: tls.certificate }, handle) : createServer(handle);
    await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
    const it = new TestBroker(broker, server, tls ? "mqtts" : "mqtt");
    broker.on("clientReady", () => (it.connected += 1));
    const sockets = it.#sockets;
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    return it;
  }

  /** At once, as a power cut does it. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((closed) => this.#server.close(() => closed()));
    await new Promise<void>((closed) => this.#broker.close(closed));
  }
}
