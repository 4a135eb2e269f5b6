import type { Signer } from "ethers";
import { network } from "hardhat";
import { VETO_TYPES } from "../../src/emergency/typed-data.ts";
import { deployHospital, KIND } from "../../test/contracts/governed.ts";
import { CHANGED_SLOT, ECRECOVER, log, measure, NEW_SLOT, READ_SLOT, TRANSACTION, word, type GasRow } from "./floor.ts";
import { under, type Rules } from "./rules.ts";

type Measured =
  | `PartyRegistry.${"accredit" | "suspend" | "resume" | "revoke" | "proposeKeys" | "cancelKeys" | "retireKeys"}`
  | `EmergencyAccess.${"declare" | "end" | "postNotice" | "review" | "admit" | "dismiss" | "setQuota" | "suspend" | "reinstate"}`
  | `VaultRecovery.${"declareRecovery" | "vetoRecovery" | "vetoRecoveryBySig"}`;

export type PartyRows = Readonly<Record<Measured, GasRow>>;

// EIP-2929 for the first look at another account.
const COLD_ACCOUNT = 2_600;

/** Where the authority is, then its three slots: whether it is closed, whose the function is, who is a member. */
const AUTHORITY = READ_SLOT + COLD_ACCOUNT + 3 * READ_SLOT;
/** What was announced is struck off, and the authority says so. */
const ANNOUNCED = CHANGED_SLOT + log(3, 0);
/** The number of changes and the latest are read, one more is written. */
const STANDING = CHANGED_SLOT + READ_SLOT + NEW_SLOT;
/** The number of changes of a party and the latest. */
const LOOK_UP = 2 * READ_SLOT;
/** Team, two suspensions, reviews, and both parties' accreditations. */
const ROLE = 4 * READ_SLOT + COLD_ACCOUNT + 2 * LOOK_UP;

/** Slots set back to zero give back 4,800 each, a fifth of the whole at most (EIP-3529). */
const cleared = (slots: number, others: number): number => {
  const spent = slots * CHANGED_SLOT + others;
  return spent - Math.min(4_800 * slots, Math.floor((TRANSACTION + spent) / 5));
};

/** Functions of the governed contracts and of VaultRecovery, of parties that have acted before. */
export async function partyGas(rules: Rules): Promise<PartyRows> {
  const connection = await network.create(under(rules));
  try {
    const ground = await deployHospital(connection);
    return {
      ...(await standings(ground)),
      ...(await keys(ground)),
      ...(await emergencies(ground)),
      ...(await recoveries(ground)),
    };
  } finally {
    await connection.close();
  }
}

type Ground = Awaited<ReturnType<typeof deployHospital>>;

async function announced(ground: Ground, target: Ground["parties"] | Ground["emergency"], data: string): Promise<void> {
  await ground.manager.connect(ground.officer).schedule(target, data, 0);
  await ground.time.increase(2 * 86_400);
}

async function standings(ground: Ground) {
  const { parties, registrar, protector, officer, custodian, time } = ground;
  const by = (account: Signer) => parties.connect(account);
  const until = (await time.latest()) + 300 * 86_400;
  const accredit = (digest: string) => by(registrar).accredit(custodian, KIND.Auditor, until, digest);
  await accredit(word());
  const accredited = await measure(() => accredit(word()), AUTHORITY + STANDING + CHANGED_SLOT + log(4, 64));
  const suspended = await measure(() => by(protector).suspend(custodian), AUTHORITY + STANDING + log(2, 0));
  await announced(ground, parties, parties.interface.encodeFunctionData("resume", [custodian.address]));
  const resumed = await measure(() => by(officer).resume(custodian), AUTHORITY + ANNOUNCED + STANDING + log(2, 0));
  const revoked = await measure(() => by(protector).revoke(custodian), AUTHORITY + STANDING + log(2, 0));
  return {
    "PartyRegistry.accredit": accredited,
    "PartyRegistry.suspend": suspended,
    "PartyRegistry.resume": resumed,
    "PartyRegistry.revoke": revoked,
  };
}

