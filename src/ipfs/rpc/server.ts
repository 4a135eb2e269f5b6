import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { MAX_BLOCK } from "../store.ts";
import type { NodeParts } from "../parts.ts";
import { cidFrom, type Answer, type Call } from "./call.ts";
import { COMMANDS } from "./commands.ts";
import { RpcError, toRpcError } from "./errors.ts";
import { refusal } from "./guard.ts";
import { parts } from "./multipart.ts";

const PREFIX = "/api/v0/";
/** How long a client may go on sending what was refused before its connection is cut, in milliseconds. */
const PATIENCE = 10_000;

/** An HTTP server, not yet listening, that answers the subset of the Kubo RPC in `commands.ts` from this node. */
export function rpcServer(node: NodeParts): Server {
  return createServer((request, response) => {
    answer(node, request, response).catch(() => response.destroy());
  });
}

async function answer(node: NodeParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const refused = refusal(request);
  if (refused !== undefined) return plain(request, response, refused.status, refused.text);
  const url = URL.canParse(request.url ?? "", "http://node") ? new URL(request.url ?? "", "http://node") : undefined;
  const path = url?.pathname ?? "";
  const command = path.startsWith(PREFIX) ? COMMANDS.get(path.slice(PREFIX.length)) : undefined;
  if (url === undefined || command === undefined) return plain(request, response, 404, "404 page not found");
  const call: Call = {
    query: url.searchParams,
    files: () => parts(request, request.headers["content-type"], MAX_BLOCK),
  };
  try {
    await send(response, await command(node, call));
    request.resume();
  } catch (error) {
    fail(request, response, toRpcError(error, firstCid(url.searchParams)));
  }
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  if ("bytes" in answer) {
    response.writeHead(200, { "content-type": "application/vnd.ipld.raw", "content-length": answer.bytes.length });
    response.end(answer.bytes);
  } else if ("json" in answer) {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer.json) + "\n");
  } else {
    await sendLines(response, answer.lines[Symbol.asyncIterator]());
  }
}

/** The first line is made before the headers go out, so that a failure can still be a status. */
async function sendLines(response: ServerResponse, lines: AsyncIterator<unknown>): Promise<void> {
  let line = await lines.next();
  response.writeHead(200, { "content-type": "application/json", "x-chunked-output": "1", trailer: "X-Stream-Error" });
  while (line.done !== true) {
    response.write(JSON.stringify(line.value) + "\n");
    line = await lines.next();
  }
  response.end();
}

/** A client that has had part of an answer is told by a cut connection: trailers are often not looked at. */
function fail(request: IncomingMessage, response: ServerResponse, error: RpcError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, message } = error;
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ Message: message, Code: status === 400 ? 1 : 0, Type: "error" }) + "\n");
  dismiss(request);
}

function plain(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain", connection: "close" }).end(`${text}\n`);
  dismiss(request);
}

/** Lets the client finish sending, so that it gets to read the answer, but not for long. */
function dismiss(request: IncomingMessage): void {
  request.resume();
  const timer = setTimeout(() => request.destroy(), PATIENCE).unref();
  request.once("close", () => clearTimeout(timer));
}

function firstCid(query: URLSearchParams): ReturnType<typeof cidFrom> | undefined {
  try {
    return cidFrom(query.get("arg") ?? "");
  } catch {
    return undefined;
  }
}
