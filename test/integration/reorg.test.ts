import { expect } from "chai";
import { campaign } from "../../scripts/reorg/campaign.ts";
import { dice } from "../unit/log/mutate.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "the other branch";
const DEPTHS = [1, 2, 13, 64];

describe("a gateway on a chain that is reorganised", function () {
  this.timeout(120_000);

  it(`anchors every batch once and never goes back to a generation it left, at depths ${DEPTHS.join(", ")}`, async () => {
    const found = await campaign(DEPTHS, dice(SEED));
    console.log(`      seed ${SEED}: ${JSON.stringify(found)}`);
    expect(found).to.include({ depths: DEPTHS.length, lost: 0, twice: 0, leaked: 0, unread: 0 });
    expect(found.reorganisations).to.equal(DEPTHS.length * 6);
  });
});
