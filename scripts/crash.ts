import { parseArgs } from "node:util";
import { campaign } from "./crash/campaign.ts";
import { runMain } from "./main.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    minutes: { type: "string", default: "30" },
    lanes: { type: "string", default: "3" },
    seed: { type: "string", default: "the lights go out" },
    json: { type: "boolean", default: false },
  },
});

await runMain(async () => {
  const lanes = Number(values.lanes);
  const kills = Math.ceil(Number(values.kills) / lanes);
  const note = (text: string): void => console.error(text);
  note(`seed ${values.seed}: ${kills * lanes} kills in ${lanes} lanes`);
  const counts = await campaign(values.seed, lanes, kills, note, Number(values.minutes));
  const { lost, twice, stateEqual } = counts;
  console.log(
    values.json
      ? JSON.stringify(counts)
      : Object.entries(counts)
          .map(([name, count]) => `${name.padEnd(14)}${count}`)
          .join("\n"),
  );
  if (lost > 0 || twice > 0 || !stateEqual) process.exitCode = 1;
});
