import { hash } from "node:crypto";
import { createRequire } from "node:module";

/** Hashes of 64 bytes a second, one call each: a reading takes at least two, its leaf and a node of the tree. */
export interface HashRate {
  perSecond(): number;
  readonly by: string;
}

interface HashWasm {
  createSHA256(): Promise<{ init(): { update(bytes: Uint8Array): { digest(form: "binary"): Uint8Array } } }>;
}

const CALLS = 400_000;

/** By hash-wasm where it is installed; otherwise by node's one-shot hash in its fastest form, which is twice as fast, so a harder bound. */
export async function hashRate(): Promise<HashRate> {
  const bytes = new Uint8Array(64);
  const wasm = installed();
  if (wasm) {
    const hasher = await wasm.createSHA256();
    return { by: "hash-wasm", perSecond: () => rate(bytes, () => hasher.init().update(bytes).digest("binary")) };
  }
  return { by: "node:crypto hash", perSecond: () => rate(bytes, () => hash("sha256", bytes, "binary")) };
}

function installed(): HashWasm | undefined {
  try {
    return createRequire(import.meta.url)("hash-wasm") as HashWasm;
  } catch {
    return undefined;
  }
}

function rate(bytes: Uint8Array, call: () => unknown): number {
  const start = performance.now();
  for (let i = 0; i < CALLS; i++) {
    bytes[0] = i;
    call();
  }
  return (CALLS / (performance.now() - start)) * 1000;
}
