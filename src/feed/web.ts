import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { UsageError } from "../errors.ts";
import type { Fate } from "./levels.ts";

/** What is told over HTTP: to programs of this machine, and no health data. */
export interface Told {
  /** Problems that a person should look at; healthy without any. */
  health(): readonly string[];
  metrics(): string;
  status(): object;
  /** What became of one message. */
  message(device: string, counter: number): Fate | undefined;
}

type Page = readonly [status: number, type: string, text: string];

const NOT_FOUND: Page = [404, "text/plain", "not found\n"];

/** `/health`, `/metrics`, `/message` and `/status` on loopback. */
export class Web {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws UsageError when the port is taken. */
  static async listen({ host, port }: { host: string; port: number }, told: Told): Promise<Web> {
    const json = (value: object, status = 200): Page => [status, "application/json", `${JSON.stringify(value)}\n`];
    const pages: Readonly<Record<string, (asked: URLSearchParams) => Page>> = {
      "/health": () => {
        const problems = told.health();
        const healthy = problems.length === 0;
        return json({ status: healthy ? "ok" : "failing", problems }, healthy ? 200 : 503);
      },
      "/metrics": () => [200, "text/plain; version=0.0.4", told.metrics()],
      "/status": () => json(told.status()),
      "/message": (asked) => {
        const fate = told.message(asked.get("device") ?? "", Number(asked.get("counter") ?? NaN));
        if (!fate) return NOT_FOUND;
        const { level, received, sent, skew, quarantined, block, blockTime } = fate;
        return json({ level, received, sent, skew, quarantined, block, blockTime });
      },
    };
    const server = createServer({ headersTimeout: 5000, requestTimeout: 5000 }, (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://gateway");
      const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined;
      // A web page may send its browser here; it is told nothing.
      const local = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)(:\d+)?$/.test(request.headers.host ?? "");
      const allowed = request.method === "GET" && local && request.headers.origin === undefined;
      const [status, type, text] = allowed && page ? page(searchParams) : NOT_FOUND;
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    });
    await new Promise<void>((done, failed) => {
      server.once("error", (cause: NodeJS.ErrnoException) =>
        failed(
          new UsageError(`the port for health and metrics cannot be used (${cause.code ?? "unknown"})`, { cause }),
        ),
      );
      server.listen(port, host, done);
    });
    return new Web(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(() => done()));
  }
}
