import type { ChainProblemKind } from "../archive/chain.ts";
import type { DeviceProblem } from "../archive/devices.ts";
import type { LeaveProblem } from "../archive/leave.ts";
import type { Hex } from "../consent/consent.ts";

/** What an audit can find wrong; each names one object and blames no other. */
export type FindingKind =
  /** The store answered and has no such block. */
  | "missing"
  /** The block's bytes are not what was anchored. */
  | "altered"
  /** As altered, and shorter than any block of its kind. */
  | "truncated"
  /** In its place lies another anchored block. */
  | "swapped"
  /** The block is what was anchored, but not of its format. */
  | "malformed"
  /** Two auditors were shown different checkpoints of one gateway at one place. */
  | "forked"
  /** A checkpoint does not fit chain, gateway or predecessor. */
  | "mismatch"
  /** Two entries under one tag: a replacement of what was anchored first. */
  | "duplicate-tag"
  /** With keys: a header or batch does not open, or its readings are not those that were signed. */
  | "invalid"
  /** With keys: a header opens, and a statement in it is not signed by its device, or not over this chunk. */
  | "signature-invalid"
  | ChainProblemKind
  | LeaveProblem
  | DeviceProblem;

export type ObjectKind = "checkpoint" | "page" | "header" | "batch" | "envelope";

export interface Finding {
  readonly kind: FindingKind;
  readonly object: ObjectKind;
  /** CID of the block at fault. */
  readonly cid: string;
  /** Index of the checkpoint it belongs to. */
  readonly checkpoint: number;
  /** Whose checkpoint that is, where what is audited has several gateways. */
  readonly gateway?: Hex;
  /** One sentence for people. */
  readonly text: string;
  /** Which data it is about, where keys tell: the epoch, in unix seconds, half-open. */
  readonly span?: { readonly from: number; readonly to: number };
}
