import type { GovernedName } from "../../src/chain/governed.ts";

const DAY = 86_400;

export type RoleName =
  "ADMIN" | "GUARDIAN" | "STEWARD" | "REGISTRAR" | "PROTECTOR" | "OFFICER" | "REVIEWER" | "CUSTODIAN" | "CONFIGURATION";

export interface Role {
  readonly name: RoleName;
  readonly id: bigint;
  readonly purpose: string;
  /** Whose members appoint and dismiss. */
  readonly admin: RoleName;
  /** Whose members may cancel what members of this role have scheduled. */
  readonly guardian: RoleName;
  /** Seconds from an appointment until it counts. */
  readonly grantDelay: number;
  /** Seconds that a member must wait between saying in public what it will do and doing it. */
  readonly executionDelay: number;
  readonly may: Readonly<Partial<Record<GovernedName, readonly string[]>>>;
}

/**
 * Who governs, all of it: deployment, hand-over, the report and the tests follow this table.
 *
 * What protects has no delay; what is dangerous is announced and can be cancelled. Appointing an OFFICER is up to ADMIN, so
 * that nobody gets that role with a shorter delay without three days' notice.
 */
export const ROLES: readonly Role[] = [
  {
    name: "ADMIN",
    id: 0n,
    purpose: "configures: which role may call what, who appoints whom",
    admin: "ADMIN",
    guardian: "ADMIN",
    grantDelay: 0,
    executionDelay: 3 * DAY,
    may: {},
  },
  {
    name: "GUARDIAN",
    id: 1n,
    purpose: "cancels what ADMIN or OFFICER have announced, dismissals and another authority excepted",
    admin: "ADMIN",
    guardian: "ADMIN",
    grantDelay: 0,
    executionDelay: 0,
    may: {},
  },
  {
    name: "STEWARD",
    id: 2n,
    purpose: "appoints and dismisses registrars, protectors, reviewers and custodians",
    admin: "ADMIN",
    guardian: "ADMIN",
    grantDelay: 0,
    executionDelay: 0,
    may: {},
  },
  {
    name: "REGISTRAR",
    id: 3n,
    purpose: "accredits parties, enrolls devices and exchanges their keys",
    admin: "STEWARD",
    guardian: "ADMIN",
    grantDelay: 2 * DAY,
    executionDelay: 0,
    may: { DeviceRegistry: ["enroll", "rotate"], PartyRegistry: ["accredit"] },
  },
  {
    name: "PROTECTOR",
    id: 4n,
    purpose: "suspends, revokes, retires and recalls, at once",
    admin: "STEWARD",
    guardian: "ADMIN",
    grantDelay: 0,
    executionDelay: 0,
    may: {
      DeviceRegistry: ["suspend", "retire", "recall"],
      PartyRegistry: ["suspend", "revoke"],
      EmergencyAccess: ["suspend"],
    },
  },
  {
    name: "OFFICER",
    id: 5n,
    purpose: "ends suspensions and sets quotas, after a delay",
    admin: "ADMIN",
    guardian: "GUARDIAN",
    grantDelay: 2 * DAY,
    executionDelay: 2 * DAY,
    may: { DeviceRegistry: ["resume"], PartyRegistry: ["resume"], EmergencyAccess: ["reinstate", "setQuota"] },
  },
  {
    name: "REVIEWER",
    id: 6n,
    purpose: "reviews emergencies",
    admin: "STEWARD",
    guardian: "ADMIN",
    grantDelay: 2 * DAY,
    executionDelay: 0,
    may: { EmergencyAccess: ["review"] },
  },
  {
    name: "CUSTODIAN",
    id: 7n,
    purpose: "answers for devices: takes custody that is offered",
    admin: "STEWARD",
    guardian: "ADMIN",
    grantDelay: 2 * DAY,
    executionDelay: 0,
    may: { DeviceRegistry: ["acceptCustody"] },
  },
  {
    name: "CONFIGURATION",
    id: 8n,
    purpose:
      "nobody's: it only makes GUARDIAN the guardian of ADMIN's own functions, which AccessManager leaves to ADMIN all the same",
    admin: "ADMIN",
    guardian: "GUARDIAN",
    grantDelay: 0,
    executionDelay: 0,
    may: {
      // Without `revokeRole`: a guardian could otherwise cancel its own dismissal for ever.
      AccessManager: [
        "grantRole",
        "labelRole",
        "setGrantDelay",
        "setRoleAdmin",
        "setRoleGuardian",
        "setTargetAdminDelay",
        "setTargetClosed",
        "setTargetFunctionRole",
        "updateAuthority",
      ],
    },
  },
];

/** Roles that somebody holds. */
export const HELD_ROLES = ROLES.filter(({ name }) => name !== "CONFIGURATION");

export function roleOf(name: RoleName): Role {
  const role = ROLES.find((candidate) => candidate.name === name);
  if (role === undefined) throw new Error(`no role ${name}`);
  return role;
}
