import { ZeroHash } from "ethers";
import { mapped, put, type Outcome, type Slots } from "./outcome.ts";
import type { PartyModel } from "./partyModel.ts";

const HOUR = 3600;
export const LONGEST = 4 * HOUR;
export const REVIEW_TERM = 14 * 24 * HOUR;
const WEEK = 7 * 24 * HOUR;

/** As IPartyRegistry counts kinds, and IEmergencyAccess what is in the way of a role. */
const [ORGANISATION, CLINICIAN] = [1, 2];
export const ROLE = {
  held: 0,
  organisationSuspended: 1,
  organisationNotAccredited: 2,
  notOnTeam: 3,
  clinicianSuspended: 4,
  reviewOverdue: 5,
  clinicianNotAccredited: 6,
} as const;

export interface Emergency {
  readonly commitment: string;
  readonly organisation: string;
  readonly coSigner: string;
  readonly declaredAt: number;
  endsAt: number;
}

/** A declaration as it is sent. */
export interface Declaring {
  readonly organisation: string;
  readonly commitment: string;
  readonly term: number;
  readonly coSigner: string;
  readonly deadline: number;
  /** Whether the co-signer signed exactly this. */
  readonly signed: boolean;
}

/** Reference model of EmergencyAccess: each clinician's emergencies in their order, of which the first few are reviewed. */
export class EmergencyModel {
  readonly emergencies = new Map<string, Emergency[]>();
  readonly reviewed = new Map<string, number>();
  readonly quotas = new Map<string, { quota: number; used: number; week: number }>();
  readonly teams = new Set<string>();
  readonly suspendedAt = new Map<string, number>();
  readonly #parties: PartyModel;
  readonly #may: (caller: string, method: string) => boolean;

  constructor(parties: PartyModel, may: (caller: string, method: string) => boolean) {
    this.#parties = parties;
    this.#may = may;
  }

