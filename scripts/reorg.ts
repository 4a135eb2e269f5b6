import { parseArgs } from "node:util";
import { dice } from "../test/unit/log/mutate.ts";
import { runMain } from "./main.ts";
import { campaign } from "./reorg/campaign.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    to: { type: "string", default: "64" },
    seed: { type: "string", default: "the other branch" },
    json: { type: "boolean", default: false },
  },
});

await runMain(async () => {
  const [from, to] = [Number(values.from), Number(values.to)];
  console.error(`seed ${values.seed}: depths ${from} to ${to}`);
  const depths = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const found = await campaign(depths, dice(values.seed));
  const lines = Object.entries(found).map(([name, count]) => `${name.padEnd(18)}${count}`);
  console.log(values.json ? JSON.stringify(found) : lines.join("\n"));
  if (found.lost + found.twice + found.leaked + found.unread > 0) process.exitCode = 1;
});
