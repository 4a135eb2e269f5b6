import type { SealContext } from "../../../src/seal/context.ts";

/** A context in which every field differs from zero and from the others. */
export const PLACE: SealContext = {
  chainId: 31337n,
  anchor: new Uint8Array(20).fill(0xa1),
  gateway: new Uint8Array(20).fill(0xb2),
  stream: new Uint8Array(32).fill(0xc3),
  generation: 4,
  epoch: 495_000,
  n: 6,
  kind: "batch",
};

/** The same place with one field after the other exchanged. */
export const OTHER_PLACES: Record<keyof SealContext, SealContext> = {
  chainId: { ...PLACE, chainId: 1n },
  anchor: { ...PLACE, anchor: PLACE.gateway },
  gateway: { ...PLACE, gateway: PLACE.anchor },
  stream: { ...PLACE, stream: new Uint8Array(32).fill(0xc4) },
  generation: { ...PLACE, generation: 5 },
  epoch: { ...PLACE, epoch: 495_001 },
  n: { ...PLACE, n: 7 },
  kind: { ...PLACE, kind: "header" },
};

/** What a promise was refused with; `undefined` when it was not. */
export const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
