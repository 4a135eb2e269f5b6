import { compare, fromHex, hex, hex0x } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { headAfter, FIRST_HEAD } from "../../src/chain/anchor.ts";
import { storageProof } from "../../src/chain/storage-root.ts";
import { endedBeforeSlot, entrySlot, headSlot, packEntry, word } from "../../src/chain/storage.ts";
import { consentId, type Consent, type Hex } from "../../src/consent/consent.ts";
import { draftConsent } from "../../src/consent/draft.ts";
import { encodeConsent } from "../../src/consent/encoding.ts";
import type { Bundle, BundledBatch, BundledConsent } from "../../src/evidence/bundle.ts";
import { coverOf, epochKey } from "../../src/keys/cover.ts";
import { batchKey, headerKey } from "../../src/keys/epoch.ts";
import { checkpointRoot, encodeCheckpoint } from "../../src/log/checkpoint.ts";
import { chunkRoot } from "../../src/log/chunk.ts";
import { inclusionProof, leafHash } from "../../src/log/merkle.ts";
import { sealBatch } from "../../src/log/sealed-batch.ts";
import { freshSigner, signStatement } from "../../src/log/signer.ts";
import { formatInstant } from "../../src/observation/instant.ts";
import { messageKey } from "../../src/seal/seal.ts";
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
import { draw } from "./suite.ts";

/** Hashes of the code that the contracts of the sample have. */
export const CODE = { registryCode: hex0x(draw("registry code")(32)), anchorCode: hex0x(draw("anchor code")(32)) };
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
export const several = draftConsent(
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

/**
 * A bundle that holds.
 *
 * @param terms - Consents, the leave to write first.
 * @param padding - Entries of the checkpoint that open for nobody.
 */
export function sampleBundle(terms: readonly Consent[], shows: Bundle["shows"] = "headers", padding = 0): Bundle {
  const { batches, entries, blocks } = sealedEpochs();
  const from = draw("padding");
  const fill = Array.from({ length: padding }, () => ({ tag: from(32), header: from(32), batch: from(32) }));
  const sorted = [...entries, ...fill].sort((a, b) => compare(a.tag, b.tag));
  const links = { index: 0, headBefore: FIRST_HEAD, previous: new Uint8Array(32), mail: [], erased: [] };
  const { block: checkpoint, pages } = encodeCheckpoint({ ...place, ...links, entries: sorted });
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
        filed: false,
        batches: shows === "readings" ? batches : batches.map(({ batchKey: _, ...batch }) => batch),
      },
    ],
    blocks: new Map([checkpoint, ...pages, ...kept].map((one) => [hex(sha256(one)), one])),
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
