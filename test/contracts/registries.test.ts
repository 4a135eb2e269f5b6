import { expect } from "chai";
import { GOVERNED_INTERFACES, TARGET_NAMES } from "../../src/chain/governed.ts";
import { registryCampaign } from "./registries/campaign.ts";

// Whoever calls whatever in whatever order, with roles of the table and without, at either side of every bound in time: a call ends with
// the error or the events that the reference models say, and afterwards every view of what it touched, and of something else, is theirs,
// now and at other times; every 25 steps all that the three contracts store is.

const SEED = Number(process.env["MEDSEAL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = Number(process.env["MEDSEAL_STEPS"] ?? 1_000);
/** Fewer steps than these need not meet everything. */
const ENOUGH = 10_000;

describe("devices, parties and emergencies", () => {
  it(`have the reference models' state at each step (${STEPS} steps, MEDSEAL_SEED=${SEED})`, async () => {
    const { violations, met, calls } = await registryCampaign(STEPS, SEED);
    expect(violations).to.deep.equal([]);
    expect(calls).to.equal(STEPS);
    const outcomes = Object.keys(met).join("\n");
    for (const event of ["DeviceEnrolled", "DeviceSuspended", "PartyAccredited", "KeysProposed", "EmergencyDeclared"]) {
      expect(outcomes).to.include(event);
    }
    if (calls < ENOUGH) return;
    for (const target of TARGET_NAMES) {
      for (const name of ownNames(target)) expect(outcomes, `${target} met it`).to.match(new RegExp(`\\b${name}\\b`));
    }
  }).timeout(300_000 + STEPS * 100);
});

/** Errors and events of a contract, without those of what it is built on. */
function ownNames(target: (typeof TARGET_NAMES)[number]): string[] {
  const names: string[] = [];
  const add = ({ name }: { readonly name: string }): void => {
    if (!/^(AccessManaged|Authority|ECDSA|EIP712|InvalidShort|StringTooLong|Checkpoint)/.test(name)) names.push(name);
  };
  GOVERNED_INTERFACES[target].forEachError(add);
  GOVERNED_INTERFACES[target].forEachEvent(add);
  return names;
}
