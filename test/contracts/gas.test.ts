import { expect } from "chai";
import type { Interface } from "ethers";
import { INTERFACES } from "../../src/chain/contracts.ts";
import { functionsOf, GOVERNED_INTERFACES } from "../../src/chain/governed.ts";
import { VaultRecovery__factory } from "../../typechain-types/factories/VaultRecovery__factory.ts";
import { benchGas } from "../../scripts/bench/gas.ts";
import { gasTable } from "../../scripts/bench/gas-table.ts";

const ANNOUNCED = ["PartyRegistry.resume", "EmergencyAccess.setQuota", "EmergencyAccess.reinstate"];
/** Changes of slots that are there already, which cost the same under rules where a new slot is dear. */
const STEADY = ["anchor", "revoke", "revokeBySig", "revokeAll", "PartyRegistry.proposeKeys", "EmergencyAccess.end"];

/** Functions of a contract that can change something, but `setAuthority`, which is the authority's own. */
const changing = (contract: Interface): string[] =>
  functionsOf(contract)
    .filter(({ name, constant }) => !constant && name !== "setAuthority")
    .map(({ name }) => name);

describe("gas", () => {
  // `npm run bench -- gas` goes to 100,000 readings and entries.
  let bench: Awaited<ReturnType<typeof benchGas>>;
  before(async () => {
    bench = await benchGas([10, 200]);
  });

  it("keeps its limits, with little above the protocol's floor", () => {
    for (const [name, { gas, limit = Infinity, ratio }] of Object.entries(bench.rows)) {
      expect(gas, name).to.be.at.most(limit);
      // What an officer has announced passes through AccessManager three times; a message of a batch bears a tenth of the 21,000 gas beside
      // which the contract's own work looks small; a rule is decoded, hashed and emitted, each time as a whole.
      const most =
        ANNOUNCED.includes(name) || name.includes("Many") ? 1.2 : name === "AlertRules.publish" ? 1.25 : 1.15;
      expect(ratio, `${name} over its floor`).to.be.within(1, most);
    }
  });

  it("has a row for every function that can change something", () => {
    const { ConsentRegistry, RecordAnchor, AlertRules } = INTERFACES;
    const { DeviceRegistry, PartyRegistry, EmergencyAccess } = GOVERNED_INTERFACES;
    const VaultRecovery = VaultRecovery__factory.createInterface();
    const contracts = { AlertRules, DeviceRegistry, PartyRegistry, EmergencyAccess, VaultRecovery };
    const functions = [RecordAnchor, ConsentRegistry].flatMap(changing);
    for (const [name, each] of Object.entries(contracts)) {
      functions.push(...changing(each).map((method) => `${name}.${method}`));
    }
    expect(Object.keys(bench.rows)).to.include.members(functions);
  });

  it("does not grow with readings or entries", () => {
    const { flat, entries } = bench;
    expect(flat.pass, JSON.stringify(flat.rows)).to.equal(true);
    expect(entries.pass, JSON.stringify(entries.rows)).to.equal(true);
  });

  it("is less than that of EAS and AccessControl, deployed beside it", () => {
    for (const { of, peer, ratio, atMost, peerOverFloor } of bench.comparison) {
      expect(ratio, `${of} over ${peer}`).to.be.within(0.01, atMost);
      expect(peerOverFloor, `${peer} over the floor of ${of}`).to.be.at.least(bench.rows[of].ratio);
    }
  });

  it("is the same under Amsterdam's rules where no slot is new, within 5 %", () => {
    const { rows, amsterdam } = bench;
    for (const name of STEADY) {
      const { gas } = rows[name as keyof typeof rows];
      // Zero bytes by chance are 12 gas each.
      expect((amsterdam[name] ?? NaN) / gas, name).to.be.within(0.99, 1.05);
    }
  });

  it("of a list is a figure for each of its items, and the table has every row", () => {
    const report = bench;
    const table = gasTable(report);
    for (const [name, { gasAnItem }] of Object.entries(report.lists)) {
      expect(gasAnItem, name).to.be.within(500, 45_000);
      expect(table).to.include(name);
    }
    const named = [report.rows, report.published, report.peers, report.code].flatMap((part) => Object.keys(part));
    for (const name of named) expect(table).to.include(name);
  });
});
