import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { UsageError, MedSealError, EXIT } from "../../src/errors.ts";
import type { LeasedStream } from "../../src/gateway/leave.ts";
import type { StreamIngest } from "../../src/gateway/ingest.ts";
import { openIntake } from "../../src/intake/intake.ts";
import { exportQuarantine } from "../../src/intake/quarantine.ts";
import { survey } from "../../src/intake/survey.ts";
import type { Intake, QuarantinedRow } from "../../src/intake/types.ts";
import type { Observation } from "../../src/observation/observation.ts";
import type { Call, Command } from "../cli/command.ts";
import { asGateway, type AsGateway } from "../cli/gateway.ts";
import { INTAKE, intakeOptions, withRecordings } from "../cli/intake.ts";
import { userPath } from "../cli/io.ts";
import { routeOf } from "../cli/routing.ts";
import { shownWindow } from "../cli/times.ts";
import { line, object } from "./gateway-anchor.ts";

export const command: Command = {
  summary:
    "As a gateway: takes recordings in, `-` for standard input, seals, stores and anchors them. Given again after a crash, it goes on where it stood",
  words: "FILE…",
  options: {
    patient: {
      type: "string",
      value: "NAME",
      help: "whose recording it is: a contact; the only one with a lease without it",
    },
    stream: { type: "string", value: "NAME", help: "which of their streams, where two take the same readings" },
    ...INTAKE,
    quarantine: {
      type: "string",
      value: "FILE",
      help: "where rows that could not be read go (health data: only you may read it)",
    },
    threads: {
      type: "string",
      value: "N",
      help: "worker threads, 0 to 16, that hash and compress, and take 20 to 70 MiB each; none without it",
    },
    "no-anchor": { type: "boolean", help: "only seals; medseal gateway anchor does the rest" },
    "dry-run": { type: "boolean", help: "reads and counts, names rows that could not be read, and keeps nothing" },
  },
  examples: [
    [
      "ingest bidmc_01.csv --patient Ann --start 2026-03-01T08:00:00Z --as ward-gateway",
      "a recording with seconds from start",
    ],
    [
      "ingest march.csv --tz Europe/Berlin --quarantine bad.csv --as home",
      "local times; what cannot be read is kept apart",
    ],
    ["ingest - --patient Ann --as home < bundle.json", "from standard input"],
  ],
  async run(call) {
    if (call.words.length === 0) throw new UsageError("no file is named", { hint: "see --help" });
    const threads = threadsOf(call.text("threads"));
    const options = await intakeOptions(call);
    await withRecordings(call.words, async (files) => {
      const intakes = await Promise.all(files.map((file) => openIntake(file, options)));
      if (call.flag("dry-run")) return dryRun(call, intakes);
      const work = async (as: AsGateway): Promise<void> => {
        for (const intake of intakes) await takeIn(call, as, intake, JSON.stringify(options));
        if (call.flag("no-anchor")) return;
        const anchored = await as.gateway.drain();
        call.io.result({ checkpoints: anchored.map(object) }, ...anchored.map(line));
      };
      await asGateway(call, work, () => ({ threads }));
    });
  },
};

/** More than two find nothing to do: they are through before the next readings are read. None by default: two take more than 300 MiB in all. */
function threadsOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d{1,2}$/.test(text) && Number(text) <= 16) return Number(text);
  throw new UsageError("--threads is not a number from 0 to 16", { hint: "leave it out for none" });
}

async function dryRun(call: Call, intakes: readonly Intake[]): Promise<void> {
  for (const intake of intakes) {
    const { streams, readings, missing, quarantined, from, to } = await survey(intake, naming(call));
    const names = streams.map(({ name }) => name);
    call.io.result(
      { file: intake.file, preset: intake.preset, streams: names, readings, missing, quarantined, from, to },
      `${intake.file} (${intake.preset}): ${readings.toLocaleString("en")} readings and ${missing} marked missing of ${names.join(", ")}; ${quarantined} rows would be quarantined`,
      ...(Number.isFinite(from) ? [`  ${shownWindow({ from, to })}; leases are not looked at`] : []),
    );
  }
}

