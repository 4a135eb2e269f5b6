import { getAddress } from "ethers";
import { now } from "../../src/bytes/random.ts";
import type { Audited, Rested } from "../../src/auditor/audited.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import { verifyWindow } from "../../src/auditor/window.ts";
import type { AnchoredCheckpoint } from "../../src/chain/anchor.ts";
import { isAddress, type Hex } from "../../src/consent/consent.ts";
import { UsageError } from "../../src/errors.ts";
import { withChain, withStore } from "./chain.ts";
import type { Call } from "./command.ts";
import { withVault } from "./home.ts";
import { contactNamed } from "./patient.ts";
import { withReader } from "./reader.ts";
import { count, shownWindow } from "./times.ts";

/** Verifies what the call names: a gateway's whole archive without a key, or a window of a stream. @throws UsageError; outages. */
export function audit(call: Call): Promise<Audited> {
  if ((call.text("gateway") === undefined) === (call.text("stream") === undefined))
    throw new UsageError("either --gateway or --stream says what to verify", { hint: "see --help" });
  return call.text("stream") === undefined ? auditArchive(call) : auditWindow(call);
}

async function auditArchive(call: Call): Promise<Audited> {
  const { by, gateway } = await gatewayOf(call);
  const audited = await withChain((chain) =>
    withStore(async (blocks): Promise<Audited> => {
      const checkpoints = await chain.historyOf(gateway);
      const report = await verifyArchive(chain.placeOf(gateway), checkpoints, (digest) => blocks.get(digest), {
        progress: (objects) => call.io.progress(`${objects.toLocaleString("en")} blocks`),
      });
      const { chainId, contracts } = chain.deployment;
      const done = { at: now(), chainId, recordAnchor: contracts.RecordAnchor.address };
      return { kind: "archive", gateway, report, ...by, ...done, rested: [{ gateway, checkpoints }] };
    }),
  );
  call.io.progressDone();
  return audited;
}

const auditWindow = (call: Call): Promise<Audited> =>
  withReader(call, async (reader) => {
    const { patient, access, descriptor, request, deps, chain } = await reader.open(call.need("stream"), {
      from: call.text("from"),
      to: call.text("to"),
    });
    const byGateway = new Map<Hex, Map<number, AnchoredCheckpoint>>();
    const report = await verifyWindow(access, request, deps, ({ found: { anchored }, keys }) => {
      const { grantee } = keys.write.consent;
      const checkpoints = byGateway.get(grantee) ?? new Map<number, AnchoredCheckpoint>();
      byGateway.set(grantee, checkpoints.set(anchored.index, anchored));
    });
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
      depth: access.keys.some(({ data }) => data !== undefined) ? "read" : "audit",
      report,
    };
  });

/** What was verified, in one line. */
export function lookedAt(audited: Audited): string {
  if (audited.kind === "archive") {
    const { checkpoints, objects, erased } = audited.report;
    return `${count(checkpoints, "checkpoint")} and ${count(objects, "block")} of ${audited.gateway}${erased > 0 ? `, ${erased} declared erased` : ""}`;
  }
  const { headers, batches, readings } = audited.report;
  return `${audited.stream}, ${shownWindow(audited.window)}: ${count(headers, "header")}, ${count(batches, "batch", "batches")} with ${count(readings, "reading")}`;
}

/** By the name of a contact, which takes an identity, or by its address, which takes none. @throws UsageError. */
export async function gatewayOf(call: Call): Promise<{ gateway: Hex; by: { by?: string } }> {
  const named = call.need("gateway");
  if (!named.startsWith("0x"))
    return withVault(call, ({ vault }) =>
      Promise.resolve({ gateway: contactNamed(vault, named).address, by: { by: vault.name } }),
    );
  try {
    const address = getAddress(named);
    if (isAddress(address)) return { gateway: address, by: {} };
  } catch {
    // Said below.
  }
  throw new UsageError("--gateway is no address, or its checksum is wrong");
}
