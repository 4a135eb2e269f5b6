import { ruleId } from "../../src/alerts/abi.ts";
import { publishedRules } from "../../src/chain/rule-library.ts";
import { isAddress } from "../../src/consent/consent.ts";
import { UsageError } from "../../src/errors.ts";
import type { Command } from "../cli/command.ts";
import { withChain } from "../cli/chain.ts";
import { knownRules } from "../cli/rules.ts";

export const command: Command = {
  summary: "Lists the alert rules that are known here, and with --publisher those that somebody has published",
  options: {
    publisher: { type: "string", value: "ADDRESS", help: "whose rules in AlertRules; all of it for `all`" },
  },
  examples: [
    ["rules list", "those that come with MedSeal, and yours"],
    ["rules list --publisher all", "the public library on the chain"],
  ],
  async run(call) {
    const publisher = call.text("publisher");
    if (publisher === undefined) {
      const rules = (await knownRules()).map(({ rule, from }) => ({
        name: rule.name,
        version: rule.version,
        kind: rule.kind,
        from,
        id: ruleId(rule),
      }));
      const lines = rules.map(
        ({ name, version, kind, from }) => `${name.padEnd(24)} version ${version}  ${kind.padEnd(10)} ${from}`,
      );
      return call.io.result({ rules }, ...lines);
    }
    if (publisher !== "all" && !isAddress(publisher))
      throw new UsageError("--publisher is no address, or its checksum is wrong");
    await withChain(async ({ rpc, deployment }) => {
      const all = await publishedRules(rpc, deployment);
      const found = all.filter((one) => publisher === "all" || one.publisher === publisher);
      const rules = found.map(({ rule: { name, version, kind }, id, publisher: by, block, retired }) => ({
        ...{ name, version, kind, id, publisher: by, block, retired },
      }));
      const lines = rules.map(
        ({ name, version, kind, publisher: by, retired }) =>
          `${name.padEnd(24)} version ${version}  ${kind.padEnd(10)} of ${by}${retired ? ", retired" : ""}`,
      );
      call.io.result({ rules }, ...(lines.length > 0 ? lines : ["No rule is published there."]));
    });
  },
};
