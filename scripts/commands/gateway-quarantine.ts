import { UsageError } from "../../src/errors.ts";
import { letGo, quarantineOf, reasonsOf, type Quarantined } from "../../src/feed/quarantine.ts";
import { FeedJournal } from "../../src/feed/state.ts";
import { Journal } from "../../src/state/journal.ts";
import { twinRows } from "../../src/state/twin.ts";
import { withChain } from "../cli/chain.ts";
import type { Command } from "../cli/command.ts";
import { writeNew } from "../cli/files.ts";
import { journalOf } from "../cli/gateway.ts";
import { withIdentity } from "../cli/home.ts";
import { count } from "../cli/times.ts";

export const command: Command = {
  summary:
    "As a gateway that does not run: counts what was kept apart and not sealed, by reason; writes it to a file that only you may read, in clear; and lets go of it",
  options: {
    reason: { type: "string", value: "CODE", help: "only this one, ERR_UNIT for one" },
    out: { type: "string", value: "FILE", help: "where it goes: a line of JSON for each message" },
    drop: { type: "boolean", help: "with --out: lets go of what was written" },
  },
  examples: [
    ["gateway quarantine --as ward-gateway", "how much, and why"],
    ["gateway quarantine --reason ERR_UNIT --out units.ndjson --drop --as ward-gateway", "out, and gone"],
  ],
  async run(call) {
    const [reason, out, drop] = [call.text("reason"), call.text("out"), call.flag("drop")];
    if (drop && out === undefined)
      throw new UsageError("what is dropped is written to a file first", { hint: "add --out FILE" });
    if (reason !== undefined && !/^ERR_[A-Z0-9_]+$/.test(reason))
      throw new UsageError("--reason is no code of an error", { hint: "without it, all are counted by their codes" });
    await withIdentity(call, ({ vault, folder }) =>
      withChain(async ({ deployment: { chainId } }) => {
        const rows = twinRows(journalOf(folder, chainId));
        try {
          const journal = new FeedJournal(new Journal(rows, vault.secret));
          const found = [...quarantineOf(journal)].filter(
            ([, row]) => reason === undefined || reasonsOf(row).has(reason),
          );
          if (out !== undefined) await writeNew(out, found.map(([, row]) => `${JSON.stringify(row)}\n`).join(""));
          const gone = drop ? found.map(([number]) => number) : [];
          if (gone.length > 0) await letGo(journal, gone);
          const reasons = countsOf(found.map(([, row]) => row));
          call.io.result(
            { rows: found.length, reasons, dropped: gone.length, ...(out === undefined ? {} : { file: out }) },
            `${count(found.length, "row")} in quarantine`,
            ...Object.entries(reasons).map(([code, readings]) => `  ${code}: ${count(readings, "reading")}`),
            ...(out === undefined ? [] : [`Written to ${out}, in clear: keep it from others.`]),
            ...(drop ? [`${count(gone.length, "row")} let go of.`] : []),
          );
        } finally {
          rows.close();
        }
      }),
    );
  },
};

function countsOf(rows: readonly Quarantined[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) for (const [code, readings] of reasonsOf(row)) counts[code] = (counts[code] ?? 0) + readings;
  return counts;
}
