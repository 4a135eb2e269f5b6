import { attempt } from "../../scripts/cli/attempt.ts";
import type { Ran } from "./world.ts";

// Commands one after the other in one process, as each would run in its own: starting one costs more than most do.
const write = { out: process.stdout.write.bind(process.stdout), err: process.stderr.write.bind(process.stderr) };
const ran: Ran[] = [];
for (const words of JSON.parse(process.argv[2] ?? "[]") as string[][]) {
  let [out, err] = ["", ""];
  process.exitCode = 0;
  process.stdout.write = (text: string | Uint8Array): boolean => Boolean((out += String(text)));
  process.stderr.write = (text: string | Uint8Array): boolean => Boolean((err += String(text)));
  await attempt(words);
  ran.push({ exit: Number(process.exitCode), out, err });
}
process.stderr.write = write.err;
process.exitCode = 0;
write.out(`\n${JSON.stringify(ran)}\n`);
