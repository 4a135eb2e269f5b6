import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Told {
  readonly device?: string;
  readonly counter?: number;
  readonly from?: number;
  readonly to?: number;
  readonly level?: string;
  readonly code?: string;
  readonly quarantined?: readonly { readonly index: number; readonly code: string }[];
  readonly late?: readonly number[];
  readonly skew?: number;
}

export interface Sent {
  readonly device: string;
  readonly counter: number;
  readonly readings: readonly object[];
  readonly sent?: string;
}

/** A source of readings, as a device's software would be one. */
export class FeedClient {
  readonly #socket: Socket;
  readonly #wanted = new Map<string, (told: Told) => void>();
  /** Messages anchored for good, by device. */
  readonly anchored = new Map<string, Set<number>>();
  readonly told: Told[] = [];
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.closed = true;
      for (const answer of this.#wanted.values()) answer({ level: "gone" });
      this.#wanted.clear();
    });
    let rest = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#line(JSON.parse(line) as Told);
    });
  }

  /** @throws Error when nobody listens. */
  static async open(port: number, credential: string): Promise<FeedClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const client = new FeedClient(socket);
    socket.write(`${JSON.stringify({ feed: "medseal-feed/1", credential })}\n`);
    return client;
  }

  /** @returns the answer; `gone` when the connection ended before. */
  send(message: Sent): Promise<Told> {
    if (this.closed) return Promise.resolve({ level: "gone" });
    return new Promise((answer) => {
      this.#wanted.set(`${message.device}/${message.counter}`, answer);
      this.#socket.write(`${JSON.stringify(message)}\n`);
    });
  }

  /** In one piece, which the gateway stores with one commit: no seal comes between them. */
  sendTogether(messages: readonly Sent[]): Promise<Told[]> {
    this.#socket.cork();
    const answers = messages.map((message) => this.send(message));
    this.#socket.uncork();
    return Promise.all(answers);
  }

  raw(text: string): void {
    this.#socket.write(text);
  }

  close(): void {
    this.#socket.destroy();
  }

  #line(told: Told): void {
    this.told.push(told);
    const { device = "", counter, from, to, level } = told;
    if (from !== undefined && to !== undefined && level === "anchored") {
      const all = this.anchored.get(device) ?? new Set<number>();
      this.anchored.set(device, all);
      for (let at = from; at <= to; at++) all.add(at);
    }
    if (counter === undefined) return;
    const key = `${device}/${counter}`;
    this.#wanted.get(key)?.(told);
    this.#wanted.delete(key);
  }
}
