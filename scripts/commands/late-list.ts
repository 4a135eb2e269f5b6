import type { Command } from "../cli/command.ts";
import { LATE_OPTIONS, lateBoxOf, shownSummary, summaryOf, troubles } from "../cli/late.ts";
import { asPatient } from "../cli/patient.ts";
import { count } from "../cli/times.ts";

export const command: Command = {
  summary: "Lists readings that came to a gateway when it had forgotten the keys of their time, and that wait for you",
  options: LATE_OPTIONS,
  examples: [['late list --gateway "Ward gateway"', "what waits, by stream"]],
  run: (call) =>
    asPatient(call, async (as) => {
      const box = await lateBoxOf(as, call);
      const waiting = summaryOf(
        as.session.vault,
        box.letters.filter(({ filed }) => !filed),
      );
      const filed = box.letters.filter((letter) => letter.filed).length;
      const { forged, unreadable } = box;
      const next = waiting.length > 0 ? ["To put them into their time: medseal late file"] : [];
      call.io.result(
        { waiting, filed, forged, unreadable },
        `${count(box.letters.length - filed, "letter")} of late readings, ${filed} filed before`,
        ...waiting.map(shownSummary),
        ...troubles(box),
        ...next,
      );
    }),
};
