import { expect } from "chai";
import { registryCampaign } from "./registries/campaign.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = Number(process.env["MEDSEAL_STEPS"] ?? 1_000);

describe("devices, parties and emergencies", () => {
  it(`have the reference models' state at each step (${STEPS} steps, MEDSEAL_SEED=${SEED})`, async () => {
    const { violations, met, calls } = await registryCampaign(STEPS, SEED);
    expect(violations).to.deep.equal([]);
    expect(calls).to.equal(STEPS);
    if (process.env["MEDSEAL_MET"]) console.log(met);
  }).timeout(STEPS * 200);
});
