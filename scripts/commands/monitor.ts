import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { utf8 } from "../../src/bytes/bytes.ts";
import { hmac } from "../../src/bytes/hash.ts";
import { UsageError } from "../../src/errors.ts";
import { parseListen, placed } from "../../src/feed/listen.ts";
import { openIntake } from "../../src/intake/intake.ts";
import { parseInstant } from "../../src/observation/instant.ts";
import { Desk } from "../../src/monitor/desk.ts";
import { streamOf } from "../../src/monitor/sealing.ts";
import { sqliteRows } from "../../src/state/rows.ts";
import { CHANNELS, channelsOf } from "../cli/channels.ts";
import type { Call, Command } from "../cli/command.ts";
import { readUserFile } from "../cli/files.ts";
import { asGateway, type AsGateway } from "../cli/gateway.ts";
import { INTAKE, intakeOptions } from "../cli/intake.ts";
import { userPath } from "../cli/io.ts";
import { openPlan } from "../cli/plan.ts";
import { secretLine } from "../cli/secrets.ts";
import { count, parseDuration } from "../cli/times.ts";
import { Standings } from "../cli/standings.ts";
import { Watch } from "../cli/watch.ts";
import { watchGateway, type GatewayFeed } from "../cli/watch-gateway.ts";

export const command: Command = {
  summary:
    "Watches over patients by their care plans, beside the gateway that records: what a running gateway stores (--listen), readings on stdin, one JSON object a line as medseal read --format ndjson prints them, or a recording. Tells responders first, seals what was evaluated under its own lease later. Given again after a crash it goes on where it stood",
  words: "[RECORDING]",
  options: {
    plan: { type: "string", value: "FILE", help: "a care plan sealed to you; once, then it is kept", multiple: true },
    patient: { type: "string", value: "NAME", help: "whose recording it is, when there are several plans" },
    ...CHANNELS,
    answers: { type: "string", value: "FOLDER", help: "in which sealed answers arrive (medseal alerts ack)" },
    listen: {
      type: "string",
      value: "ADDRESS",
      help: "where a running gateway brings what it stores, a socket or a port of this machine, until SIGTERM",
    },
    "feed-credential": { type: "string", value: "FILE", help: "what that gateway has to show" },
    replay: { type: "string", value: "SPEED", help: "seconds of the recording in one second; max without waiting" },
    ...INTAKE,
    "anchor-every": { type: "string", value: "LENGTH", help: "cadence of checkpoints; 1h without it" },
    "no-anchor": { type: "boolean", help: "only seals; medseal gateway anchor does the rest" },
  },
  examples: [
    ["monitor --plan ann.plan --file alerts.ndjson --answers answers --as Monitor", "readings come on stdin"],
    [
      "monitor --plan ann.plan --listen monitor.sock --feed-credential monitor.credential --answers answers --as Monitor",
      "a running gateway brings them: gateway init --monitor",
    ],
    [
      "monitor --mqtt mqtts://broker.example --mqtt-topic ward-7/alerts --mqtt-secret mqtt.secret --mqtt-credentials mqtt.user --as Monitor",
      "notices go to a broker: docs/alerts.md",
    ],
    ["monitor bidmc_01.csv --start 2026-03-01T08:00:00Z --replay 60 --as Monitor", "a recording, a minute in a second"],
  ],
  async run(call) {
    if (call.words.length > 1) throw new UsageError("more than one recording is named");
    const speed = speedOf(call);
    const every = call.flag("no-anchor") ? undefined : 1000 * parseDuration(call.text("anchor-every") ?? "1h");
    const answers = call.text("answers");
    const recording = call.words.length === 1 ? await openRecording(call) : undefined;
    const gateway = await gatewayOf(call);
    const channels = await channelsOf(call);
    await asGateway(call, async (as) => {
      const { folder, vault } = as.session;
      const rows = sqliteRows(join(folder, `alerts-${as.chain.deployment.chainId}.sqlite`));
      const desk = new Desk(rows, hmac(vault.secret, utf8("medseal/v1/alerts")));
      try {
        const now = recording ? Math.max(recording.start, desk.now) : Date.now();
        await adopt(call, as, desk, now);
        const io = call.io;
        const watch = new Watch({
          ...{ desk, channels, as, io, anchorEvery: every },
          standings: new Standings(as.chain.rpc, as.view.watch),
          answers: answers === undefined ? undefined : userPath(answers),
        });
        watch.start(now);
        const plans = desk.watching.map(({ plan }) => `${plan.patient} (${plan.id.slice(0, 8)})`);
        io.note(`Watching over ${plans.join(", ")}`);
        if (recording) {
          const plan = planFor(call, desk);
          await watch.replay(recording.intake.batches(), plan, recording.source, speed);
          await watch.windUp(desk.now);
        } else if (gateway) await watchGateway(watch, { desk, io, ...gateway });
        else await watch.beating(watch.feed(process.stdin));
        await watch.stop(every !== undefined);
        const { readings, notices, refused, checkpoints } = watch.counts;
        io.result(
          watch.counts,
          `${count(readings, "reading")} watched, ${count(notices, "notice")} sent, ${refused} lines refused, ${count(checkpoints, "checkpoint")}`,
        );
      } finally {
        await Promise.allSettled(channels.map(async (channel) => channel.close?.()));
        desk.close();
      }
    });
  },
};

