import { UsageError } from "../../src/errors.ts";
import { openIntake } from "../../src/intake/intake.ts";
import { loadMapping } from "../../src/intake/mapping.ts";
import { survey } from "../../src/intake/survey.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import { ALERTS_CHANNEL } from "../../src/monitor/entry.ts";
import type { Call, Command } from "../cli/command.ts";
import { userPath } from "../cli/io.ts";
import { asPatientOffline } from "../cli/patient.ts";
import { checkPlainName } from "../cli/people.ts";
import { describeStream } from "../cli/streams.ts";
import { parseDuration, shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary: "Opens streams: by name and code, or all that a recording would fill",
  words: "[NAME]",
  options: {
    code: {
      type: "string",
      value: "SYSTEM|CODE",
      help: "code of what it measures, http://loinc.org|8867-4; LOINC alone may be left out",
    },
    unit: { type: "string", value: "UCUM", help: "unit of its values, /min for one" },
    epoch: { type: "string", value: "LENGTH", help: "1min, 1h, 1d: the shortest time that can be granted apart" },
    alerts: { type: "boolean", help: "the stream of a care plan: what is evaluated, and its alerts; epochs of 1min" },
    like: { type: "string", value: "FILE", help: "opens what this recording holds" },
    start: { type: "string", value: "INSTANT", help: "with --like: where a file's seconds begin to count" },
    tz: { type: "string", value: "ZONE", help: "with --like: zone of a file's local times" },
    mapping: { type: "string", value: "FILE", help: "with --like: what the columns mean" },
  },
  examples: [
    ["stream open heart-rate --code 8867-4 --unit /min --epoch 1h", "one stream, LOINC 8867-4"],
    ["stream open alerts --alerts", "for a care plan: medseal plan"],
    ["stream open --like bidmc_01.csv --start 2026-03-01T08:00:00Z --epoch 1min", "all channels of a recording"],
  ],
  async run(call) {
    const wanted = call.text("like") === undefined ? [byName(call)] : await byFile(call);
    await asPatientOffline(call, async ({ patient, session }) => {
      const opened = wanted.map((stream) => patient.openStream(stream));
      await session.save();
      const streams = opened.map(({ name, epochLength, channels }) => ({ name, epochLength, channels }));
      call.io.result({ streams }, ...streams.map(describeStream));
    });
  },
};

function byName(call: Call): Omit<StreamDescriptor, "id"> {
  const [name] = call.words;
  if (name === undefined)
    throw new UsageError("no stream is named", { hint: "name one, or a recording with --like FILE" });
  if (call.flag("alerts")) {
    const epochLength = parseDuration(call.text("epoch") ?? "1min");
    return { name, channels: [ALERTS_CHANNEL], epochLength, batchClass: 0 };
  }
  const [system, code] = call.need("code").includes("|")
    ? call.need("code").split("|")
    : ["http://loinc.org", call.need("code")];
  if (!system || !code) throw new UsageError("--code is SYSTEM|CODE", { hint: "for example http://loinc.org|8867-4" });
  const channel = { code: { system, code }, unit: call.need("unit") };
  return {
    name: checkPlainName(name),
    channels: [channel],
    epochLength: parseDuration(call.text("epoch") ?? "1h"),
    batchClass: 0,
  };
}

async function byFile(call: Call): Promise<Omit<StreamDescriptor, "id">[]> {
  if (call.words.length > 0)
    throw new UsageError("a recording names its streams itself", { hint: "leave the name out" });
  const [start, zone, mapping] = [call.text("start"), call.text("tz"), call.text("mapping")];
  const intake = await openIntake(userPath(call.need("like")), {
    ...(start === undefined ? {} : { start }),
    ...(zone === undefined ? {} : { zone }),
    ...(mapping === undefined ? {} : { mapping: await loadMapping(userPath(mapping)) }),
  });
  const { streams, from, to, readings } = await survey(intake);
  call.io.note(`${readings.toLocaleString("en")} readings from ${shownWindow({ from, to })}`);
  const epoch = call.text("epoch");
  return streams.map((stream) => (epoch === undefined ? stream : { ...stream, epochLength: parseDuration(epoch) }));
}
