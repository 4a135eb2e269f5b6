import { createServer, type Server, type Socket } from "node:net";
import { LIMITS } from "../intake/limits.ts";
import type { Source } from "./config.ts";
import { whose } from "./credentials.ts";
import { helloIn, PATIENCE } from "./hello.ts";
import type { Answer } from "./intake.ts";
import type { Reached } from "./levels.ts";
import { LineSplitter } from "./lines.ts";
import { listenOn, portOf, type Listen } from "./listen.ts";
import type { DeviceState } from "./state.ts";

const PROTOCOL = "medseal-feed/1";
/** Lines of one source that may wait for their answers; beyond, its socket is not read. */
const IN_FLIGHT = 64;
/** Bytes of answers that a source may leave unread before its socket is not read. */
const UNREAD = 1 << 20;
const MOST_CONNECTIONS = 256;

export interface FeedServerDeps {
  readonly sources: readonly Source[];
  take(source: Source, line: Uint8Array): Promise<Answer>;
  deviceOf(name: string): DeviceState | undefined;
  /** Told of a connection that was turned away. */
  turnedAway(code: string): void;
  connected(source: Source, connections: number): void;
}

/** The local feed: lines of JSON over a socket of this machine, each answered; docs/gateway.md, "The feed". */
export class FeedServer {
  readonly #deps: FeedServerDeps;
  readonly #server: Server;
  readonly #open = new Set<Connection>();

  private constructor(deps: FeedServerDeps) {
    this.#deps = deps;
    // An answer does not wait for the source's acknowledgement of the one before.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** @throws UsageError when the place is taken. */
  static async listen(at: Listen, deps: FeedServerDeps): Promise<FeedServer> {
    const feed = new FeedServer(deps);
    await listenOn(feed.#server, at);
    return feed;
  }

  /** The port, where it is none of a path. */
  get port(): number | undefined {
    return portOf(this.#server);
  }

  /** Tells sources how far their messages got. */
  reached({ level, ranges }: Reached): void {
    for (const connection of this.#open)
      for (const { name } of connection.source?.devices ?? [])
        for (const [from, to] of ranges[name] ?? []) connection.send({ device: name, from, to, level });
  }

  /** Takes no more, and resolves when all that came was answered. */
  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    await Promise.all([...this.#open].map((connection) => connection.end()));
    await closed;
  }

  #accept(socket: Socket): void {
    if (this.#open.size >= MOST_CONNECTIONS) {
      this.#deps.turnedAway("ERR_CONNECTIONS");
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, this.#deps, () => this.#open.delete(connection));
    this.#open.add(connection);
  }
}

/** One connection: first says who it is, then sends messages. */
class Connection {
  source: Source | undefined;
  #away = false;
  readonly #socket: Socket;
  readonly #deps: FeedServerDeps;
  readonly #lines = new LineSplitter(LIMITS.line);
  readonly #waiting: Buffer[] = [];
  readonly #flying = new Set<Promise<void>>();
  readonly #gone: Promise<void>;

  constructor(socket: Socket, deps: FeedServerDeps, over: () => void) {
    this.#socket = socket;
    this.#deps = deps;
    const impatience = setTimeout(() => this.#turnAway("ERR_CREDENTIAL"), PATIENCE);
    impatience.unref();
    this.#gone = new Promise((gone) => {
      socket.once("close", () => {
        clearTimeout(impatience);
        over();
        gone();
      });
    });
    // A source that goes away comes again; what was acknowledged is safe.
    socket.on("error", () => socket.destroy());
    socket.on("data", (piece: Buffer) => this.#read(piece));
    socket.on("drain", () => this.#next());
    socket.on("end", () => void this.#settled().then(() => socket.end()));
  }

  send(value: object): void {
    if (!this.#socket.writable) return;
    this.#socket.write(`${JSON.stringify(value)}\n`);
  }

  async end(): Promise<void> {
    this.#socket.pause();
    this.#waiting.length = 0;
    await this.#settled();
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), 1000).unref();
    await this.#gone;
  }

  #read(piece: Buffer): void {
    if (this.#away) return;
    const lines = this.#lines.push(piece);
    if (!lines) return this.#turnAway("ERR_LINE_TOO_LONG");
    for (const line of lines) if (line.length > 0) this.#waiting.push(line);
    this.#next();
  }

  /** Takes what may be taken; reads on only when nothing waits and the other side reads its answers. */
  #next(): void {
    while (this.#waiting.length > 0 && this.#flying.size < IN_FLIGHT) {
      const line = this.#waiting.shift() as Buffer;
      if (this.source) this.#take(this.source, line);
      else if (!this.#welcome(line)) return;
    }
    const busy = this.#waiting.length > 0 || this.#flying.size >= IN_FLIGHT || this.#socket.writableLength > UNREAD;
    if (busy) this.#socket.pause();
    else this.#socket.resume();
  }

  #take(source: Source, line: Buffer): void {
    const flying = this.#deps.take(source, line).then((answer) => {
      this.#flying.delete(flying);
      this.send(answer);
      this.#next();
    });
    this.#flying.add(flying);
  }

  /** @returns whether the connection goes on. */
  #welcome(line: Buffer): boolean {
    const hello = helloIn(line);
    const source = whose(this.#deps.sources, hello.credential);
    if (!source || hello.feed !== PROTOCOL) {
      this.#turnAway(source ? "ERR_PROTOCOL" : "ERR_CREDENTIAL");
      return false;
    }
    this.source = source;
    this.#deps.connected(source, 1);
    this.#socket.once("close", () => this.#deps.connected(source, -1));
    const devices = source.devices.map(({ name }) => ({
      device: name,
      highest: this.#deps.deviceOf(name)?.highest ?? null,
    }));
    this.send({ feed: PROTOCOL, source: source.name, devices });
    return true;
  }

  #turnAway(code: string): void {
    if (this.#away || (this.source && code === "ERR_CREDENTIAL")) return;
    this.#away = true;
    this.#deps.turnedAway(code);
    this.send({ level: "refused", code });
    this.#waiting.length = 0;
    this.#socket.destroySoon();
  }

  async #settled(): Promise<void> {
    while (this.#flying.size > 0 || this.#waiting.length > 0) await Promise.all([...this.#flying]);
  }
}