async function takeIn(call: Call, { gateway, session }: AsGateway, intake: Intake, how: string): Promise<void> {
  const source = await digestOf(intake.file, how);
  const route = routeOf(session.vault, gateway, call.text("patient"), call.text("stream"));
  const sessions = new Map<LeasedStream, StreamIngest>();
  const refused = new Map<string, number>();
  const name = naming(call);
  let [readings, missing, quarantined] = [0, 0, 0];
  for await (const rows of intake.batches()) {
    const taken = new Map<LeasedStream, Observation[]>();
    for (const row of rows) {
      if (row.kind === "quarantined") {
        quarantined += 1;
        name(row);
        continue;
      }
      const stream = route(row.observation);
      if (stream === undefined) count(refused, "no lease covers its channel");
      else if (!taken.get(stream)?.push(row.observation)) taken.set(stream, [row.observation]);
    }
    for (const [stream, observations] of taken) {
      const open = sessions.get(stream) ?? gateway.ingest(stream, { clock: intake.clock, source });
      sessions.set(stream, open);
      const absent = observations.filter(isMissing).length;
      readings += observations.length - absent;
      missing += absent;
      await open.addAll(observations, (observation, error) => {
        if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
        count(refused, error.message);
        if (isMissing(observation)) missing -= 1;
        else readings -= 1;
      });
    }
    call.io.progress(`${readings.toLocaleString("en")} readings of ${intake.file}`);
  }
  let idle = 0;
  for (const open of sessions.values()) idle += await open.finish();
  call.io.progressDone();
  const file = call.text("quarantine");
  if (file !== undefined && quarantined > 0) await exportQuarantine(intake.rows(), userPath(file));
  const refusals = Object.fromEntries(refused);
  call.io.result(
    { file: intake.file, preset: intake.preset, readings, missing, quarantined, idle, refused: refusals },
    `${intake.file} (${intake.preset}): ${readings.toLocaleString("en")} readings and ${missing} marked missing sealed; ${quarantined} rows quarantined`,
    ...(idle > 0
      ? [
          `  ${idle.toLocaleString("en")} epochs between it and what was recorded before, in which nothing was, sealed as idle`,
        ]
      : []),
    ...[...refused].map(([reason, times]) => `  ${times.toLocaleString("en")} not taken: ${reason}`),
  );
  if (sessions.size === 0 || readings + missing === 0) {
    const hint =
      refused.size > 0 ? "ask the patient for a lease over its streams and times" : "see what was quarantined";
    throw new UsageError("nothing of the recording was taken", { hint });
  }
  // They are neither sealed nor quarantined: who reads only the exit code must not take the recording for sealed.
  if (refused.size > 0) process.exitCode = EXIT.refused;
}

/** Names the first rows of a recording that cannot be read, and says where all of them are to be had. */
function naming(call: Call): (row: QuarantinedRow) => void {
  let rows = 0;
  return ({ at, reason }) => {
    rows += 1;
    if (rows <= 3) call.io.note(`${at.file}, line ${at.line}: ${reason}`);
    if (rows === 4) call.io.note("and more: --quarantine FILE writes all of them");
  };
}

const isMissing = ({ value }: Observation): boolean => value.kind === "missing";

const count = (counts: Map<string, number>, reason: string): void =>
  void counts.set(reason, (counts.get(reason) ?? 0) + 1);

/** Of the file and of how it is read: given again with other options it is another source. */
async function digestOf(file: string, how: string): Promise<Uint8Array> {
  const hash = createHash("sha256").update(`medseal/v1/source\n${how}\n`);
  for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer);
  return new Uint8Array(hash.digest());
}
