import { UsageError } from "../src/errors.ts";
import * as alerts from "./deep/alerts.ts";
import { auditTable, deepAudit } from "./deep/audit.ts";
import { contractsTable, deepContracts } from "./deep/contracts.ts";
import { CONSENT, deepSuites, STORAGE, suitesTable } from "./deep/suites.ts";
import { freshSeed, numberOf } from "./deep/chance.ts";
import { deepSwitching, switchTable } from "./deep/switching.ts";
import { runMain } from "./main.ts";

interface Part {
  run(
    seed: string,
    scale: number,
    tell: (what: string) => void,
  ): Promise<{ readonly text: string; readonly json: object; readonly pass: boolean }>;
}

/** Campaigns that take minutes at full size, by the name that the command line takes. */
const PARTS: Readonly<Record<string, Part>> = {
  alerts: {
    async run(seed, scale, tell) {
      const figures = await alerts.run(scale, numberOf(seed), tell);
      return {
        text: JSON.stringify({ ...figures, seed }, undefined, 2),
        json: { ...figures, seed },
        pass: figures.pass,
      };
    },
  },
  audit: {
    async run(seed, scale, tell) {
      const figures = await deepAudit(seed, scale, tell);
      return { text: auditTable(figures), json: figures, pass: figures.pass };
    },
  },
  consent: suites(CONSENT),
  contracts: {
    async run(seed, scale, tell) {
      const figures = await deepContracts(seed, scale, tell);
      return { text: contractsTable(figures), json: figures, pass: figures.pass };
    },
  },
  storage: suites(STORAGE),
  switching: {
    async run(seed, scale, tell) {
      const figures = { ...(await deepSwitching(seed, scale, tell)), seed };
      return { text: switchTable(figures), json: figures, pass: figures.pass };
    },
  },
};

function suites(named: typeof CONSENT): Part {
  return {
    async run(seed, scale, tell) {
      const figures = await deepSuites(named, seed, scale, tell);
      return { text: suitesTable(figures), json: figures, pass: figures.pass };
    },
  };
}

await runMain(async () => {
  const words = process.argv.slice(2);
  const json = words.includes("--json");
  const option = (name: string): string | undefined => {
    const at = words.indexOf(name);
    return at < 0 ? undefined : words.splice(at, 2)[1];
  };
  const scale = Number(option("--scale") ?? 1);
  const seed = option("--seed") ?? freshSeed();
  const names = words.filter((word) => word !== "--json");
  const part = PARTS[names[0] ?? ""];
  if (names.length !== 1 || part === undefined || !(scale > 0))
    throw new UsageError("name one campaign to run", {
      hint: `npm run -s test:deep -- ${Object.keys(PARTS).join("|")} [--scale 0.01] [--seed TEXT] [--json]`,
    });
  const { text, json: report, pass } = await part.run(seed, scale, (what) => console.error(what));
  console.log(json ? JSON.stringify(report, undefined, 2) : text);
  process.exitCode = pass ? 0 : 1;
});
