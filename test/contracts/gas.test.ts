import { expect } from "chai";
import { benchGas } from "../../scripts/bench/gas.ts";

describe("gas", () => {
  it("keeps its limits, with little above the protocol's floor, and does not grow with the readings", async () => {
    // `npm run bench -- gas` goes to 100,000 readings.
    const { flat, pass: _pass, ...rows } = await benchGas([10, 1000]);
    for (const [name, { gas, limit = Infinity, ratio }] of Object.entries(rows)) {
      expect(gas, name).to.be.at.most(limit);
      // A message of a batch bears a tenth of the 21,000 gas beside which the contract's own work looks small.
      expect(ratio, `${name} over its floor`).to.be.within(1, name.includes("Many") ? 1.2 : 1.15);
    }
    expect(flat.pass, JSON.stringify(flat.rows)).to.equal(true);
  });
});
