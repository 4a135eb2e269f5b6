import { campaign } from "../../test/contracts/campaign/campaign.ts";

// `node scripts/deep/contracts-process.ts CALLS SEED`: one share of the campaign; the last line of stdout is its report.
const [calls = 0, seed = 0] = process.argv.slice(2).map(Number);
process.stdout.write(`${JSON.stringify(await campaign(calls, seed))}\n`);
process.exit(0);
