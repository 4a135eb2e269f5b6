import { createInterface } from "node:readline";
import { attempt } from "../../scripts/cli/attempt.ts";
import type { Ran } from "./world.ts";

// Commands one after the other, each as it would run in a process of its own. A line of JSON each way.
const { env } = process;
const answer = process.stdout.write.bind(process.stdout);
let [out, err] = ["", ""];
process.stdout.write = (text: string | Uint8Array): boolean => Boolean((out += String(text)));
process.stderr.write = (text: string | Uint8Array): boolean => Boolean((err += String(text)));

for await (const line of createInterface({ input: process.stdin })) {
  const turn = JSON.parse(line) as { words: string[]; env: Record<string, string | null> };
  process.env = { ...env };
  for (const [name, value] of Object.entries(turn.env)) {
    if (value === null) delete process.env[name];
    else process.env[name] = value;
  }
  [out, err] = ["", ""];
  process.exitCode = 0;
  await attempt(turn.words);
  const ran: Ran = { exit: Number(process.exitCode), out, err };
  process.exitCode = 0;
  answer(`${JSON.stringify(ran)}\n`);
}
