import { expect } from "chai";
import { killMonitors } from "../../../scripts/deep/alert-kills.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20261121);

describe("a monitor that is killed", () => {
  it("loses no alert and shows none twice", async () => {
    const { kills, notices, ...wrong } = await killMonitors(5, SEED, 2400);
    console.log(`      seed ${SEED}: ${kills} kills, ${notices} notices`);
    expect(kills).to.be.at.least(5);
    expect(notices).to.be.greaterThan(0);
    expect(wrong).to.deep.equal({ lost: 0, shownTwice: 0 });
  });
});
