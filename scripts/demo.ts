import { parseArgs } from "node:util";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT, UsageError } from "../src/errors.ts";
import { openIntake } from "../src/intake/intake.ts";
import { loadMapping } from "../src/intake/mapping.ts";
import { exportQuarantine } from "../src/intake/quarantine.ts";
import { runMain } from "./main.ts";
import { runStory, type StoryResult, type Tell } from "./demo/story.ts";

const SAMPLE = fileURLToPath(new URL("../examples/ward-bed-7.csv", import.meta.url));

const HELP = `npm run demo [-- --input FILE] [--start INSTANT] [--tz ZONE] [--mapping FILE] [--quarantine FILE] [--json]

Runs the main job over a recording: seal, store, anchor, consent, read, audit, tamper, revoke.
Without --input over examples/ward-bed-7.csv, which the repository generates itself.

  --input FILE     a CSV of a known shape, or a FHIR R4 Bundle (JSON)
  --start INSTANT  for files with seconds from start, e.g. 2026-03-01T08:00:00Z
  --tz ZONE        for files with local times, e.g. Europe/Berlin
  --mapping FILE   what the columns of a CSV of another shape mean, see examples/README.md
  --quarantine FILE  where to write the rows that could not be read (health data: only you may read the file)
  --json           one object on stdout, nothing else
  --help           this text
`;

interface Arguments {
  readonly input: string;
  readonly mapping: string | undefined;
  readonly quarantine: string | undefined;
  readonly start?: string;
  readonly zone?: string;
  readonly json: boolean;
  readonly help: boolean;
}

function readArguments(): Arguments {
  try {
    const options = {
      input: { type: "string" },
      start: { type: "string" },
      tz: { type: "string" },
      mapping: { type: "string" },
      quarantine: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    } as const;
    const { values } = parseArgs({ options, strict: true });
    const { start, tz, json = false, help = false } = values;
    // npm runs scripts in the project folder; a path counts from where the user stood.
    const path = (file: string | undefined): string | undefined =>
      file === undefined ? undefined : resolve(process.env["INIT_CWD"] ?? ".", file);
    const files = {
      input: path(values.input) ?? SAMPLE,
      mapping: path(values.mapping),
      quarantine: path(values.quarantine),
    };
    return {
      ...files,
      ...(start === undefined ? {} : { start }),
      ...(tz === undefined ? {} : { zone: tz }),
      json,
      help,
    };
  } catch (cause) {
    throw new UsageError((cause as Error).message.split("\n")[0]?.toLowerCase() ?? "unknown option", {
      hint: "see npm run demo -- --help",
      cause,
    });
  }
}

function teller(): Tell {
  let step = 0;
  let before = performance.now();
  return (title, ...lines) => {
    const took = ((performance.now() - before) / 1000).toFixed(1);
    before = performance.now();
    console.log(`\n${String(++step).padStart(2)}  ${title}  (${took} s)`);
    for (const line of lines) console.log(`      ${line}`);
  };
}

function summary({ ok, readings, missing, quarantined, window, gas, tamper, verify, seconds }: StoryResult): string {
  const verdict = ok ? "All of it happened as told." : "NOT everything happened as told; see the steps above.";
  return `
${verdict}
  ${readings.toLocaleString("en")} readings (${missing} more marked missing, ${quarantined} rows quarantined) were sealed, stored and anchored; each came back as it stood in the file.
  Anchoring took ${gas.anchor.toLocaleString("en")} gas a checkpoint: ${(gas.anchor / Math.max(1, readings)).toFixed(1)} gas a reading here, less with more readings.
  A consent took ${gas.grantBySig.toLocaleString("en")} gas and its end ${gas.revoke.toLocaleString("en")}, paid by a relayer; the chain shows neither who nor what.
  The clinician read ${window.opened} epochs and not one more; after the revocation nothing new opened for him, and his colleague read on.
  The auditor checked ${verify.objects} blocks without a key, and named the one that was damaged: ${tamper.cid}.
  It took ${seconds} s.`;
}

await runMain(async () => {
  const { input, json, help, mapping, quarantine, ...clock } = readArguments();
  if (help) return console.log(HELP);
  if (!json)
    console.log(
      `MedSeal, the main job over ${input === SAMPLE ? "the sample recording examples/ward-bed-7.csv" : input}`,
    );
  const options = mapping === undefined ? clock : { ...clock, mapping: await loadMapping(mapping) };
  const result = await runStory(input, options, json ? () => undefined : teller());
  if (quarantine !== undefined) {
    const rows = await exportQuarantine((await openIntake(input, options)).rows(), quarantine);
    console.error(`${rows} quarantined rows written to ${quarantine}`);
  }
  console.log(json ? JSON.stringify(result, undefined, 2) : summary(result));
  process.exitCode = result.ok ? EXIT.done : EXIT.refused;
});
