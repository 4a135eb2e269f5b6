import { parseArgs } from "node:util";
import { dice } from "../test/unit/log/mutate.ts";
import { runMain } from "./main.ts";
import { campaign } from "./reorg/campaign.ts";
import { lies } from "./reorg/lies.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    to: { type: "string", default: "64" },
    rounds: { type: "string", default: "32" },
    seed: { type: "string", default: "the other branch" },
    json: { type: "boolean", default: false },
  },
});

await runMain(async () => {
  const [from, to] = [Number(values.from), Number(values.to)];
  console.error(`seed ${values.seed}: depths ${from} to ${to}, then ${values.rounds} rounds with a node that lies`);
  const depths = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const found = await campaign(depths, dice(values.seed));
  const lied = await lies(Number(values.rounds), values.seed, dice(`${values.seed}, lies`));
  const table = (counts: object): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name.padEnd(18)}${typeof count === "object" ? JSON.stringify(count) : count}`)
      .join("\n");
  console.log(
    values.json ? JSON.stringify({ ...found, lies: lied }) : `${table(found)}\n\nwith a node that lies\n${table(lied)}`,
  );
  const wrong = [found, lied].some(({ lost, twice, leaked, unread }) => lost + twice + leaked + unread > 0);
  if (wrong || !lied.stateEqual) process.exitCode = 1;
});