async function keys({ parties, clinician, time }: Ground) {
  const owned = parties.connect(clinician);
  for (let i = 0; i < 2; i++) {
    await owned.proposeKeys(word(), word());
    await time.increase(2 * 86_400);
  }
  // The keys in force make room for the next: three slots there, three here.
  const proposed = await measure(() => owned.proposeKeys(word(), word()), 6 * CHANGED_SLOT + log(3, 64));
  const cancelled = await measure(() => owned.cancelKeys(), cleared(3, log(3, 0)));
  const { hpkeKey } = await parties.keysOf(clinician);
  const retired = await measure(() => owned.retireKeys(hpkeKey), cleared(3, READ_SLOT + log(3, 0)));
  return {
    "PartyRegistry.proposeKeys": proposed,
    "PartyRegistry.cancelKeys": cancelled,
    "PartyRegistry.retireKeys": retired,
  };
}

async function emergencies(ground: Ground) {
  const { emergency, organisation, clinician, custodian, stranger, reviewer, protector, officer } = ground;
  const by = (account: Signer) => emergency.connect(account);
  await ground.declared(60);
  const { commitment, args } = await ground.coSigned();
  // Two slots for the emergency; team, suspension, reviews and accreditation of two, and the organisation's own.
  const declared = await measure(
    () => by(clinician).declare(...args),
    ECRECOVER + 2 * NEW_SLOT + ROLE + 3 * READ_SLOT + LOOK_UP + 2 * CHANGED_SLOT - READ_SLOT + log(4, 64),
  );
  const noticed = await measure(
    () => by(custodian).postNotice(clinician, commitment, word()),
    READ_SLOT + ROLE + log(4, 32),
  );
  const ended = await measure(() => by(clinician).end(commitment), CHANGED_SLOT + log(3, 0));
  const first = await oldestOf(ground);
  await ground.time.increase(60);
  const reviewed = await measure(
    () => by(reviewer).review(clinician, first, commitment, true, word()),
    AUTHORITY + 2 * READ_SLOT + 2 * READ_SLOT + CHANGED_SLOT + log(4, 64),
  );
  const admitted = await measure(() => by(organisation).admit(stranger), NEW_SLOT + log(3, 0));
  const dismissed = await measure(() => by(organisation).dismiss(stranger), cleared(1, log(3, 0)));
  await announced(
    ground,
    emergency,
    emergency.interface.encodeFunctionData("setQuota", [organisation.address, 0x0101]),
  );
  const quota = await measure(
    () => by(officer).setQuota(organisation, 0x0101),
    AUTHORITY + ANNOUNCED + CHANGED_SLOT + log(2, 32),
  );
  const suspended = await measure(() => by(protector).suspend(clinician), AUTHORITY + NEW_SLOT + log(2, 0));
  await announced(ground, emergency, emergency.interface.encodeFunctionData("reinstate", [clinician.address]));
  const reinstated = await measure(
    () => by(officer).reinstate(clinician),
    cleared(1, AUTHORITY + ANNOUNCED + log(2, 0)),
  );
  return {
    "EmergencyAccess.declare": declared,
    "EmergencyAccess.end": ended,
    "EmergencyAccess.postNotice": noticed,
    "EmergencyAccess.review": reviewed,
    "EmergencyAccess.admit": admitted,
    "EmergencyAccess.dismiss": dismissed,
    "EmergencyAccess.setQuota": quota,
    "EmergencyAccess.suspend": suspended,
    "EmergencyAccess.reinstate": reinstated,
  };
}

/** The commitment of the clinician's first emergency. */
async function oldestOf({ emergency, clinician }: Ground): Promise<string> {
  const [event] = await emergency.queryFilter(emergency.filters.EmergencyDeclared(clinician));
  if (event === undefined) throw new Error("no emergency was declared");
  return event.args.commitment;
}

async function recoveries({ recovery, recoveryDomain, patient, stranger }: Ground) {
  const [first, second] = [word(), word()];
  const relayed = recovery.connect(stranger);
  const declared = await measure(() => relayed.declareRecovery(patient, first), NEW_SLOT + log(4, 64));
  const vetoed = await measure(() => recovery.connect(patient).vetoRecovery(first), CHANGED_SLOT + log(3, 0));
  await relayed.declareRecovery(patient, second);
  const message = { patient: patient.address, recoveryId: second };
  const signature = await patient.signTypedData(recoveryDomain, VETO_TYPES, message);
  const bySig = await measure(
    () => relayed.vetoRecoveryBySig(patient, second, signature),
    ECRECOVER + CHANGED_SLOT + log(3, 0),
  );
  return {
    "VaultRecovery.declareRecovery": declared,
    "VaultRecovery.vetoRecovery": vetoed,
    "VaultRecovery.vetoRecoveryBySig": bySig,
  };
}
