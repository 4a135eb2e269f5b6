import type { Command } from "../cli/command.ts";
import { intoNewFile } from "../cli/files.ts";
import { LATE_OPTIONS, lateBoxOf, NothingLateError, shownSummary, summaryOf, troubles } from "../cli/late.ts";
import { asPatient } from "../cli/patient.ts";
import { writeFiled } from "../../src/late/filed.ts";

export const command: Command = {
  summary:
    "Puts late readings into their epochs: checks who signed them, seals them, and writes a file that the gateway anchors. Who reads there gets their keys with a new release",
  options: {
    ...LATE_OPTIONS,
    out: { type: "string", value: "FILE", help: "for the gateway: medseal gateway post, or its spool", required: true },
  },
  examples: [['late file --gateway "Ward gateway" --out late.filed', "sealed; anybody may carry it"]],
  run: (call) =>
    asPatient(call, async (as) => {
      const { session, patient, chain } = as;
      const box = await lateBoxOf(as, call);
      const letters = box.letters.filter(({ filed }) => !filed);
      if (letters.length === 0) throw new NothingLateError("no late readings wait", { hint: "see medseal late list" });
      const out = call.need("out");
      let releases: readonly string[] = [];
      let batches = 0;
      await intoNewFile(out, async (fill) => {
        const filed = await patient.fileLate(letters, (gateway) => chain.placeOf(gateway));
        [releases, batches] = [filed.releases, filed.batches.length];
        await fill(writeFiled(filed.batches));
        await session.save();
      });
      const streams = summaryOf(session.vault, letters);
      const names = [
        ...new Set(session.vault.patient.consents.filter(({ id }) => releases.includes(id)).map(({ name }) => name)),
      ];
      call.io.result(
        { file: out, streams, batches, releases, forged: box.forged, unreadable: box.unreadable },
        `Sealed into their epochs, in ${out}: medseal gateway post`,
        ...streams.map(shownSummary),
        ...troubles(box),
        ...(names.length > 0 ? [`Keys of them are due to ${names.join(", ")}: medseal release --to NAME`] : []),
      );
    }),
};
