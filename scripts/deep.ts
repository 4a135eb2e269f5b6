import { parseArgs } from "node:util";
import { UsageError } from "../src/errors.ts";
import * as alerts from "./deep/alerts.ts";
import { runMain } from "./main.ts";

interface Part {
  /** @param scale - 1 for all of it, 0.01 for a hundredth. */
  run(scale: number, seed: number): Promise<{ readonly pass: boolean }>;
}

/** Long campaigns, by the name that the command line takes. */
const PARTS: Readonly<Record<string, Part>> = { alerts };

await runMain(async () => {
  const { values, positionals } = parseArgs({
    options: { json: { type: "boolean" }, scale: { type: "string" }, seed: { type: "string" } },
    allowPositionals: true,
  });
  const [name = "", ...more] = positionals;
  const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  const scale = Number(values.scale ?? "1");
  const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
  if (!part || more.length > 0 || !(scale > 0 && scale <= 1) || !Number.isSafeInteger(seed)) {
    throw new UsageError("name one campaign", {
      hint: `npm run -s test:deep -- ${Object.keys(PARTS).join("|")} [--scale 0.01] [--seed N] [--json]`,
    });
  }
  const report = await part.run(scale, seed);
  console.log(JSON.stringify(report, undefined, values.json ? undefined : 2));
  process.exitCode = report.pass ? 0 : 1;
});
