import { UsageError } from "../../src/errors.ts";
import type { Command } from "../cli/command.ts";
import { answer, ANSWERING } from "../cli/answers.ts";
import { parseDuration } from "../cli/times.ts";

export const command: Command = {
  summary:
    "Asks for silence about one alert until a time that no reading moves, and only as long as it gets no more severe. Then you are asked again",
  words: "ALERT",
  options: {
    ...ANSWERING,
    for: { type: "string", value: "LENGTH", help: "15min, 1h: a day at most", required: true },
    level: { type: "string", value: "N", help: "the level that the notice shows; 0 without it" },
  },
  examples: [
    ["alerts snooze 1a2b3c4d/fast-heart/1772352000000 --for 15min --to Monitor --out lee.answer", "this alert only"],
  ],
  run(call) {
    const seconds = parseDuration(call.need("for"));
    if (seconds === 0 || seconds > 86_400) throw new UsageError("a snooze lasts a day at most");
    const level = call.text("level") ?? "0";
    if (!/^\d{1,3}$/.test(level) || Number(level) > 255) throw new UsageError("--level is no level from 0 to 255");
    const at = call.text("at") === undefined ? Date.now() : Date.parse(call.need("at"));
    return answer(call, "snooze", { until: at + 1000 * seconds, level: Number(level) });
  },
};
