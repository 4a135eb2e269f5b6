import { keccak256 } from "ethers";
import { compare, fromHex, hex, hex0x, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { headAfter, FIRST_HEAD } from "../../src/chain/anchor.ts";
import { storageProof } from "../../src/chain/storage-root.ts";
import { endedBeforeSlot, entrySlot, headSlot, packEntry, word } from "../../src/chain/storage.ts";
import { consentId, type Consent, type Hex } from "../../src/consent/consent.ts";
import { draftConsent } from "../../src/consent/draft.ts";
import { encodeConsent } from "../../src/consent/encoding.ts";
import type { Bundle, BundledBatch, BundledConsent } from "../../src/evidence/bundle.ts";
import { encodeBundle } from "../../src/evidence/format.ts";
import { readZip, writeZip } from "../../src/evidence/zip.ts";
import { coverOf, epochKey } from "../../src/keys/cover.ts";
import { batchKey, headerKey } from "../../src/keys/epoch.ts";
import { checkpointRoot, encodeCheckpoint } from "../../src/log/checkpoint.ts";
import { chunkRoot } from "../../src/log/chunk.ts";
import { inclusionProof, leafHash } from "../../src/log/merkle.ts";
import { sealBatch } from "../../src/log/sealed-batch.ts";
import { freshSigner, signStatement } from "../../src/log/signer.ts";
import { formatInstant } from "../../src/observation/instant.ts";
import { messageKey } from "../../src/seal/seal.ts";
import { readBundle } from "./evidence-report.ts";
import {
  at,
  clinician,
  device,
  EPOCH,
  LENGTH,
  patient,
  place,
  START,
  stream,
  streamIds,
  writeConsent,
} from "./samples.ts";
import { blockWith } from "./state.ts";
import { bad, draw, flip, good, type Case, type Suite } from "./suite.ts";

const CODE = { registryCode: hex0x(draw("registry code")(32)), anchorCode: hex0x(draw("anchor code")(32)) };
const roots = { data: draw("evidence data root")(32), audit: draw("evidence audit root")(32) };
const generation = 4;

/** Two headers of two readings each, one an epoch, and the keys that open each of their blocks alone. */
function sealedEpochs(): {
  batches: Required<BundledBatch>[];
  entries: ReturnType<typeof sealBatch>["entry"][];
  blocks: Uint8Array[];
} {
  const signer = freshSigner();
  const [batches, entries, blocks] = [
    [] as Required<BundledBatch>[],
    [] as ReturnType<typeof sealBatch>["entry"][],
    [] as Uint8Array[],
  ];
  for (const [i, epoch] of [EPOCH, EPOCH + 1].entries()) {
    const keys = {
      data: epochKey(coverOf(roots.data, epoch, epoch + 1), epoch),
      audit: epochKey(coverOf(roots.audit, epoch, epoch + 1), epoch),
    };
    const observations = [0, 1].map((second) => ({
      channel: stream.channels[0]!,
      time: formatInstant({ seconds: epoch * LENGTH + second, fraction: "", offset: "Z" }),
      status: "final" as const,
      value: { kind: "quantity" as const, decimal: String(70 + second), comparator: "" as const },
    }));
    const chunk = { seed: draw(`evidence seed ${i}`)(32), clock: { kind: "source" } as const, observations };
    const item = { stream: stream.id, epoch, count: observations.length, root: chunkRoot(chunk) };
    const statement = signStatement(device, 7, signer, [item]);
    const previous = entries.at(-1)?.header ?? new Uint8Array(32);
    const links = { sequence: i, previous, continues: new Uint8Array(32), last: true, late: false };
    const spot = { ...place, stream: stream.id, generation, epoch, n: 0 };
    const { entry, header, batch } = sealBatch([{ ...chunk, statement, index: 0 }], keys, spot, stream, links);
    entries.push(entry);
    blocks.push(header, batch);
    batches.push({
      epoch,
      n: 0,
      tag: entry.tag,
      headerKey: messageKey(headerKey(keys.audit), header),
      batchKey: messageKey(batchKey(keys.data), batch),
    });
  }
  return { batches, entries, blocks };
}

/** A consent over several streams, of which the bundle shows one. */
const several = draftConsent(
  {
    grantor: patient.address,
    grantee: clinician.address,
    streams: [...streamIds, hex0x(stream.id)],
    purpose: "TREAT",
    dataStart: START,
    dataEnd: START + 2 * LENGTH,
    periodStart: START,
    periodEnd: START + 86_400,
    actions: ["READ"],
  },
  draw("salt of several"),
);

const TIMES = {
  [consentId(writeConsent)]: { revokedAt: 0 },
  [consentId(several)]: { revokedAt: START + 9000 },
} as Record<Hex, { revokedAt: number }>;

/** @param terms - Consents, the leave to write first. */
function sampleBundle(terms: readonly Consent[], shows: Bundle["shows"] = "headers"): Bundle {
  const { batches, entries, blocks } = sealedEpochs();
  const sorted = [...entries].sort((a, b) => compare(a.tag, b.tag));
  const links = { index: 0, headBefore: FIRST_HEAD, previous: new Uint8Array(32), mail: [], erased: [] };
  const { block: checkpoint } = encodeCheckpoint({ ...place, ...links, entries: sorted });
  const anchor = { root: checkpointRoot(sorted), digest: sha256(checkpoint), size: sorted.length };
  const gateway = hex0x(place.gateway);
  const heads = new Map<Hex, Hex>([
    [headSlot(gateway), hex0x(headAfter(FIRST_HEAD, anchor))],
    [headSlot(hex0x(draw("gateway a")(20))), hex0x(draw("head a")(32))],
  ]);
  const grantor = patient.address as Hex;
  const states = new Map<Hex, Hex>(
    [...terms].map((consent) => {
      const granted = { issuedAt: START - 700, grantedAt: START - 600, ...TIMES[consentId(consent)]! };
      return [entrySlot(grantor, consentId(consent)), packEntry(granted)];
    }),
  );
  states.set(endedBeforeSlot(grantor), word(START - 90_000));
  const { block, paths } = blockWith([
    { address: place.anchor, codeHash: CODE.anchorCode, slots: heads },
    { address: fromHex(at.registry), codeHash: CODE.registryCode, slots: states },
  ]);
  const slots = (slot: Hex): Hex[] => storageProof(states, slot);
  const kept = shows === "readings" ? blocks : blocks.filter((_, i) => i % 2 === 0);
  return {
    software: "medseal vectors",
    chainId: at.chainId,
    registry: fromHex(at.registry),
    anchor: place.anchor,
    stream: stream.id,
    epochLength: LENGTH,
    shows,
    from: START,
    to: START + 2 * LENGTH,
    block,
    anchorAccount: paths[0]!,
    registryAccount: paths[1]!,
    gateways: [
      {
        address: place.gateway,
        storage: storageProof(heads, headSlot(gateway)),
        checkpoints: [{ ...anchor, block: 6, time: START + 7500 }],
      },
    ],
    consents: terms.map((consent) => ({
      consent: encodeConsent(consent),
      scope: scopeOf(consent),
      state: { entry: slots(entrySlot(grantor, consentId(consent))), endedBefore: slots(endedBeforeSlot(grantor)) },
    })),
    generations: [
      {
        generation,
        write: 0,
        batches: shows === "readings" ? batches : batches.map(({ batchKey: _, ...batch }) => batch),
      },
    ],
    blocks: new Map([checkpoint, ...kept].map((one) => [hex(sha256(one)), one])),
  };
}

function scopeOf({ scope }: Consent): BundledConsent["scope"] {
  if (scope === hex0x(stream.id)) return { index: 0, size: 1, path: [] };
  const ids = [...streamIds, hex0x(stream.id)].sort();
  const index = ids.indexOf(hex0x(stream.id));
  return {
    index,
    size: ids.length,
    path: inclusionProof(
      ids.map((id) => leafHash(fromHex(id))),
      index,
    ),
  };
}

/** Manifest and blocks as they stand in a case. */
function inputsOf(bundle: Bundle, change: (manifest: string) => string = (same) => same, trusted: object = {}): object {
  const [[, manifest], ...blocks] = [...readZip(encodeBundle(bundle))] as [
    [string, Uint8Array],
    ...[string, Uint8Array][],
  ];
  return {
    manifest: change(new TextDecoder().decode(manifest)),
    blocks: Object.fromEntries(blocks.map(([name, block]) => [name.replace("blocks/", ""), block])),
    blockHash: keccak256(bundle.block),
    ...CODE,
    ...trusted,
  };
}

const other = hex0x(draw("another hash")(32));

async function evidenceCases(): Promise<Case[]> {
  const whole = sampleBundle([writeConsent]);
  const readings = sampleBundle([writeConsent, several], "readings");
  const shown = async (name: string, bundle: Bundle): Promise<Case> => {
    const inputs = inputsOf(bundle);
    return good(name, inputs, await readBundle(inputs as Parameters<typeof readBundle>[0]));
  };
  const [one] = whole.generations as [Bundle["generations"][0]];
  const [first, second] = one.batches as [BundledBatch, BundledBatch];
  const withBatches = (...batches: BundledBatch[]): Bundle => ({ ...whole, generations: [{ ...one, batches }] });
  const [gateway] = whole.gateways as [Bundle["gateways"][0]];
  const [anchor] = gateway.checkpoints as [Bundle["gateways"][0]["checkpoints"][0]];
  const anchored = (changed: Partial<typeof anchor>): Bundle => ({
    ...whole,
    gateways: [{ ...gateway, checkpoints: [{ ...anchor, ...changed }] }],
  });
  const [leave] = whole.consents as [BundledConsent];
  const digests = [...whole.blocks.keys()];
  const without = (digest: string): Bundle => ({
    ...whole,
    blocks: new Map([...whole.blocks].filter(([key]) => key !== digest)),
  });
  const altered = (digest: string): Bundle => ({
    ...whole,
    blocks: new Map(whole.blocks).set(digest, flip(whole.blocks.get(digest)!, 100)),
  });
  const { registryAccount: _account, ...silent } = whole;
  const { state: _state, ...stateless } = leave;
  const { headerKey: _key, ...closed } = second;
  const text = (from: string | RegExp, to: string): object => inputsOf(whole, (manifest) => manifest.replace(from, to));
  const refused = (name: string, bundle: Bundle, code = "ERR_EVIDENCE"): Case => bad(name, inputsOf(bundle), code);
  return [
    await shown("readings of two epochs, with two consents", readings),
    await shown("the headers alone", whole),
    await shown("without the state of the consents", { ...silent, consents: [stateless] }),
    await shown("without its checkpoint", without(digests[0]!)),
    await shown("with an altered checkpoint", altered(digests[0]!)),
    await shown("without a header", without(digests[1]!)),
    await shown("with an altered header", altered(digests[2]!)),
    await shown("without the second batch and its header", {
      ...withBatches(first),
      blocks: without(digests[2]!).blocks,
    }),
    await shown("without the key of a header", withBatches(first, closed)),
    await shown("with the key of another header", withBatches(first, { ...second, headerKey: first.headerKey! })),
    await shown("with a tag that no checkpoint names", withBatches(first, { ...second, tag: draw("no tag")(32) })),
    await shown("anchored before its gateway's leave to write began", anchored({ time: START - 601 })),
    bad("another block than the given one", inputsOf(whole, undefined, { blockHash: other }), "ERR_EVIDENCE"),
    bad("another RecordAnchor", inputsOf(whole, undefined, { anchorCode: other }), "ERR_EVIDENCE"),
    bad("another ConsentRegistry", inputsOf(whole, undefined, { registryCode: other }), "ERR_EVIDENCE"),
    refused("a block that nothing names", {
      ...whole,
      blocks: new Map(whole.blocks).set(hex(sha256(utf8("?"))), utf8("?")),
    }),
    refused("the header of a batch that is left out", withBatches(first)),
    refused("a checkpoint less than the head", { ...whole, gateways: [{ ...gateway, checkpoints: [] }] }),
    refused("an anchor behind the block", anchored({ block: 8 })),
    refused("a gateway twice", { ...whole, gateways: [gateway, gateway] }),
    refused("a consent twice", { ...whole, consents: [leave, leave] }),
    refused("a generation twice", { ...whole, generations: [one, one] }),
    refused("a number left out in an epoch", withBatches(first, { ...second, n: 1 })),
    refused("batches out of order", withBatches(second, first)),
    refused("a batch outside the window", { ...whole, to: START + LENGTH }),
    refused("another stream than the consent's", { ...whole, stream: draw("no stream")(32) }),
    refused(
      "the state of the leave to write of another",
      { ...whole, consents: [{ ...leave, state: { ...leave.state!, entry: leave.state!.endedBefore } }] },
      "ERR_STATE_PROOF",
    ),
    bad("white space", text(",", ", "), "ERR_MALFORMED"),
    bad("a member twice", text('"chainId":', '"chainId":1,"chainId":'), "ERR_MALFORMED"),
    bad("null for what is absent", text(/"registryAccount":\[[^\]]*\]/, '"registryAccount":null'), "ERR_MALFORMED"),
    bad("a line break in the name of the software", text("medseal vectors", "medseal\\nvectors"), "ERR_MALFORMED"),
    bad("an epoch length that divides no day", text('"epochLength":3600', '"epochLength":7'), "ERR_MALFORMED"),
    bad("a window that is none of whole epochs", text(`"from":${START}`, `"from":${START + 1}`), "ERR_MALFORMED"),
  ];
}

