import { parseArgs } from "node:util";
import { UsageError } from "../src/errors.ts";
import { runMain } from "./main.ts";
import { isOfCondition } from "./mutation/operators.ts";
import { changeOf, isEnough, reportOf, type MutationReport, type Score } from "./mutation/report.ts";
import { judgeMutants } from "./mutation/run.ts";

const USAGE =
  "npm run -s test:mutation -- [--json] [--sample N] [--seed S] [--workers W] [--only CONTRACT] [--conditions] [--quick]";

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
      options: { json: flag, quick: flag, conditions: flag, sample: text, seed: text, workers: text, only: text },
    }).values;
  } catch (error) {
    throw new UsageError("an argument is not known", { hint: USAGE, cause: error });
  }
}

await runMain(async () => {
  const { json = false, quick = false, conditions = false, only = "", ...given } = options();
  const [sample, seed = 1, workers] = [given.sample, given.seed, given.workers].map(count);
  const judged = await judgeMutants({
    ...(sample === undefined ? {} : { sample }),
    ...{ seed, quick, workers: workers ?? 2 },
    where: ({ file, operator }) => file.includes(only) && (!conditions || isOfCondition(operator)),
    onVerdict: (each) =>
      console.error(`${each.verdict.padEnd(10)} ${each.file}:${each.line}  ${each.operator}: ${changeOf(each)}`),
  });
  const report = reportOf(judged);
  if (json) console.log(JSON.stringify(report, undefined, 2));
  else print(report);
  if (!isEnough(report)) process.exitCode = 1;
});

function print({ contracts, conditions, survivors, ...all }: MutationReport): void {
  const score = ({ killed, mutants }: Score): string => `${killed} of ${mutants}`;
  for (const [file, each] of Object.entries(contracts)) console.log(`${score(each).padEnd(13)}${file}`);
  console.log(`killed: ${score(all)} mutants, ${score(conditions)} negated and removed conditions`);
  console.log(`not counted: ${all.equivalent} that compile to the same code, ${all.stillborn} that do not compile`);
  for (const { at, operator, change, reason } of survivors)
    console.log(`survived: ${at}  ${operator}: ${change}\n  ${reason ?? "a test is missing"}`);
}
