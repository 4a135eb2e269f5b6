import { parseArgs } from "node:util";
import { UsageError } from "../src/errors.ts";
import { runMain } from "./main.ts";
import { isCounted, judgeMutants, type Judged } from "./mutation/run.ts";

const USAGE = "npm run -s test:mutation -- [--json] [--sample N] [--seed S] [--workers W] [--only CONTRACT] [--quick]";

const describe = ({ file, line, operator, from, to }: Judged): string =>
  `${file}:${line}  ${operator}: ${from.replace(/\s+/g, " ")} -> ${to.replace(/\s+/g, " ")}`;

function count(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError("a number from 1 is wanted", { hint: USAGE });
  return Number(text);
}

function options() {
  const text = { type: "string" } as const;
  try {
    const flag = { type: "boolean" } as const;
    return parseArgs({
      options: { json: flag, quick: flag, sample: text, seed: text, workers: text, only: text },
    }).values;
  } catch (error) {
    throw new UsageError("an argument is not known", { hint: USAGE, cause: error });
  }
}

await runMain(async () => {
  const { json = false, quick = false, only = "", ...given } = options();
  const [sample, seed = 1, workers] = [given.sample, given.seed, given.workers].map(count);
  const judged = await judgeMutants({
    ...(sample === undefined ? {} : { sample }),
    ...{ only, seed, quick, workers: workers ?? 2 },
    onVerdict: (each) => console.error(`${each.verdict.padEnd(10)} ${describe(each)}`),
  });
  const counted = judged.filter(({ verdict }) => isCounted(verdict));
  const survivors = counted.filter(({ verdict }) => verdict === "survived").map(describe);
  const report = { mutants: counted.length, killed: counted.length - survivors.length, survivors };
  if (json) console.log(JSON.stringify(report, undefined, 2));
  else
    console.log(
      `${report.killed} of ${report.mutants} mutants killed${survivors.map((each) => `\n  ${each}`).join("")}`,
    );
});
