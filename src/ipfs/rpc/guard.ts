import type { IncomingMessage } from "node:http";

const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i;

/**
 * Why a request is not even looked at, as Kubo does it: other methods than POST, and everything that a web page may have
 * sent. Pages must not reach this node, not even by a name of theirs that points to this machine.
 */
export function refusal(request: IncomingMessage): { status: number; text: string } | undefined {
  const { headers, method } = request;
  if (method !== "POST") return { status: 405, text: "405 - Method Not Allowed" };
  const page = headers.origin ?? headers.referer ?? headers["sec-fetch-site"];
  const browser = headers["user-agent"]?.startsWith("Mozilla") ?? false;
  const local = LOCAL_HOST.test(headers.host ?? "");
  return page !== undefined || browser || !local ? { status: 403, text: "403 - Forbidden" } : undefined;
}
