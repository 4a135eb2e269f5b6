import { verifyWindow } from "../../src/auditor/window.ts";
import { EXIT, UsageError } from "../../src/errors.ts";
import { NotPermittedError } from "../../src/grantee/errors.ts";
import { checkPermitted } from "../../src/grantee/read.ts";
import { channelKey, type Observation } from "../../src/observation/observation.ts";
import { readingsPage, type StreamSection } from "../../src/report/readings.ts";
import { seriesOf } from "../../src/report/series.ts";
import { joined, type Span } from "../../src/report/span.ts";
import type { AlertRecord } from "../../src/report/alert-line.ts";
import { alertRecordOf, isAlerts } from "../cli/alert-record.ts";
import type { Call, Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { WINDOW, withReader, type OpenWindow, type Reader } from "../cli/reader.ts";
import { count, ownZone } from "../cli/times.ts";
import type { Vault } from "../cli/vault.ts";

export const command: Command = {
  summary:
    "Draws what was released to you: one page with charts, figures, consents, and what is missing or could not be verified. Exit 1 when something is wrong with the record; the page shows it",
  options: {
    ...WINDOW,
    stream: { type: "string", value: "NAME", help: "as the patient calls it", multiple: true },
    patient: { type: "string", value: "NAME", help: "whose; without --stream all that they let you read" },
    purpose: { type: "string", value: "CODE", help: "what for; the consent's own purpose without it" },
    html: {
      type: "string",
      value: "FILE",
      help: "where the page goes (health data: only you may read it)",
      required: true,
    },
    zone: { type: "string", value: "ZONE", help: "times in this zone, Europe/Berlin; your own without it" },
  },
  examples: [
    ["report --stream heart-rate --html heart-rate.html", "the whole window that was granted"],
    ["report --patient Ann --from 2026-03-01T08:00:00Z --html ann.html", "all that Ann lets you read, from then on"],
  ],
  async run(call) {
    if (call.texts("stream").length === 0 && call.text("patient") === undefined)
      throw new UsageError("either --stream or --patient says what to show", { hint: "see --help" });
    const file = call.need("html");
    await checkNew(file);
    const zone = ownZone(call.text("zone"));
    await withReader(call, async (reader) => {
      const named = call.texts("stream");
      const names = [...new Set(named.length > 0 ? named : reader.streams.map(({ name }) => name))];
      const sections: StreamSection[] = [];
      const patients = new Set<string>();
      for (const name of names) {
        // Alerts have a place of their own on the page.
        if (reader.streams.some((stream) => stream.name === name && isAlerts(stream))) continue;
        const window = await reader.open(name, { from: call.text("from"), to: call.text("to") });
        // Of all that a patient released, what may be read; a stream that was named must be one of these.
        if (named.length === 0 && !mayRead(window)) continue;
        patients.add(window.patient.name);
        sections.push(await sectionOf(call, window, reader.vault));
      }
      const [patient, ...others] = [...patients];
      if (patient === undefined)
        throw new NotPermittedError("nothing of this patient's is released to you to read", {
          hint: "look for mail with medseal inbox",
        });
      if (others.length > 0)
        throw new UsageError("these streams are of several patients", { hint: "add --patient NAME" });
      const mine = { ...reader, streams: reader.streamsOf(patient) };
      const alerts = await alertRecordOf(mine, { from: call.text("from"), to: call.text("to"), patient });
      const page = readingsPage({ patient, zone, ...about(reader), streams: sections, ...(alerts ? { alerts } : {}) });
      await writeNew(file, page);
      const findings = sections.reduce((sum, one) => sum + one.findings.length, alerts?.findings.length ?? 0);
      const shown = sections.map(({ name }) => name);
      const readings = sections.flatMap(({ series }) => series).reduce((sum, { points }) => sum + points.length, 0);
      call.io.result(
        { file, streams: shown, readings, alerts: countAlerts(alerts), findings },
        `${file}: ${count(readings, "reading")} of ${shown.join(", ")}${findings > 0 ? `; ${count(findings, "finding")}, which the page shows` : ", all verified"}`,
      );
      if (findings > 0) process.exitCode = EXIT.refused;
    });
  },
};

/** null when no stream of alerts was released. */
const countAlerts = (alerts: AlertRecord | undefined): number | null =>
  alerts === undefined ? null : new Set(alerts.events.flatMap((one) => ("alert" in one ? [one.alert] : []))).size;

const mayRead = ({ access, descriptor }: OpenWindow): boolean =>
  access.keys.some(({ stream, data }) => stream.name === descriptor.name && data !== undefined);

const about = ({ vault, chain: { deployment } }: Reader) => ({
  viewer: vault.name,
  made: Math.floor(Date.now() / 1000),
  place: { chainId: deployment.chainId, recordAnchor: deployment.contracts.RecordAnchor.address },
});

async function sectionOf(call: Call, window: OpenWindow, vault: Vault): Promise<StreamSection> {
  const { access, descriptor, wish, request, deps } = window;
  if (!mayRead(window))
    throw new NotPermittedError("you may audit this stream, not read it", { hint: "medseal audit --stream NAME" });
  await checkPermitted(access, request, deps);
  const covered: Span[] = [];
  const byChannel = new Map<string, Observation[]>(descriptor.channels.map((channel) => [channelKey(channel), []]));
  const gateways = new Set<string>();
  const { findings, unfinished } = await verifyWindow(access, request, deps, ({ place, chunks = [], keys }) => {
    const { epochLength } = keys.stream;
    covered.push({ from: place.epoch * epochLength, to: (place.epoch + 1) * epochLength });
    gateways.add(keys.write.consent.grantee);
    for (const observation of chunks.flatMap(({ observations }) => observations))
      byChannel.get(channelKey(observation.channel))?.push(observation);
    call.io.progress(`${descriptor.name}, ${count(covered.length, "header")}`);
  });
  call.io.progressDone();
  const unverified = joined(findings.flatMap(({ span }) => span ?? []));
  const recorded = { window: wish, now: deps.time, epochLength: descriptor.epochLength, covered, unverified };
  return {
    name: descriptor.name,
    consent: access.link.consent,
    gateways: [...gateways].map(
      (address) => vault.contacts.find((contact) => contact.address === address)?.name ?? address,
    ),
    window: wish,
    covered: joined(covered),
    series: descriptor.channels.map((channel) => seriesOf(channel, byChannel.get(channelKey(channel)) ?? [], recorded)),
    findings,
    unfinished: unfinished > 0,
  };
}
