import type { IntakeOptions } from "../../src/intake/types.ts";
import { lookThrough } from "./recording.ts";
import { audit, damage } from "./audit.ts";
import { checkAll, ingest, openGateway } from "./gateway.ts";
import { granted, handLease, mailRelease, openPatient, relayed } from "./patient.ts";
import { MAIL_ROWS } from "../../src/log/mail.ts";
import { newIdentity } from "./parties.ts";
import { closedTo, openInbox, readAll } from "./reader.ts";
import { openWorld } from "./world.ts";

/** What the story came to; `--json` prints it. Counts are of readings, gas per transaction in steady state. */
export interface StoryResult {
  readonly input: string;
  readonly readings: number;
  readonly missing: number;
  readonly quarantined: number;
  /** Every reading came back with the text of its value and time, and a valid inclusion proof. */
  readonly bitExact: boolean;
  readonly epochs: number;
  readonly epochSeconds: number;
  readonly bytes: { readonly json: number; readonly sealed: number; readonly stored: number };
  readonly gas: {
    readonly deploy: number;
    readonly anchor: number;
    readonly grantBySig: number;
    readonly revoke: number;
  };
  readonly window: {
    readonly from: string;
    readonly to: string;
    readonly opened: number;
    readonly expected: number;
    readonly outsideClosed: boolean;
  };
  readonly verify: { readonly ok: boolean; readonly objects: number };
  readonly tamper: { readonly found: boolean; readonly cid: string };
  readonly revoked: { readonly laterClosed: boolean; readonly othersOpen: boolean };
  /** Places where a header is missing, repeated or exchanged. */
  readonly gaps: number;
  readonly seconds: number;
  /** All of it as told. */
  readonly ok: boolean;
}

/** Tells a step of the story: what happened and with which figures. */
export type Tell = (title: string, ...lines: string[]) => void;

/** Epochs at the end of the recording that arrive only after the revocation. */
const LATER_EPOCHS = 3;

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
const many = (n: number, one: string, more = `${one}s`): string => `${n.toLocaleString("en")} ${n === 1 ? one : more}`;

/**
 * Runs the main job over one recording, on an in-process chain and an embedded IPFS node.
 *
 * @throws InputError and UsageError for a file that cannot be used. What does not happen as told makes `ok` false.
 */
