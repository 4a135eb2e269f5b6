import { AnchorSide } from "./anchors.ts";
import { CampaignChain } from "./chain.ts";
import { ConsentSide } from "./consents.ts";
import { Draw } from "./draw.ts";
import { emptyReport, type Report } from "./report.ts";

/** Calls on one chain; then a new one begins, so that a long campaign needs no more memory than a short one. */
const ROUND = 5_000;
/** Calls between two looks at the whole state. */
const WHOLE = 250;
const TOLD = 20;

/**
 * Drives both contracts and their models with random calls of hostile actors and checks the invariants of invariants.test.ts after each.
 *
 * @param calls - Transactions to send.
 * @param seed - Same seed, same campaign.
 */
export async function campaign(calls: number, seed: number): Promise<Report> {
  const report = emptyReport(seed);
  for (let round = 0; report.calls < calls; round++) await playRound(report, new Draw(seed + round), calls);
  return report;
}

async function playRound(report: Report, draw: Draw, calls: number): Promise<void> {
  const chain = await CampaignChain.open();
  const say = (invariant: number, what: string): void => {
    if (report.violations.length < TOLD) {
      report.violations.push(`${invariant}: ${what} (call ${report.calls} of seed ${report.seed})`);
    }
  };
  try {
    const consents = await ConsentSide.open(chain, draw, report, say);
    const anchors = await AnchorSide.open(chain, draw, report, say);
    const last = Math.min(calls, report.calls + ROUND);
    while (report.calls < last) {
      await chain.at(chain.now + draw.of([0, 0, 1, 1, 12, 12, 60, 600, 86_400]));
      const act = draw.act([
        [40, () => consents.single()],
        [15, () => consents.batch()],
        [15, () => consents.direct()],
        [3, () => consents.nonsense()],
        [10, () => anchors.anchor()],
        [5, () => anchors.again()],
      ]);
      await act();
      report.calls++;
      if (draw.chance(0.05)) await anchors.show();
      if (report.calls % WHOLE === 0 || report.calls === last) {
        await consents.whole();
        await anchors.whole();
      }
    }
  } finally {
    await chain.close();
  }
}
