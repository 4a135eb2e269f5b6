import { parseArgs } from "node:util";
import { UsageError } from "../src/errors.ts";
import { alertsTable, benchAlerts } from "./bench/alerts.ts";
import { benchCli, cliTable } from "./bench/cli.ts";
import { benchGas } from "./bench/gas.ts";
import { gasTable } from "./bench/gas-table.ts";
import { benchIngest, INGEST } from "./bench/ingest.ts";
import { ingestTable } from "./bench/ingest-table.ts";
import { benchLive, liveTable } from "./bench/live.ts";
import { benchVerify, VERIFY, verifyTable } from "./bench/verify.ts";
import { runMain } from "./main.ts";

interface Part {
  /** @param sizes - Readings of the recordings; each part has its own when none are named. */
  run(
    sizes: readonly number[],
    rounds: number | undefined,
    fileGib?: number,
  ): Promise<{ readonly text: string; readonly json: object; readonly pass: boolean }>;
}

/** What can be measured, by the name that the command line takes. */
const PARTS: Readonly<Record<string, Part>> = {
  alerts: {
    async run([patients], seconds) {
      const report = await benchAlerts(patients, seconds);
      return { text: alertsTable(report), json: report, pass: report.pass };
    },
  },
  cli: {
    async run() {
      const report = await benchCli();
      return { text: cliTable(report), json: report, pass: report.pass };
    },
  },
  gas: {
    async run(sizes) {
      const report = await benchGas(sizes.length > 0 ? sizes : undefined);
      const { rows, ...rest } = report;
      return { text: gasTable(report), json: { ...rows, ...rest }, pass: report.pass };
    },
  },
  ingest: {
    async run(sizes, rounds, fileGib) {
      const { sizes: usual, rounds: five } = INGEST;
      const file = fileGib === undefined ? {} : { fileGib };
      const report = await benchIngest({ sizes: sizes.length > 0 ? sizes : usual, rounds: rounds ?? five, ...file });
      return { text: ingestTable(report), json: report, pass: report.pass };
    },
  },
  live: {
    async run([readings], seconds) {
      const report = await benchLive(readings, seconds);
      return { text: liveTable(report), json: report, pass: report.pass };
    },
  },
  verify: {
    async run(sizes, rounds = VERIFY.rounds) {
      const report = await benchVerify({ ...VERIFY, sizes: sizes.length > 0 ? sizes : VERIFY.sizes, rounds });
      return { text: verifyTable(report), json: report, pass: report.pass };
    },
  },
};

const COUNT = /^[1-9]\d{0,7}$/;

await runMain(async () => {
  const { values, positionals } = parseArgs({
    options: { json: { type: "boolean" }, rounds: { type: "string" }, "file-gib": { type: "string" } },
    allowPositionals: true,
  });
  const [name = "", ...sizes] = positionals;
  const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  const gib = values["file-gib"];
  if (
    !part ||
    !(gib === undefined || (name === "ingest" && Number(gib) > 0)) ||
    ![...sizes, values.rounds ?? "1"].every((text) => COUNT.test(text))
  ) {
    throw new UsageError("name one part to measure", {
      hint: `npm run -s bench -- ${Object.keys(PARTS).join("|")} [READINGS…] [--rounds N] [--json]; ingest also [--file-gib N]`,
    });
  }
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  const {
    text,
    json: report,
    pass,
  } = await part.run(sizes.map(Number), rounds, gib === undefined ? undefined : Number(gib));
  console.log(values.json ? JSON.stringify(report, undefined, 2) : text);
  process.exitCode = pass ? 0 : 1;
});
