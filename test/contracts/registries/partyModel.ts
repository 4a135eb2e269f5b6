import { ZeroHash } from "ethers";
import { change, mapped, put, putHistory, standingAt, type Change, type Outcome, type Slots } from "./outcome.ts";

/** As the interface counts them. */
export const PARTY_STATUS = { none: 0, accredited: 1, expired: 2, suspended: 3, revoked: 4 } as const;

/** Longest accreditation, and how long a change of keys waits. */
export const LONGEST_TERM = 3 * 365 * 86_400;
export const KEY_DELAY = 2 * 86_400;

interface Standing {
  readonly mark: "good" | "suspended" | "revoked";
  readonly kind: number;
  readonly validUntil: number;
}

export interface Keys {
  readonly hpkeKey: string;
  readonly viewKey: string;
  readonly activeFrom: number;
}
export const NO_KEYS: Keys = { hpkeKey: ZeroHash, viewKey: ZeroHash, activeFrom: 0 };

interface Party {
  readonly history: Change<Standing>[];
  credential: string;
  /** The last ones that came into force and made room for a proposal. */
  settled: Keys;
  proposed: Keys;
}

const MARKS = { good: 1n, suspended: 2n, revoked: 3n };

/** Reference model of PartyRegistry: how each party stood from when on, and its keys. */
export class PartyModel {
  readonly parties = new Map<string, Party>();
  readonly #may: (caller: string, method: string) => boolean;

  /** @param may - Whether the caller has the role that the authority asks for this function. */
  constructor(may: (caller: string, method: string) => boolean) {
    this.#may = may;
  }

  accredit(by: string, party: string, kind: number, until: number, credential: string, now: number): Outcome {
    if (!this.#may(by, "accredit")) return "AccessManagedUnauthorized";
    if (kind === 0) return "PartyKindMissing";
    if (credential === ZeroHash) return "PartyCredentialMissing";
    if (until <= now || until > now + LONGEST_TERM) return "PartyTermInvalid";
    const standing = this.#latest(party);
    if (standing?.mark === "revoked") return "PartyRevokedAlready";
    if (standing?.mark === "suspended") return "PartyIsSuspended";
    if (standing !== undefined && standing.kind !== kind) return "PartyKindDiffers";
    this.#of(party).credential = credential;
    change(this.#of(party).history, now, { mark: "good", kind, validUntil: until });
    return [["PartyAccredited", party, by, kind, until, credential]];
  }

  suspend(by: string, party: string, now: number): Outcome {
    if (!this.#may(by, "suspend")) return "AccessManagedUnauthorized";
    const standing = this.#latest(party);
    if (standing === undefined) return "PartyUnknown";
    if (standing.mark !== "good") return [];
    change(this.#of(party).history, now, { ...standing, mark: "suspended" });
    return [["PartySuspended", party]];
  }

  resume(by: string, party: string, now: number): Outcome {
    if (!this.#may(by, "resume")) return "AccessManagedUnauthorized";
    const standing = this.#latest(party);
    if (standing === undefined) return "PartyUnknown";
    if (standing.mark === "revoked") return "PartyRevokedAlready";
    if (standing.mark === "good") return "PartyNotSuspended";
    change(this.#of(party).history, now, { ...standing, mark: "good" });
    return [["PartyResumed", party]];
  }

  revoke(by: string, party: string, now: number): Outcome {
    if (!this.#may(by, "revoke")) return "AccessManagedUnauthorized";
    const standing = this.#latest(party);
    if (standing === undefined) return "PartyUnknown";
    if (standing.mark === "revoked") return [];
    change(this.#of(party).history, now, { ...standing, mark: "revoked" });
    return [["PartyRevoked", party]];
  }

  proposeKeys(by: string, hpkeKey: string, viewKey: string, now: number): Outcome {
    if (hpkeKey === ZeroHash || viewKey === ZeroHash) return "PartyKeyMissing";
    const party = this.#settle(by, now);
    party.proposed = { hpkeKey, viewKey, activeFrom: now + KEY_DELAY };
    return [["KeysProposed", by, hpkeKey, viewKey, now + KEY_DELAY]];
  }

  cancelKeys(by: string, now: number): Outcome {
    const { hpkeKey } = this.proposedKeysOf(by, now);
    if (hpkeKey === ZeroHash) return "PartyKeysNotProposed";
    this.#of(by).proposed = NO_KEYS;
    return [["KeysProposalCancelled", by, hpkeKey]];
  }

  retireKeys(by: string, hpkeKey: string, now: number): Outcome {
    if (hpkeKey === ZeroHash || this.keysOf(by, now).hpkeKey !== hpkeKey) return "PartyKeyNotInForce";
    this.#settle(by, now).settled = NO_KEYS;
    return [["KeysRetired", by, hpkeKey]];
  }

  keysOf(party: string, now: number): Keys {
    const { settled, proposed } = this.#look(party);
    return proposed.activeFrom !== 0 && now >= proposed.activeFrom ? proposed : settled;
  }

  proposedKeysOf(party: string, now: number): Keys {
    const { proposed } = this.#look(party);
    return now < proposed.activeFrom ? proposed : NO_KEYS;
  }

  statusAt(party: string, time: number): number {
    const standing = standingAt(this.#look(party).history, time);
    if (standing === undefined) return PARTY_STATUS.none;
    if (standing.mark === "good") return time < standing.validUntil ? PARTY_STATUS.accredited : PARTY_STATUS.expired;
    return PARTY_STATUS[standing.mark];
  }

  isAccredited(party: string, kind: number, now: number): boolean {
    return this.#latest(party)?.kind === kind && this.statusAt(party, now) === PARTY_STATUS.accredited;
  }

  accreditationOf(party: string): readonly [kind: number, validUntil: number, credential: string] {
    const { kind = 0, validUntil = 0 } = this.#latest(party) ?? {};
    return [kind, validUntil, this.#look(party).credential];
  }

  slots(authority: string): Slots {
    const slots: Slots = new Map();
    put(slots, mapped(0), authority);
    for (const [party, { history, credential, settled, proposed }] of this.parties) {
      putHistory(
        slots,
        mapped(1, party),
        history,
        ({ mark, kind, validUntil }) => BigInt(validUntil) | (BigInt(kind) << 48n) | (MARKS[mark] << 56n),
      );
      put(slots, mapped(2, party), credential);
      put(slots, mapped(3, party), settled.hpkeKey, settled.viewKey, settled.activeFrom);
      put(slots, mapped(4, party), proposed.hpkeKey, proposed.viewKey, proposed.activeFrom);
    }
    return slots;
  }

  #latest(party: string): Standing | undefined {
    return this.#look(party).history.at(-1)?.value;
  }

  /** What came into force makes room for the next. */
  #settle(by: string, now: number): Party {
    const party = this.#of(by);
    const inForce = this.keysOf(by, now);
    if (inForce === party.proposed) Object.assign(party, { settled: inForce, proposed: NO_KEYS });
    return party;
  }

  #look(party: string): Readonly<Party> {
    return this.parties.get(party) ?? { history: [], credential: ZeroHash, settled: NO_KEYS, proposed: NO_KEYS };
  }

  #of(party: string): Party {
    const found = this.parties.get(party) ?? { ...this.#look(party) };
    this.parties.set(party, found);
    return found;
  }
}
