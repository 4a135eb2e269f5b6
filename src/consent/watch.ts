import type { Hex } from "./consent.ts";

/** Names a consent without saying what it is about. */
export interface ConsentRef {
  readonly grantor: Hex;
  /** 32 bytes. */
  readonly id: Hex;
}

/** A time in which a consent was in force, by final blocks: half-open, unix seconds, open at the end when it still is. */
export interface InForce {
  readonly from: number;
  readonly until?: number;
}

/** What use cases ask of the chain about consents. Deny early, allow late: ends count from the latest block, beginnings from a final one. */
export interface ConsentWatch {
  /** Takes in what the chain says now. */
  refresh(): Promise<void>;
  /** Ended as of the latest block, or by a signed revocation that was handed over. */
  ended(ref: ConsentRef): boolean;
  /** Granted in a final block and not ended. */
  inForce(ref: ConsentRef): boolean;
  /** The times in which it was in force, oldest first. */
  intervals(ref: ConsentRef): readonly InForce[];
}
