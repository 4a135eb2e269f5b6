import { parseArgs } from "node:util";
import { UsageError } from "../src/errors.ts";
import { runMain } from "./main.ts";
import { proveAll } from "./smt/prove.ts";

await runMain(() => {
  let json: boolean;
  try {
    json = parseArgs({ options: { json: { type: "boolean", default: false } } }).values.json;
  } catch (error) {
    throw new UsageError("this takes no arguments", { hint: "npm run -s smt [-- --json]", cause: error });
  }
  const { proved, refuted, unproved } = proveAll();
  const open = [...refuted, ...unproved];
  if (json) {
    console.log(JSON.stringify({ proved: proved.length, unproved: open.length, reasons: open }, undefined, 2));
  } else {
    for (const { where, claim } of proved) console.log(`proved    ${where}  ${claim}`);
    for (const { where, claim, reason } of open) console.log(`UNPROVED  ${where}  ${claim}\n          ${reason}`);
    console.log(`${proved.length} proved, ${open.length} unproved`);
  }
  process.exitCode = refuted.length > 0 ? 1 : 0;
  return Promise.resolve();
});