async function gatewayOf(call: Call): Promise<Pick<GatewayFeed, "at" | "credential"> | undefined> {
  const [address, file] = [call.text("listen"), call.text("feed-credential")];
  if ((address === undefined) !== (file === undefined))
    throw new UsageError("--listen and --feed-credential go together: the gateway shows who it is");
  if (address === undefined || file === undefined) return undefined;
  if (call.words.length > 0) throw new UsageError("readings come from a gateway or a recording, not from both");
  const at = parseListen(address);
  if (!at)
    throw new UsageError("--listen is no address of this machine", { hint: "127.0.0.1:9312, or a socket's path" });
  return { at: placed(at, userPath), credential: await secretLine(file, "the gateway's credential") };
}

async function adopt(call: Call, as: AsGateway, desk: Desk, now: number): Promise<void> {
  for (const file of call.texts("plan")) {
    const signed = await openPlan(await readUserFile(file), as.session.vault.hpke);
    streamOf(as.gateway, signed);
    await desk.adopt(signed, now);
  }
  if (desk.plans.length === 0)
    throw new UsageError("no care plan is watched by yet", { hint: "add --plan FILE, which a patient sealed to you" });
}

function planFor(call: Call, desk: Desk): string {
  const patient = call.text("patient");
  const [found, ...more] = desk.watching.filter(({ plan }) => patient === undefined || plan.patient === patient);
  if (found === undefined) throw new UsageError(`no plan is of "${patient}"`);
  if (more.length > 0)
    throw new UsageError("several plans are kept: whose is the recording?", { hint: "add --patient NAME" });
  return found.plan.id;
}

interface Recording {
  readonly intake: Awaited<ReturnType<typeof openIntake>>;
  readonly source: string;
  /** Milliseconds. */
  readonly start: number;
}

async function openRecording(call: Call): Promise<Recording> {
  const file = userPath(call.word("recording"));
  const options = await intakeOptions(call);
  const intake = await openIntake(file, options);
  for await (const row of intake.rows()) {
    if (row.kind === "quarantined") continue;
    const start = 1000 * (parseInstant(row.observation.time)?.seconds ?? 0);
    const source = createHash("sha256")
      .update(JSON.stringify(options))
      .update(await readFile(file))
      .digest("hex");
    return { intake, source, start };
  }
  throw new UsageError("the recording has no readings");
}

function speedOf(call: Call): number {
  const text = call.text("replay");
  if (text !== undefined && call.words.length === 0) throw new UsageError("--replay goes with a recording");
  if (text === undefined || text === "max") return Infinity;
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0)
    throw new UsageError("--replay is no speed", { hint: "write 1, 60 or max" });
  return Number(text);
}
