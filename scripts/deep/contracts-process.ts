import { campaign } from "../../test/contracts/campaign/campaign.ts";
import { registryCampaign } from "../../test/contracts/registries/campaign.ts";

// `node scripts/deep/contracts-process.ts consents|registries CALLS SEED`: one share of a campaign; the last line of stdout is its report.
const [which, ...numbers] = process.argv.slice(2);
const [calls = 0, seed = 0] = numbers.map(Number);
const report = await (which === "registries" ? registryCampaign : campaign)(calls, seed);
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit(0);
