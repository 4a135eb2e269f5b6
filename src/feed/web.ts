import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { UsageError } from "../errors.ts";

/** What is told over HTTP: to programs of this machine, and no health data. */
export interface Told {
  /** Problems that a person should look at; healthy without any. */
  health(): readonly string[];
  metrics(): string;
  status(): object;
}

/** `/health`, `/metrics` and `/status` on loopback. */
export class Web {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws UsageError when the port is taken. */
  static async listen({ host, port }: { host: string; port: number }, told: Told): Promise<Web> {
    const pages: Readonly<Record<string, () => [status: number, type: string, text: string]>> = {
      "/health": () => {
        const problems = told.health();
        const status = problems.length === 0 ? "ok" : "failing";
        return [problems.length === 0 ? 200 : 503, "application/json", `${JSON.stringify({ status, problems })}\n`];
      },
      "/metrics": () => [200, "text/plain; version=0.0.4", told.metrics()],
      "/status": () => [200, "application/json", `${JSON.stringify(told.status())}\n`],
    };
    const server = createServer({ headersTimeout: 5000, requestTimeout: 5000 }, (request, response) => {
      const page = pages[request.url ?? ""];
      // A page of a browser may name this address; no browser sends such a host, or is told anything.
      const local = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)(:\d+)?$/.test(request.headers.host ?? "");
      const [status, type, text] =
        request.method !== "GET" || !page || !local || request.headers.origin !== undefined
          ? [404, "text/plain", "not found\n"]
          : page();
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    });
    await new Promise<void>((done, failed) => {
      server.once("error", (cause: NodeJS.ErrnoException) =>
        failed(new UsageError(`the port for health and metrics cannot be used (${cause.code ?? "unknown"})`, { cause })),
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
