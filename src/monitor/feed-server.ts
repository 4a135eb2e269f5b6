import { createServer, type Server, type Socket } from "node:net";
import { credentialHash, whose } from "../feed/credentials.ts";
import { helloIn, PATIENCE } from "../feed/hello.ts";
import { LineSplitter } from "../feed/lines.ts";
import { listenOn, portOf, type Listen } from "../feed/listen.ts";
import { LONGEST_LINE, MONITOR_PROTOCOL } from "../feed/monitor-lines.ts";
import { MalformedError } from "../errors.ts";
import { parseGatewayLine, type GatewayMessage } from "./feed.ts";

/** Connections that may be open: one of a gateway, and some that have not said who they are. */
const MOST_CONNECTIONS = 16;

export interface MonitorFeedDeps {
  /** What a gateway has to show. */
  readonly credential: string;
  /** The addresses of those whose readings are wanted; no others need to be sent. */
  readonly patients: readonly string[];
  /** The first place of a gateway's journal that is not durably taken. */
  taken(journal: string): number;
  /** Takes messages in their order. Resolves once they are durable; after a failure nothing more is taken. */
  take(journal: string, messages: readonly GatewayMessage[]): Promise<void>;
  connected(): void;
  /** Told of a connection that was turned away. */
  turnedAway(code: string): void;
}

/** Where a gateway brings what it has stored; docs/gateway.md, "A monitor beside it". One gateway at a time. */
export class MonitorFeed {
  readonly #deps: MonitorFeedDeps;
  readonly #server: Server;
  readonly #open = new Set<Connection>();
  readonly #failed: Promise<never>;
  #fail: (error: Error) => void = () => undefined;

  private constructor(deps: MonitorFeedDeps) {
    this.#deps = deps;
    this.#failed = new Promise((_, failed) => (this.#fail = failed));
    this.#failed.catch(() => undefined);
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** @throws UsageError when the place is taken. */
  static async listen(at: Listen, deps: MonitorFeedDeps): Promise<MonitorFeed> {
    const feed = new MonitorFeed(deps);
    await listenOn(feed.#server, at);
    return feed;
  }

  /** The port, where it is none of a path. */
  get port(): number | undefined {
    return portOf(this.#server);
  }

  /** Never resolves. @throws what `take` threw. */
  get failed(): Promise<never> {
    return this.#failed;
  }

  /** Resolves when what is being taken is taken. */
  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    await Promise.all([...this.#open].map((connection) => connection.end()));
    await closed;
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, {
      ...this.#deps,
      isBusy: () => [...this.#open].some((one) => one.journal !== undefined),
      over: () => this.#open.delete(connection),
      failed: (error) => this.#fail(error),
    });
    this.#open.add(connection);
    if (this.#open.size > MOST_CONNECTIONS) connection.turnAway("ERR_CONNECTIONS");
  }
}

interface ConnectionDeps extends MonitorFeedDeps {
  readonly isBusy: () => boolean;
  readonly over: () => void;
  readonly failed: (error: Error) => void;
}

/** One connection: first says who it is, then brings messages. Its socket is not read while some are being taken. */
class Connection {
  /** Of the gateway, once it is welcome. */
  journal: string | undefined;
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  readonly #lines = new LineSplitter(LONGEST_LINE);
  readonly #impatience: NodeJS.Timeout;
  #away = false;
  #next = 0;
  #taking: Promise<void> = Promise.resolve();

  constructor(socket: Socket, deps: ConnectionDeps) {
    this.#socket = socket;
    this.#deps = deps;
    this.#impatience = setTimeout(() => this.turnAway("ERR_CREDENTIAL"), PATIENCE);
    socket.once("close", () => {
      clearTimeout(this.#impatience);
      this.#away = true;
      // The next gateway is told what is taken once that is known.
      void this.#taking.then(deps.over);
    });
    // A gateway that goes away comes again; what it was told of is safe.
    socket.on("error", () => socket.destroy());
    socket.on("data", (piece: Buffer) => {
      socket.pause();
      this.#taking = this.#read(piece).then(() => void socket.resume(), deps.failed);
    });
  }

  async end(): Promise<void> {
    this.#away = true;
    await this.#taking;
    this.#socket.destroy();
  }

  turnAway(code: string): void {
    if (this.#away) return;
    this.#away = true;
    this.#deps.turnedAway(code);
    this.#send({ level: "refused", code });
    this.#socket.destroySoon();
  }

  async #read(piece: Buffer): Promise<void> {
    const lines = this.#away ? [] : this.#lines.push(piece);
    if (!lines) return this.turnAway("ERR_LINE_TOO_LONG");
    if (this.journal === undefined && lines.length > 0) this.#welcome(lines.shift() as Buffer);
    const { journal } = this;
    if (this.#away || journal === undefined || lines.length === 0) return;
    const messages = this.#messages(lines);
    if (!messages) return this.turnAway("ERR_PROTOCOL");
    const fresh = messages.filter(({ place }) => place >= this.#deps.taken(journal));
    if (fresh.length > 0) await this.#deps.take(journal, fresh);
    this.#send({ taken: this.#deps.taken(journal) });
  }

  #welcome(line: Buffer): void {
    const { feed, credential, journal } = helloIn(line);
    const isKnown = whose([{ credential: credentialHash(this.#deps.credential) }], credential) !== undefined;
    if (!isKnown) return this.turnAway("ERR_CREDENTIAL");
    if (feed !== MONITOR_PROTOCOL || typeof journal !== "string" || journal.length > 64)
      return this.turnAway("ERR_PROTOCOL");
    if (this.#deps.isBusy()) return this.turnAway("ERR_BUSY");
    clearTimeout(this.#impatience);
    this.journal = journal;
    this.#deps.connected();
    this.#send({ feed: MONITOR_PROTOCOL, taken: this.#deps.taken(journal), patients: this.#deps.patients });
  }

  /** @returns undefined when one is none, or does not come behind the one before. */
  #messages(lines: readonly Buffer[]): GatewayMessage[] | undefined {
    try {
      const messages = lines.map(parseGatewayLine);
      for (const { place } of messages) {
        if (place < this.#next) return undefined;
        this.#next = place + 1;
      }
      return messages;
    } catch (error) {
      if (error instanceof MalformedError) return undefined;
      throw error;
    }
  }

  #send(value: object): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(value)}\n`);
  }
}
