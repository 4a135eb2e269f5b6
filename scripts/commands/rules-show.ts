import { ruleId } from "../../src/alerts/abi.ts";
import { formatRule } from "../../src/alerts/rule-file.ts";
import type { Command } from "../cli/command.ts";
import { describeRule, ruleNamed } from "../cli/rules.ts";

export const command: Command = {
  summary: "Shows one alert rule in words, and with --json as it stands in a file",
  words: "NAME|FILE",
  options: {},
  examples: [
    ["rules show news2-scale-1", "the newest version of this name"],
    ["rules show high.json --json", "one in a file, as JSON on one line"],
  ],
  async run(call) {
    const rule = await ruleNamed(call.word("rule"));
    const id = ruleId(rule);
    call.io.result({ id, ...(JSON.parse(formatRule(rule)) as object) }, ...describeRule(rule), `  id ${id}`);
  },
};
