import { hex, utf8 } from "../bytes/bytes.ts";
import { hmac } from "../bytes/hash.ts";
import { UsageError } from "../errors.ts";
import type { Notice } from "./notice.ts";

/** A notice as it goes over a network: `id` tells what comes twice. */
export interface SignedNotice {
  readonly id: string;
  /** Unix seconds of this try, in decimal. */
  readonly time: string;
  readonly signature: string;
  /** The notice as JSON. */
  readonly body: string;
}

/** @param time - Unix seconds. */
export function signNotice(secret: Uint8Array, notice: Notice, time: number): SignedNotice {
  const body = JSON.stringify(notice);
  return { id: notice.id, time: String(time), signature: noticeSignature(secret, String(time), body), body };
}

/** HMAC-SHA-256 of time, a full stop and body: who shares the secret knows who sends, and that it is not of yesterday. */
export const noticeSignature = (secret: Uint8Array, time: string, body: string): string =>
  `sha256=${hex(hmac(secret, utf8(`${time}.${body}`)))}`;

export const unixSeconds = (): number => Math.floor(Date.now() / 1000);

/**
 * An address that notices go to.
 *
 * @param scheme - Of TLS; the one without its `s` is only for this machine.
 * @throws UsageError for an address that would show the notice on its way.
 */
export function receiverAddress(url: string, scheme: "https" | "mqtts", what: string): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  const isHere = ["127.0.0.1", "[::1]", "localhost"].includes(target?.hostname ?? "");
  const isSafe = target?.protocol === `${scheme}:` || (isHere && target?.protocol === `${scheme.slice(0, -1)}:`);
  if (!target?.hostname || !isSafe) throw new UsageError(`a ${what} is an ${scheme} address, or one of this machine`);
  return target;
}
