import type { Command } from "../cli/command.ts";
import { answer, ANSWERING } from "../cli/answers.ts";

export const command: Command = {
  summary: "Says that an alert is over, whatever its condition does; the next one of its rule is another alert",
  words: "ALERT",
  options: ANSWERING,
  examples: [
    ["alerts resolve 1a2b3c4d/fast-heart/1772352000000 --to Monitor --out lee.answer", "as the notice names it"],
  ],
  run: (call) => answer(call, "resolve", { until: 0, level: 0 }),
};
