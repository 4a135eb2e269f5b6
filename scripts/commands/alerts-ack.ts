import type { Command } from "../cli/command.ts";
import { answer, ANSWERING } from "../cli/answers.ts";

export const command: Command = {
  summary:
    "Says that you have taken an alert up: nobody else is asked unless it gets worse. It is over when its condition has ended as well",
  words: "ALERT",
  options: {
    ...ANSWERING,
    notice: {
      type: "string",
      value: "FILE",
      help: "your notices, one JSON object a line: acknowledges on chain too, where the plan names you",
    },
  },
  examples: [["alerts ack 1a2b3c4d/fast-heart/1772352000000 --to Monitor --out lee.answer", "as the notice names it"]],
  run: (call) => answer(call, "acknowledge", { until: 0, level: 0 }),
};
