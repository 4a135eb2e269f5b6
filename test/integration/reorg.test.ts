import { expect } from "chai";
import { campaign } from "../../scripts/reorg/campaign.ts";
import { lies } from "../../scripts/reorg/lies.ts";
import { dice } from "../unit/log/mutate.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "the other branch";
const DEPTHS = [1, 2, 13, 64];

describe("a gateway on a chain that is reorganised", () => {
  it(`anchors every batch once and never goes back to a generation it left, at depths ${DEPTHS.join(", ")}`, async () => {
    const found = await campaign(DEPTHS, dice(SEED));
    console.log(`      seed ${SEED}: ${JSON.stringify(found)}`);
    expect(found).to.include({ depths: DEPTHS.length, lost: 0, twice: 0, leaked: 0, unread: 0 });
    expect(found.reorganisations).to.equal(DEPTHS.length * 6);
  });

  it("comes to the same bytes by a node that drops, delays, doubles, reorders and lies on 30 % of its calls", async () => {
    const found = await lies(2, SEED, dice(`${SEED}, lies`));
    console.log(`      seed ${SEED}: ${JSON.stringify(found)}`);
    expect(found).to.include({ rounds: 2, lost: 0, twice: 0, leaked: 0, unread: 0, stateEqual: true });
    expect(found.troubles.lied, "so that the test can fail").to.be.greaterThan(0);
  });
});