export async function runStory(input: string, options: IntakeOptions, tell: Tell): Promise<StoryResult> {
  const began = performance.now();
  const recording = await lookThrough(input, options);
  const world = await openWorld();
  try {
    const at = world.deployment.contracts;
    tell(
      "contracts deployed",
      `ConsentRegistry ${at.ConsentRegistry.address}`,
      `RecordAnchor    ${at.RecordAnchor.address}`,
      `${world.gasOfDeployment.toLocaleString("en")} gas in all, chain ${world.registry.chainId} inside this process`,
    );

    const { firstEpoch, endEpoch, epochLength } = recording;
    const time = (epoch: number): number => epoch * epochLength;
    const epochs = endEpoch - firstEpoch;
    const patient = await openPatient(world);
    for (const stream of recording.streams) patient.self.openStream(stream);
    tell(
      "the patient opens streams",
      ...recording.streams.map(
        ({ name, channels }) =>
          `${name.padEnd(22)} ${many(channels.length, "channel")}, ${channels.map(({ code, unit }) => `${code.code}${unit && ` in ${unit}`}`)[0]}`,
      ),
      `an epoch of these streams is ${epochLength} s, so that the recording has ${epochs} of them`,
    );

    const gatewayIdentity = await newIdentity("Ward gateway", world.accounts.gateway);
    const streams = recording.streams.map(({ name }) => name);
    const gateway = await openGateway(world, gatewayIdentity);
    const write = await patient.self.authorizeGateway({
      to: gatewayIdentity.party,
      streams,
      purpose: "TREAT",
      dataStart: time(firstEpoch),
      dataEnd: time(endEpoch),
      ...patient.period,
    });
    const writeGas = await relayed(world, await granted(patient, write));
    await handLease(patient, write.id, gateway);
    tell(
      "the patient gives the gateway leave to write",
      `"${write.consent.statement}"`,
      `the patient signed and holds no ether; a relayer sent it for ${writeGas.toLocaleString("en")} gas`,
      "the lease went to the gateway sealed: keys for this recording, and a spare generation that nobody else has",
    );

    const first = await ingest(gateway, recording, firstEpoch, endEpoch - LATER_EPOCHS);
    tell(
      "the gateway ingests, seals, stores and anchors",
      `${first.readings.toLocaleString("en")} readings and ${first.missing} marked missing, of ${epochs - LATER_EPOCHS} epochs; ${many(recording.quarantined.length, "row")} quarantined`,
      ...recording.quarantined
        .slice(0, 3)
        .map(({ at: place, reason }) => `  ${place.file}, line ${place.line}: ${reason}`),
      `${first.json.toLocaleString("en")} bytes as JSON became ${first.sealed.toLocaleString("en")} sealed; ${first.stored.toLocaleString("en")} stored with padding`,
      `checkpoint ${first.cids[0]}`,
    );

    const lee = await newIdentity("Dr Lee");
    const roy = await newIdentity("Dr Roy");
    const terms = {
      streams,
      purpose: "TREAT",
      actions: ["READ"] as const,
      dataStart: time(firstEpoch + 1),
      dataEnd: time(endEpoch - 1),
      ...patient.period,
    };
    const leeConsent = patient.self.draft({ to: lee.party, ...terms });
    const royConsent = patient.self.draft({ to: roy.party, ...terms });
    await relayed(world, await granted(patient, leeConsent));
    const grantGas = await relayed(world, await granted(patient, royConsent));
    tell(
      "the patient consents, a relayer submits",
      `"${leeConsent.consent.statement}"`,
      `on chain: an opaque id, an address made for this relationship, ${grantGas.toLocaleString("en")} gas; Dr Roy gets a consent of his own`,
    );

    await handLease(patient, write.id, gateway);
    for (const consent of [leeConsent, royConsent]) await mailRelease(patient, consent, gateway);
    const mailed = await gateway.self.checkpoint();
    const inbox = await openInbox(world, lee, gateway);
    tell(
      "the envelope is released and found",
      "first the gateway got a new lease and confirmed that it heeds the end of both consents",
      `the next checkpoint has ${mailed[0]?.size ?? 0} entries and ${MAIL_ROWS} mail rows, most of them padding that nobody can tell apart`,
      `Dr Lee looked at ${inbox.rows} rows, fetched ${many(inbox.fetched, "envelope")}, opened ${inbox.access.length}`,
    );

    const seen = await readAll(world, lee, inbox.access, gateway, recording);
    const outsideClosed = await closedTo(world, inbox.access, gateway, (epoch) => epoch === firstEpoch);
    const expectedEpochs = epochs - LATER_EPOCHS - 1;
    const window = {
      from: iso(terms.dataStart),
      to: iso(terms.dataEnd),
      opened: seen.epochs.size,
      expected: expectedEpochs,
      outsideClosed,
    };
    tell(
      "the clinician reads the granted window",
      `granted: ${window.from} to ${window.to}, ${epochs - 2} of ${epochs} epochs; ${expectedEpochs} of them recorded so far`,
      seen.gaps === 0
        ? "the signed headers follow one another without a gap"
        : `${many(seen.gaps, "place")} where a header is missing, repeated or exchanged`,
      `opened: ${seen.readings.toLocaleString("en")} readings in ${window.opened} epochs, each with a proof up to the chain; the epoch before the window ${outsideClosed ? "stays closed" : "OPENED"}`,
    );

    const clean = await audit(world, gateway);
    tell(
      "the auditor verifies without a key",
      `${clean.checkpoints} checkpoints, ${clean.objects} stored blocks: ${clean.ok ? "nothing anchored was altered or removed" : "FINDINGS"}`,
    );

    const damaged = await damage(world, gateway, first.batch);
    tell(
      "one byte of a stored block is flipped",
      `block ${damaged.cid}`,
      damaged.found ? `the auditor: ${damaged.text}` : "the auditor did NOT find it",
      "the block was put back from the copy at hand",
    );

    const revoke = await patient.revoke(leeConsent);
    gateway.viewer.ledger.noteSigned(revoke);
    const retired = await gateway.self.retireEnded();
    const revokeGas = await relayed(world, revoke);
    const later = await ingest(gateway, recording, endEpoch - LATER_EPOCHS, endEpoch);
    const due = await patient.self.moveToSpare(streams);
    for (const id of due.leases) await handLease(patient, id, gateway);
    for (const consent of [leeConsent, royConsent])
      if (due.releases.includes(consent.id)) await mailRelease(patient, consent, gateway);
    await gateway.self.checkpoint();
    const isLater = (epoch: number): boolean => epoch >= endEpoch - LATER_EPOCHS;
    const laterClosed = retired > 0 && (await closedTo(world, inbox.access, gateway, isLater));
    const royInbox = await openInbox(world, roy, gateway);
    const royRead = await readAll(world, roy, royInbox.access, gateway, recording);
    const royLater = [...royRead.epochs].filter(isLater).length;
    const othersOpen =
      royLater === LATER_EPOCHS - 1 && !royRead.epochs.has(endEpoch - 1) && !royRead.epochs.has(firstEpoch);
    tell(
      "the patient revokes Dr Lee",
      `signed, seen by the gateway at once, relayed for ${revokeGas.toLocaleString("en")} gas`,
      `the gateway moved ${many(retired, "stream")} to the spare generation before it sealed ${later.readings.toLocaleString("en")} later readings`,
      laterClosed
        ? "none of them opens with Dr Lee's keys; what he was given before stays readable to him"
        : "Dr Lee still opens later readings",
      othersOpen
        ? `Dr Roy reads on: ${royRead.readings.toLocaleString("en")} readings, up to the end of his window`
        : "Dr Roy can NOT read on as he should",
    );

    const all = await checkAll(world, patient, write.id, gateway, recording);
    const final = await audit(world, gateway);
    tell(
      "every reading is compared with the file",
      `${all.readings.toLocaleString("en")} readings and ${all.missing} missing came back; text of values and times ${all.exact ? "equal" : "DIFFERS"}, inclusion proofs ${all.proven ? "valid" : "INVALID"}`,
    );

    const gaps = seen.gaps + royRead.gaps;
    const bitExact = all.exact && all.proven;
    const windowExact = window.opened === expectedEpochs && outsideClosed && seen.exact;
    const verify = { ok: clean.ok && final.ok, objects: final.objects };
    const bytes = {
      json: first.json + later.json,
      sealed: first.sealed + later.sealed,
      stored: first.stored + later.stored,
    };
    return {
      input,
      readings: recording.readings,
      missing: recording.missing,
      quarantined: recording.quarantined.length,
      bitExact,
      epochs,
      epochSeconds: epochLength,
      bytes,
      gas: { deploy: Number(world.gasOfDeployment), anchor: later.gas, grantBySig: grantGas, revoke: revokeGas },
      window,
      verify,
      tamper: { found: damaged.found, cid: damaged.cid },
      revoked: { laterClosed, othersOpen },
      gaps,
      seconds: Math.round((performance.now() - began) / 100) / 10,
      ok: bitExact && windowExact && gaps === 0 && verify.ok && damaged.found && laterClosed && othersOpen,
    };
  } finally {
    await world.close();
  }
}
