import { createServer, type RequestListener } from "node:http";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { sha256 } from "../../../src/bytes/hash.ts";
import { utf8 } from "../../../src/bytes/bytes.ts";
import { rawCid } from "../../../src/ipfs/cid.ts";
import { FileBlockstore } from "../../../src/ipfs/blocks.ts";

type ErrorClass<E> = abstract new (...args: never[]) => E;

/** The error of this class that the work ends with. */
export async function failure<E extends Error>(work: Promise<unknown>, type: ErrorClass<E>): Promise<E> {
  const error: unknown = await work.then(
    () => expect.fail(`no ${type.name} was thrown`),
    (error: unknown) => error,
  );
  expect(error).to.be.instanceOf(type);
  return error as E;
}

/** Makes folders that are gone when the tests end. */
export function folders(): () => Promise<string> {
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), "medseal-ipfs-"));
    made.push(folder);
    return folder;
  };
}

const made: string[] = [];
// Not in a hook: hooks that stop nodes come later than any that were registered before them.
process.once("exit", () => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** Bytes that look random, are the same each time, and differ by `label`. */
export function bytesOf(size: number, label: string): Uint8Array {
  const parts = Array.from({ length: Math.ceil(size / 32) }, (_, i) => sha256(utf8(`${label} ${i}`)));
  return new Uint8Array(Buffer.concat(parts)).subarray(0, size);
}

/** Where the embedded node in `folder` keeps the block. */
export const fileOf = (folder: string, digest: Uint8Array): string =>
  new FileBlockstore(join(folder, "blocks")).path(rawCid(digest));

/** An HTTP server on loopback with its own idea of an answer. */
export async function listening(handler: RequestListener): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer(handler);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const stop = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, stop };
}
