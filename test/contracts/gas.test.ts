import { expect } from "chai";
import { benchGas } from "../../scripts/bench/gas.ts";

const ANNOUNCED = ["PartyRegistry.resume", "EmergencyAccess.setQuota", "EmergencyAccess.reinstate"];

describe("gas", () => {
  it("keeps its limits, with little above the protocol's floor, and does not grow with the readings", async () => {
    // `npm run bench -- gas` goes to 100,000 readings.
    const { flat, withoutPrecompile: _solidity, pass: _pass, ...rows } = await benchGas([10, 1000]);
    for (const [name, { gas, limit = Infinity, ratio }] of Object.entries(rows)) {
      expect(gas, name).to.be.at.most(limit);
      // What an officer has announced passes through AccessManager three times; a message of a batch bears a tenth of the 21,000 gas beside
      // which the contract's own work looks small.
      const most = ANNOUNCED.includes(name) || name.includes("Many") ? 1.2 : 1.15;
      expect(ratio, `${name} over its floor`).to.be.within(1, most);
    }
    expect(flat.pass, JSON.stringify(flat.rows)).to.equal(true);
  });
});
