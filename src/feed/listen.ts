import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, isIPv4, isIPv6, type Server } from "node:net";
import { UsageError } from "../errors.ts";
import { isAbsent } from "../files/durable.ts";

/** Where to listen: a path of a Unix socket, or an address of this machine. */
export type Listen = { readonly path: string } | { readonly host: string; readonly port: number };

/** `127.0.0.1:9310`, `[::1]:9310`, or the path of a socket. @returns undefined for another machine's, or no port. */
export function parseListen(text: string): Listen | undefined {
  const [, host, digits] = /^\[?([0-9a-f.:]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || digits === undefined) return { path: text };
  const isLoopback = (isIPv4(host) && host.startsWith("127.")) || (isIPv6(host) && host === "::1");
  const port = Number(digits);
  return isLoopback && port <= 65_535 ? { host, port } : undefined;
}

/** The same, with the path of a socket as `from` has it. */
export const placed = (at: Listen, from: (path: string) => string): Listen =>
  "path" in at ? { path: from(at.path) } : at;

/** What is no socket is somebody's file, and is not taken away. @returns false for such a file. */
export async function isFreeForSocket(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSocket();
  } catch (error) {
    // Below what is no folder there is nothing, either; who makes something there says so.
    if (isAbsent(error) || (error instanceof Error && "code" in error && error.code === "ENOTDIR")) return true;
    throw error;
  }
}

/** @throws UsageError when the place is taken. */
export async function listenOn(server: Server, at: Listen): Promise<void> {
  if ("path" in at) await clear(at.path);
  await new Promise<void>((done, failed) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      failed(new UsageError(`the feed cannot listen there (${cause.code ?? "unknown"})`, { cause })),
    );
    if ("path" in at) server.listen(at.path, done);
    else server.listen(at.port, at.host, done);
  });
  // Who may use the socket also needs a credential; others of the machine need not even try.
  if ("path" in at) await chmod(at.path, 0o660);
}

/** The port, where it is none of a path. */
export function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === "object" ? address?.port : undefined;
}

/** Takes away the socket of a process that was killed. @throws UsageError when another process listens on it, or it is none. */
async function clear(path: string): Promise<void> {
  if (!(await isFreeForSocket(path)))
    throw new UsageError(`a place for a socket is expected, and at ${path} lies something else`);
  const alive = await new Promise<boolean>((done) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      done(true);
    });
    probe.once("error", () => done(false));
  });
  if (alive) throw new UsageError("another process listens on the feed's socket", { hint: "stop it first" });
  await unlink(path).catch((error: unknown) => {
    if (!isAbsent(error)) throw new UsageError("the feed's socket cannot be taken away", { cause: error });
  });
}
