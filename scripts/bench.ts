import { UsageError } from "../src/errors.ts";
import { benchCli, cliTable } from "./bench/cli.ts";
import { benchGas, gasTable } from "./bench/gas.ts";
import { runMain } from "./main.ts";

interface Part {
  run(): Promise<{ readonly text: string; readonly json: object; readonly pass: boolean }>;
}

/** What can be measured, by the name that the command line takes. */
const PARTS: Readonly<Record<string, Part>> = {
  cli: {
    async run() {
      const report = await benchCli();
      return { text: cliTable(report), json: report, pass: report.pass };
    },
  },
  gas: {
    async run() {
      const report = await benchGas();
      return { text: gasTable(report), json: report, pass: report.pass };
    },
  },
};

await runMain(async () => {
  const words = process.argv.slice(2);
  const json = words.includes("--json");
  const names = words.filter((word) => word !== "--json");
  const part = PARTS[names[0] ?? ""];
  if (names.length !== 1 || part === undefined) {
    throw new UsageError("name one part to measure", {
      hint: `npm run -s bench -- ${Object.keys(PARTS).join("|")} [--json]`,
    });
  }
  const { text, json: report, pass } = await part.run();
  console.log(json ? JSON.stringify(report, undefined, 2) : text);
  process.exitCode = pass ? 0 : 1;
});