  declare(by: string, sent: Declaring, now: number): Outcome {
    const { organisation, commitment, term, coSigner, deadline, signed } = sent;
    if (term === 0 || term > LONGEST) return "EmergencyTermInvalid";
    if (now > deadline) return "EmergencyDeadlinePassed";
    if (coSigner === by) return "EmergencyCoSignerIsDeclarant";
    if (this.#find(by, commitment) !== undefined) return "EmergencyDeclaredAlready";
    const held = [by, coSigner].every((clinician) => this.roleStatus(organisation, clinician, now) === ROLE.held);
    if (!held) return "EmergencyRoleNotHeld";
    if (!signed) return "EmergencyCoSignatureInvalid";
    const { quota, used } = this.quotaOf(organisation, now);
    if (used >= quota) return "EmergencyQuotaUsed";
    this.quotas.set(organisation, { quota, used: used + 1, week: Math.floor(now / WEEK) });
    const emergency = { commitment, organisation, coSigner, declaredAt: now, endsAt: now + term };
    this.emergencies.set(by, [...this.declaredBy(by), emergency]);
    return [["EmergencyDeclared", by, organisation, commitment, coSigner, now + term]];
  }

  end(by: string, commitment: string, now: number): Outcome {
    const emergency = this.#find(by, commitment);
    if (emergency === undefined) return "EmergencyUnknown";
    if (now >= emergency.endsAt) return "EmergencyNotOpen";
    emergency.endsAt = now;
    return [["EmergencyEnded", by, commitment]];
  }

  postNotice(by: string, declarant: string, commitment: string, notice: string, now: number): Outcome {
    if (!this.isOpen(declarant, commitment, now)) return "EmergencyNotOpen";
    return [["NoticePosted", by, declarant, commitment, notice]];
  }

  review(
    by: string,
    declarant: string,
    commitment: string,
    next: string,
    justified: boolean,
    report: string,
    now: number,
  ): Outcome {
    if (!this.#may(by, "review")) return "AccessManagedUnauthorized";
    const emergency = this.#find(declarant, commitment);
    if (emergency === undefined) return "EmergencyUnknown";
    if (by === declarant || by === emergency.coSigner) return "EmergencyReviewOfOwn";
    if (now < emergency.endsAt) return "EmergencyNotOver";
    const [open, following] = this.#withoutReview(declarant);
    if (emergency !== open) return "EmergencyReviewOutOfOrder";
    if (next !== (following?.commitment ?? ZeroHash)) return "EmergencyNextMismatch";
    this.reviewed.set(declarant, this.reviewedOf(declarant) + 1);
    const done = ["EmergencyReviewed", declarant, commitment, by, justified, report] as const;
    return justified ? [done] : [done, ...this.#suspend(declarant, now)];
  }

  admit(by: string, clinician: string): Outcome {
    if (this.isOnTeam(by, clinician)) return [];
    this.teams.add(`${by} ${clinician}`);
    return [["TeamMemberAdmitted", by, clinician]];
  }

  dismiss(by: string, clinician: string): Outcome {
    return this.teams.delete(`${by} ${clinician}`) ? [["TeamMemberDismissed", by, clinician]] : [];
  }

  setQuota(by: string, organisation: string, quota: number): Outcome {
    if (!this.#may(by, "setQuota")) return "AccessManagedUnauthorized";
    this.quotas.set(organisation, { used: 0, week: 0, ...this.quotas.get(organisation), quota });
    return [["QuotaSet", organisation, quota]];
  }

  suspend(by: string, account: string, now: number): Outcome {
    return this.#may(by, "suspend") ? this.#suspend(account, now) : "AccessManagedUnauthorized";
  }

  reinstate(by: string, account: string): Outcome {
    if (!this.#may(by, "reinstate")) return "AccessManagedUnauthorized";
    return this.suspendedAt.delete(account) ? [["RoleReinstated", account]] : "EmergencyNotSuspended";
  }

  declaredBy(clinician: string): readonly Emergency[] {
    return this.emergencies.get(clinician) ?? [];
  }

  reviewedOf(clinician: string): number {
    return this.reviewed.get(clinician) ?? 0;
  }

  /** From when on the role is lost; zero when everything is reviewed. */
  reviewDueAt(clinician: string): number {
    const [oldest] = this.#withoutReview(clinician);
    return oldest === undefined ? 0 : oldest.declaredAt + REVIEW_TERM;
  }

  quotaOf(organisation: string, now: number): { readonly quota: number; readonly used: number } {
    const { quota, used, week } = this.quotas.get(organisation) ?? { quota: 0, used: 0, week: 0 };
    return { quota, used: week === Math.floor(now / WEEK) ? used : 0 };
  }

  isOnTeam(organisation: string, clinician: string): boolean {
    return this.teams.has(`${organisation} ${clinician}`);
  }

  isOpen(declarant: string, commitment: string, now: number): boolean {
    const emergency = this.#find(declarant, commitment);
    if (emergency === undefined || now >= emergency.endsAt) return false;
    return this.roleStatus(emergency.organisation, declarant, now) === ROLE.held;
  }

  roleStatus(organisation: string, clinician: string, now: number): number {
    if (this.suspendedAt.has(organisation)) return ROLE.organisationSuspended;
    if (!this.#parties.isAccredited(organisation, ORGANISATION, now)) return ROLE.organisationNotAccredited;
    if (!this.isOnTeam(organisation, clinician)) return ROLE.notOnTeam;
    if (this.suspendedAt.has(clinician)) return ROLE.clinicianSuspended;
    const dueAt = this.reviewDueAt(clinician);
    if (dueAt !== 0 && now >= dueAt) return ROLE.reviewOverdue;
    return this.#parties.isAccredited(clinician, CLINICIAN, now) ? ROLE.held : ROLE.clinicianNotAccredited;
  }

  slots(authority: string): Slots {
    const slots: Slots = new Map();
    put(slots, mapped(2), authority);
    for (const [declarant, emergencies] of this.emergencies) {
      for (const [number, { commitment, organisation, coSigner, declaredAt, endsAt }] of emergencies.entries()) {
        const times = (BigInt(declaredAt) << 160n) | (BigInt(endsAt) << 208n);
        const vouched = BigInt(coSigner) | (BigInt(number) << 160n);
        put(slots, mapped(3, declarant, commitment), BigInt(organisation) | times, vouched);
      }
      const [oldest] = this.#withoutReview(declarant);
      const counts = BigInt(emergencies.length) | (BigInt(this.reviewedOf(declarant)) << 32n);
      put(slots, mapped(4, declarant), counts | (BigInt(oldest?.declaredAt ?? 0) << 64n));
    }
    for (const [organisation, { quota, used, week }] of this.quotas) {
      put(slots, mapped(5, organisation), BigInt(quota) | (BigInt(used) << 32n) | (BigInt(week) << 64n));
    }
    for (const member of this.teams) put(slots, mapped(6, ...member.split(" ")), 1);
    for (const [account, since] of this.suspendedAt) put(slots, mapped(7, account), since);
    return slots;
  }

  #suspend(account: string, now: number): Exclude<Outcome, string> {
    if (this.suspendedAt.has(account)) return [];
    this.suspendedAt.set(account, now);
    return [["RoleSuspended", account]];
  }

  #withoutReview(clinician: string): readonly Emergency[] {
    return this.declaredBy(clinician).slice(this.reviewedOf(clinician));
  }

  #find(declarant: string, commitment: string): Emergency | undefined {
    return this.declaredBy(declarant).find((emergency) => emergency.commitment === commitment);
  }
}