function fileCases(): Case[] {
  const files = new Map([
    ["evidence.json", utf8("{}\n")],
    ["blocks/a", Uint8Array.of(1, 2)],
  ]);
  const file = writeZip(files);
  const inputs = (changed: Uint8Array): object => ({ file: changed });
  const begin = (name: string): number => Buffer.from(file).indexOf(name);
  // CRC, sizes and names stand in the local header and again in the directory.
  const directory = Buffer.from(file).indexOf("PK\x01\x02", 0, "latin1");
  return [
    good(
      "two files",
      inputs(file),
      [...files].map(([name, content]) => ({ name, content })),
    ),
    bad("nothing", inputs(new Uint8Array(0)), "ERR_MALFORMED"),
    bad("no file", inputs(file.slice(-22)), "ERR_MALFORMED"),
    bad("a byte too many", inputs(Uint8Array.of(...file, 0)), "ERR_MALFORMED"),
    bad("a byte before it", inputs(Uint8Array.of(0, ...file)), "ERR_MALFORMED"),
    bad("the last byte cut off", inputs(file.slice(0, -1)), "ERR_MALFORMED"),
    bad("a byte of a file altered", inputs(flip(file, begin("{}"))), "ERR_MALFORMED"),
    bad("its CRC altered", inputs(flip(file, 14)), "ERR_MALFORMED"),
    bad("compressed, by its header", inputs(file.with(8, 8)), "ERR_MALFORMED"),
    bad("a size beyond the end", inputs(file.with(21, 0x7f)), "ERR_MALFORMED"),
    bad(
      "another name in the directory",
      inputs(flip(file, Buffer.from(file).lastIndexOf("evidence"))),
      "ERR_MALFORMED",
    ),
    bad("another CRC in the directory", inputs(flip(file, directory + 16)), "ERR_MALFORMED"),
    bad("a time", inputs(file.with(10, 1)), "ERR_MALFORMED"),
    bad("an upper-case name", inputs(writeZip(new Map([["Evidence.json", utf8("{}\n")]]))), "ERR_MALFORMED"),
    bad("a name that climbs", inputs(writeZip(new Map([["../evidence.json", utf8("{}\n")]]))), "ERR_MALFORMED"),
    bad("a comment", inputs(Uint8Array.of(...file.with(file.length - 2, 1), 0x21)), "ERR_MALFORMED"),
  ];
}

export const evidenceSuites = async (): Promise<Suite[]> => [
  { format: "evidence", section: 27, zstd: true, cases: await evidenceCases() },
  { format: "evidence-file", section: 27, cases: fileCases() },
];
