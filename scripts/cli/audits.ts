import { getAddress } from "ethers";
import type { Devices } from "../../src/archive/devices.ts";
import { fromHex, hex } from "../../src/bytes/bytes.ts";
import { now } from "../../src/bytes/random.ts";
import type { Audited, Rested } from "../../src/auditor/audited.ts";
import { UnanchoredError } from "../../src/auditor/batch.ts";
import { compareHistories } from "../../src/auditor/compare.ts";
import { flagsOf, type Flag } from "../../src/auditor/plausible.ts";
import { verifyReading, type ReadingReport } from "../../src/auditor/reading.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import { verifyWindow, type Inspected } from "../../src/auditor/window.ts";
import type { AnchoredCheckpoint } from "../../src/chain/anchor.ts";
import { isAddress, type Hex } from "../../src/consent/consent.ts";
import { UsageError } from "../../src/errors.ts";
import { NotPermittedError } from "../../src/grantee/errors.ts";
import type { Entry } from "../../src/log/checkpoint.ts";
import { parseInstant } from "../../src/observation/instant.ts";
import { readSettings } from "../../src/settings.ts";
import { progressBar } from "./bar.ts";
import { withBlocks, withChain, type Chain } from "./chain.ts";
import type { Call, OptionSpec } from "./command.ts";
import { homeFolder, withVault } from "./home.ts";
import { readHistory } from "./history.ts";
import { contactNamed } from "./patient.ts";
import { withReader, type OpenWindow, type Reader } from "./reader.ts";
import { count, parseTime, shownWindow, type Window } from "./times.ts";
import { withVerifier, type Verifier } from "./verifier.ts";

/** What says where devices are enrolled. */
export const DEVICES: Readonly<Record<string, OptionSpec>> = {
  devices: {
    type: "string",
    value: "ADDRESS",
    help: "the DeviceRegistry: also find what devices signed that were suspended, retired or recalled; MEDSEAL_DEVICES",
  },
};

/** Verifies what the call names: a gateway's whole archive without a key, or a window of a stream. @throws UsageError; outages. */
export function audit(call: Call): Promise<Audited> {
  if ((call.text("gateway") === undefined) === (call.text("stream") === undefined))
    throw new UsageError("either --gateway or --stream says what to verify", { hint: "see --help" });
  return call.text("stream") === undefined
    ? auditArchive(call)
    : withReader(call, (reader) => auditStream(call, reader, call.need("stream")));
}

/** Verifies every stream that the patient has released. @throws as `audit`. */
export function auditPatient(call: Call): Promise<Audited[]> {
  return withReader(call, async (reader) => {
    const names = [...new Set(reader.streams.map(({ name }) => name))];
    if (names.length === 0)
      throw new NotPermittedError("nothing that was released to you is of this patient", {
        hint: "look for mail with medseal inbox",
      });
    const done: Audited[] = [];
    for (const name of names) done.push(await auditStream(call, reader, name));
    return done;
  });
}

async function auditArchive(call: Call): Promise<Audited> {
  const { by, gateway } = await gatewayOf(call);
  const show = progressBar(call.io);
  const audited = await withChain((chain) =>
    withBlocks(call.text("blocks"), async (blocks): Promise<Audited> => {
      const checkpoints = await chain.historyOf(gateway);
      const { chainId, contracts } = chain.deployment;
      const done = { at: now(), chainId, recordAnchor: contracts.RecordAnchor.address };
      const window = anchoredWithin(call, done.at);
      const against = call.text("against");
      const other = against === undefined ? undefined : await readHistory(against, { ...done, gateway });
      const subject = ["archive", chainId, done.recordAnchor, gateway];
      return withVerifier(call, blocks.files, { folder: homeFolder(), subject }, async ({ look, resumed }) => {
        const report = await verifyArchive(chain.placeOf(gateway), checkpoints, (digest) => blocks.get(digest), {
          ...(look && { look }),
          ...(window && { window }),
          progress: (read, objects) => show(read / checkpoints.length, count(objects, "block")),
        });
        const forks = other ? compareHistories(checkpoints, other) : [];
        const findings = [...forks, ...report.findings];
        return {
          ...{ kind: "archive", gateway, resumed: resumed(), ...by, ...done },
          report: { ...report, ok: findings.length === 0, findings },
          rested: [{ gateway, checkpoints }],
          ...(other && { compared: Math.min(checkpoints.length, other.length) }),
        };
      });
    }),
  );
  call.io.progressDone();
  return audited;
}

/** Of an archive a window is one of anchoring: what blocks are about, nobody sees without a key. */
function anchoredWithin(call: Call, time: number): Window | undefined {
  const [from, to] = [call.text("from"), call.text("to")];
  if (from === undefined && to === undefined) return undefined;
  const window = {
    from: from === undefined ? 0 : parseTime(from, time),
    to: to === undefined ? Infinity : parseTime(to, time),
  };
  if (window.from >= window.to) throw new UsageError("--to does not come after --from");
  return window;
}

