import { concat, keccak256, toBeHex, ZeroHash } from "ethers";

/** Seconds by which an issue time may lie ahead of the block, and for which a grant may be held back; docs/contracts.md, "Rules". */
const AHEAD = 15 * 60;
const HELD_BACK = 7 * 86_400;

export interface Entry {
  readonly issuedAt: number;
  readonly grantedAt: number;
  readonly revokedAt: number;
}

const NEVER: Entry = { issuedAt: 0, grantedAt: 0, revokedAt: 0 };

/** Why a message is refused: the name of the contract's error. */
export type Refusal =
  | "ConsentDeadlinePassed"
  | "ConsentDeadlineTooLate"
  | "ConsentSignatureInvalid"
  | "ConsentIssuedInFuture"
  | "ConsentIssuedBeforeRevokeAll"
  | "ConsentRevokedAlready"
  | "ConsentGrantedAlready";

/** What a call did: refused, done with one event, or nothing because nothing was left to do. */
export type Outcome = Refusal | "ConsentGranted" | "ConsentRevoked" | "AllConsentsRevoked" | "nothing";

export type Message =
  | {
      readonly kind: "grant";
      readonly grantor: string;
      readonly id: string;
      readonly issuedAt: number;
      readonly deadline: number;
    }
  | { readonly kind: "revoke"; readonly grantor: string; readonly id: string }
  | { readonly kind: "revokeAll"; readonly grantor: string; readonly issuedAt: number };

/** Reference model of ConsentRegistry: the rules of docs/contracts.md over plain maps, without bytes, gas or signatures. */
export class ConsentModel {
  readonly entries = new Map<string, Map<string, Entry>>();
  readonly endedBefore = new Map<string, number>();

  entryOf(grantor: string, id: string): Entry {
    return this.entries.get(grantor)?.get(id) ?? NEVER;
  }

  ended(grantor: string): number {
    return this.endedBefore.get(grantor) ?? 0;
  }

  isActive(grantor: string, id: string): boolean {
    const { issuedAt, grantedAt, revokedAt } = this.entryOf(grantor, id);
    return grantedAt !== 0 && revokedAt === 0 && issuedAt > this.ended(grantor);
  }

  /** @param counts - Whether the signature that came with the message counts. */
  relayed(message: Message, now: number, counts: boolean): Outcome {
    if (message.kind === "grant") {
      if (now > message.deadline) return "ConsentDeadlinePassed";
      if (message.deadline > message.issuedAt + HELD_BACK) return "ConsentDeadlineTooLate";
    }
    if (!counts) return "ConsentSignatureInvalid";
    switch (message.kind) {
      case "grant":
        return this.grant(message.grantor, message.id, message.issuedAt, now);
      case "revoke":
        return this.revoke(message.grantor, message.id, now);
      case "revokeAll":
        return this.revokeAll(message.grantor, message.issuedAt, now);
    }
  }

  grant(grantor: string, id: string, issuedAt: number, now: number): Outcome {
    const entry = this.entryOf(grantor, id);
    if (issuedAt > now + AHEAD) return "ConsentIssuedInFuture";
    if (issuedAt <= this.ended(grantor)) return "ConsentIssuedBeforeRevokeAll";
    if (entry.revokedAt !== 0) return "ConsentRevokedAlready";
    if (issuedAt <= entry.issuedAt) return "ConsentGrantedAlready";
    this.#set(grantor, id, { issuedAt, grantedAt: now, revokedAt: 0 });
    return "ConsentGranted";
  }

  revoke(grantor: string, id: string, now: number): Outcome {
    const entry = this.entryOf(grantor, id);
    if (entry.revokedAt !== 0) return "nothing";
    this.#set(grantor, id, { ...entry, revokedAt: now });
    return "ConsentRevoked";
  }

  revokeAll(grantor: string, issuedAt: number, now: number): Outcome {
    if (issuedAt > now + AHEAD) return "ConsentIssuedInFuture";
    if (issuedAt <= this.ended(grantor)) return "nothing";
    this.endedBefore.set(grantor, issuedAt);
    return "AllConsentsRevoked";
  }

  #set(grantor: string, id: string, entry: Entry): void {
    const entries = this.entries.get(grantor) ?? new Map<string, Entry>();
    this.entries.set(grantor, entries.set(id, entry));
  }
}

export interface Checkpoint {
  readonly root: string;
  readonly digest: string;
  readonly size: number;
}

export type AnchorOutcome = "CheckpointEmpty" | "CheckpointHeadMismatch" | "CheckpointAnchored";

/** Reference model of RecordAnchor: each gateway has a line of checkpoints, and the head after each of them. */
export class AnchorModel {
  readonly #checkpoints = new Map<string, Checkpoint[]>();
  readonly #heads = new Map<string, string[]>();

  checkpointsOf(gateway: string): readonly Checkpoint[] {
    return this.#checkpoints.get(gateway) ?? [];
  }

  /** The heads of a gateway from the first, which is zero, to the present one. */
  headsOf(gateway: string): readonly string[] {
    return this.#heads.get(gateway) ?? [ZeroHash];
  }

  headOf(gateway: string): string {
    return this.headsOf(gateway).at(-1) ?? ZeroHash;
  }

  anchor(gateway: string, checkpoint: Checkpoint, expectedHead: string): AnchorOutcome {
    if (checkpoint.size === 0) return "CheckpointEmpty";
    const head = this.headOf(gateway);
    if (expectedHead !== head) return "CheckpointHeadMismatch";
    const [checkpoints, heads] = [this.#checkpoints.get(gateway) ?? [], this.#heads.get(gateway) ?? [head]];
    checkpoints.push(checkpoint);
    heads.push(keccak256(concat([head, inner(checkpoint)])));
    this.#checkpoints.set(gateway, checkpoints);
    this.#heads.set(gateway, heads);
    return "CheckpointAnchored";
  }
}

export const inner = ({ root, digest, size }: Checkpoint): string =>
  keccak256(concat([root, digest, toBeHex(size, 8)]));
