import { EXIT, UsageError } from "../../src/errors.ts";
import { NotPermittedError } from "../../src/grantee/errors.ts";
import { gapsIn, readStream, type ReadBatch } from "../../src/grantee/read.ts";
import type { Command } from "../cli/command.ts";
import { FORMATS, type Format } from "../cli/readings.ts";
import { WINDOW, withWindow } from "../cli/reader.ts";
import { count, shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary: "Reads what was released to you: every reading checked against its signature, the chain and the consent",
  options: {
    ...WINDOW,
    stream: { type: "string", value: "NAME", help: "as the patient calls it", required: true },
    purpose: { type: "string", value: "CODE", help: "what for; the consent's own purpose without it" },
    format: { type: "string", value: "csv|ndjson|fhir", help: "how; csv without it" },
  },
  examples: [
    ["read --stream heart-rate --format csv > heart-rate.csv", "the whole window"],
    [
      "read --stream heart-rate --from 2026-03-01T08:00:00Z --to 2026-03-01T09:00:00Z --format fhir",
      "an hour, as a FHIR R4 Bundle",
    ],
  ],
  run: (call) => {
    const format = call.text("format") ?? (call.io.json ? "ndjson" : "csv");
    if (!Object.hasOwn(FORMATS, format))
      throw new UsageError(`"${format}" is no format`, { hint: "take csv, ndjson or fhir" });
    return withWindow(call, async ({ access, descriptor, wish, request, deps, chain }) => {
      if (access.keys.every(({ data }) => data === undefined))
        throw new NotPermittedError("you may audit this stream, not read it", { hint: "medseal verify --stream NAME" });
      const batches: ReadBatch[] = [];
      for await (const batch of readStream(access, request, deps)) batches.push(batch);
      const outside = batches.filter(({ leave }) => leave !== undefined);
      const gaps = gapsIn(batches, access, request, deps);
      FORMATS[format as Format](batches, wish, chain.deployment, (text) => call.io.data(text));
      const kinds = [...new Set(gaps.map(({ kind }) => kind))].join(", ");
      call.io.note(
        [
          `${descriptor.name}, ${shownWindow(wish)}: ${count(batches.length, "batch", "batches")}, each checked`,
          ...(outside.length > 0 ? [`${outside.length} WITHOUT leave to be written`] : []),
          ...(gaps.length > 0
            ? [
                `${count(gaps.length, "place")} where the record is not whole: ${kinds} (medseal verify --stream names them)`,
              ]
            : []),
        ].join("; "),
      );
      if (outside.length > 0) process.exitCode = EXIT.refused;
    });
  },
};
