import { expect } from "chai";
import { campaign } from "../../scripts/crash/campaign.ts";
import { shim } from "../../scripts/crash/power.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "the lights go out";
const KILLS = 6;

describe("a running gateway that is killed while a device streams", function () {
  this.timeout(600_000);

  it(`${KILLS} times, with failing system calls, power cuts and damaged journals: nothing acknowledged is lost, nothing comes twice`, async () => {
    const counts = await campaign(
      SEED,
      1,
      KILLS,
      (text) => text.startsWith("lane 0: left out") && console.log(`      ${text}`),
    );
    console.log(`      seed ${SEED}: ${JSON.stringify(counts)}`);
    expect(counts).to.include({ kills: KILLS, lost: 0, twice: 0, stateEqual: true });
    expect(counts.acknowledged, "so that the test can fail").to.be.greaterThan(100);
    expect(counts.damages, "so that the test can fail").to.be.greaterThan(0);
    if ("missing" in shim()) return;
    expect(counts.powerCuts, "so that the test can fail").to.be.greaterThan(0);
    expect(counts.faultyLives, "so that the test can fail").to.be.greaterThan(0);
  });
});
