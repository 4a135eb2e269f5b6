import { attempt } from "../../scripts/cli/attempt.ts";
import type { Ran } from "./world.ts";

// Commands one after the other in one process, as each would run in its own: for many that are refused early.
const write = process.stderr.write.bind(process.stderr);
const ran: Ran[] = [];
for (const words of JSON.parse(process.argv[2] ?? "[]") as string[][]) {
  let err = "";
  process.exitCode = 0;
  process.stderr.write = (text: string | Uint8Array): boolean => Boolean((err += String(text)));
  await attempt(words);
  ran.push({ exit: Number(process.exitCode), out: "", err });
}
process.stderr.write = write;
process.exitCode = 0;
process.stdout.write(`\n${JSON.stringify(ran)}\n`);