async function auditStream(call: Call, reader: Reader, stream: string): Promise<Audited> {
  const opened = await reader.open(stream, { from: call.text("from"), to: call.text("to") });
  const { patient, access, descriptor, request, deps, chain } = opened;
  const byGateway = new Map<Hex, Map<number, AnchoredCheckpoint>>();
  const tag = tagOf(call);
  let found = false;
  const only = (entry: Entry): boolean => {
    const is = hex(entry.tag) === tag;
    found ||= is;
    return is;
  };
  const show = progressBar(call.io);
  const flags: Flag[] | undefined = call.flag("plausible") && depthOf(opened) === "read" ? [] : undefined;
  const inspected = flags && ((one: Inspected): void => void flags.push(...flagsOf(one)));
  const { report, resumed } = await verifying(call, reader, opened, async (verifier, devices) => ({
    report: await verifyWindow(access, request, deps, inspected, {
      check: verifier.check,
      devices,
      ...(tag === undefined ? {} : { only: ({ entry }) => only(entry) }),
      progress: (share) => show(share, `${descriptor.name} of ${patient.name}`),
      anchored: (checkpoint, keys) => {
        const { grantee } = keys.write.consent;
        const checkpoints = byGateway.get(grantee) ?? new Map<number, AnchoredCheckpoint>();
        byGateway.set(grantee, checkpoints.set(checkpoint.index, checkpoint));
      },
    }),
    resumed: verifier.resumed(),
  }));
  call.io.progressDone();
  const isAnchored = (one: string): boolean =>
    access.keys.some(({ write }) => deps.archiveOf(write.consent.grantee).find(fromHex(one)) !== undefined);
  if (tag !== undefined && !found && !isAnchored(tag)) throw new UnanchoredError();
  if (tag !== undefined && !found)
    throw new UsageError("there is no batch under this tag in the window", { hint: "widen it with --from and --to" });
  const rested = [...byGateway].map(([gateway, checkpoints]): Rested => ({
    gateway,
    checkpoints: [...checkpoints.values()].sort((a, b) => a.index - b.index),
  }));
  const { chainId, contracts } = chain.deployment;
  return {
    kind: "window",
    by: reader.vault.name,
    at: deps.time,
    chainId,
    recordAnchor: contracts.RecordAnchor.address,
    rested,
    stream: descriptor.name,
    patient: patient.name,
    consent: access.link.consent,
    window: { from: request.from, to: request.to },
    depth: depthOf(opened),
    ...(flags && { flags }),
    resumed,
    report,
  };
}

/** Verifies the reading, or with keys to audit the batches of its time. @throws as `audit`. */
export const auditReading = (call: Call): Promise<{ report: ReadingReport; depth: "read" | "audit" }> =>
  withReader(call, async (reader) => {
    const at = call.need("at");
    if (!parseInstant(at)) throw new UsageError("--at is no instant", { hint: "write 2026-03-01T08:02:00Z" });
    const opened = await reader.open(call.need("stream"), {});
    const { access, request, deps } = opened;
    const wanted = { at, code: call.text("code"), purpose: request.purpose };
    const devices = await devicesOf(call, opened.chain);
    const report = await verifyReading(access, request.stream, wanted, deps, { devices });
    if (report.places.length === 0 && report.findings.length === 0)
      throw new UsageError("there is no reading of this time", { hint: "write the time as medseal read shows it" });
    return { report, depth: depthOf(opened) };
  });

const depthOf = ({ access }: OpenWindow): "read" | "audit" =>
  access.keys.some(({ data }) => data !== undefined) ? "read" : "audit";

async function verifying<T>(
  call: Call,
  { folder }: Reader,
  { files, descriptor, request, chain }: OpenWindow,
  work: (verifier: Verifier, devices: Devices | undefined) => Promise<T>,
): Promise<T> {
  const devices = await devicesOf(call, chain);
  const subject = ["window", chain.deployment.chainId, hex(descriptor.id), request.from, request.to];
  return withVerifier(call, files, { folder, subject }, (verifier) => work(verifier, devices));
}

/** What the registry that the call names says of devices; undefined when it names none. */
async function devicesOf(call: Call, { rpc, deployment }: Chain): Promise<Devices | undefined> {
  const named = call.text("devices") ?? readSettings().devices;
  if (named === undefined) return undefined;
  const { readDevices } = await import("../../src/chain/device-registry.ts");
  return readDevices(rpc, { chainId: deployment.chainId, address: addressOf(named, "--devices"), block: 0 });
}

/** @throws UsageError. */
export function tagOf(call: Call): string | undefined {
  const tag = call.text("batch");
  if (tag !== undefined && !/^[0-9a-f]{64}$/.test(tag))
    throw new UsageError("--batch is not the 64 hexadecimal digits of a tag");
  return tag;
}

/** What was verified, in one line. */
export function lookedAt(audited: Audited): string {
  if (audited.kind === "archive") {
    const { checkpoints, objects, erased } = audited.report;
    return `${count(checkpoints, "checkpoint")} and ${count(objects, "block")} of ${audited.gateway}${erased > 0 ? `, ${erased} declared erased` : ""}`;
  }
  const { headers, batches, readings } = audited.report;
  const opened =
    audited.depth === "audit"
      ? "no reading opened"
      : `${count(batches, "batch", "batches")} with ${count(readings, "reading")}`;
  return `${audited.stream}, ${shownWindow(audited.window)}: ${count(headers, "header")}, ${opened}`;
}

/** By the name of a contact, which takes an identity, or by its address, which takes none. @throws UsageError. */
export async function gatewayOf(call: Call): Promise<{ gateway: Hex; by: { by?: string } }> {
  const named = call.need("gateway");
  if (!named.startsWith("0x"))
    return withVault(call, ({ vault }) =>
      Promise.resolve({ gateway: contactNamed(vault, named).address, by: { by: vault.name } }),
    );
  return { gateway: addressOf(named, "--gateway"), by: {} };
}

/** @throws UsageError. */
function addressOf(named: string, option: string): Hex {
  try {
    const address = getAddress(named);
    if (isAddress(address)) return address;
  } catch {
    // Said below.
  }
  throw new UsageError(`${option} is no address, or its checksum is wrong`);
}
