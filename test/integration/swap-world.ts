import { getAddress, Wallet } from "ethers";
import { fromHex, hex0x, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { keyedRandom } from "../../src/bytes/random.ts";
import { FIRST_HEAD, headAfter, type AnchoredCheckpoint } from "../../src/chain/anchor.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { draftConsent } from "../../src/consent/draft.ts";
import { linkOf } from "../../src/consent/scope.ts";
import type { RegistryAddress } from "../../src/consent/typed-data.ts";
import { sealEnvelope } from "../../src/envelope/envelope.ts";
import { inTagOrder } from "../../src/gateway/padding.ts";
import { coverOf, epochKey } from "../../src/keys/cover.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import { checkpointRoot, encodeCheckpoint, type Checkpoint, type CheckpointPlace } from "../../src/log/checkpoint.ts";
import { chunkRoot } from "../../src/log/chunk.ts";
import { mailRow } from "../../src/log/mail.ts";
import { sealBatch, type BatchPlace, type EpochKeys, type SealedBatch } from "../../src/log/sealed-batch.ts";
import { freshSigner, signStatement } from "../../src/log/signer.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import { formatInstant } from "../../src/observation/instant.ts";
import { DHKEM_X25519, generateKeyPair, type HpkeKeyPair } from "../../src/seal/hpke.ts";
import { x25519PublicKey } from "../../src/seal/x25519.ts";

export const EPOCH_LENGTH = 3600;
const FIRST_EPOCH = 491_640;

const draw = (label: string): ((size: number) => Uint8Array) => keyedRandom(sha256(utf8("swaps")), utf8(label));
const addressOf = (label: string): Uint8Array => draw(label)(20);
const TWO = [0, 1] as const;

/** Two chains with the contracts at the same address, and other contracts on the first chain. */
const DEPLOYMENTS = [
  { chainId: 1n, contracts: "first" },
  { chainId: 31337n, contracts: "first" },
  { chainId: 1n, contracts: "second" },
] as const;

/** A sealed batch with all that its rightful reader holds. */
export interface Sealed extends SealedBatch {
  readonly place: BatchPlace;
  readonly keys: EpochKeys;
}

export interface Party {
  readonly hpke: HpkeKeyPair;
  readonly viewSecret: Uint8Array;
}

export interface Posted {
  readonly block: Uint8Array;
  readonly to: Party;
  readonly at: RegistryAddress;
}

export interface Anchored {
  readonly place: CheckpointPlace;
  readonly checkpoint: Checkpoint;
  readonly block: Uint8Array;
  readonly anchored: AnchoredCheckpoint;
  readonly posted: readonly Posted[];
}

const device = generateSigningKey(draw("device"));
const signer = freshSigner();

/**
 * The keys of an epoch depend on patient and generation only, so that nothing but the context tells gateways, chains and contracts apart:
 * worse than it ever is.
 */
function sealOne(place: CheckpointPlace, patient: number, generation: number, epoch: number): Sealed {
  const root = (tree: string): Uint8Array => draw(`${tree} ${patient} ${generation}`)(32);
  const key = (tree: string): Uint8Array => epochKey(coverOf(root(tree), epoch, epoch + 1), epoch);
  const stream: StreamDescriptor = {
    id: draw(`stream ${patient}`)(32),
    name: "heart-rate",
    channels: [],
    epochLength: EPOCH_LENGTH,
    batchClass: 0,
  };
  const at: BatchPlace = { ...place, stream: stream.id, generation, epoch, n: 0 };
  const salt = draw(
    JSON.stringify([patient, generation, epoch, hex0x(place.gateway), hex0x(place.anchor), String(place.chainId)]),
  );
  const shift = 10 * patient + generation + (salt(1)[0] as number);
  const observations = [0, 1, 2].map((i) => ({
    channel: { code: { system: "http://loinc.org", code: "8867-4" }, unit: "/min" },
    time: formatInstant({ seconds: epoch * EPOCH_LENGTH + i + shift, fraction: "", offset: "Z" }),
    status: "final" as const,
    value: { kind: "quantity" as const, decimal: String(60 + shift), comparator: "" as const },
  }));
  const chunk = { seed: salt(32), clock: { kind: "source" as const }, observations };
  const item = { stream: stream.id, epoch, count: observations.length, root: chunkRoot(chunk) };
  const statement = signStatement(device, 1, signer, [item]);
  const links = {
    sequence: 1 + epoch - FIRST_EPOCH,
    previous: salt(32),
    continues: new Uint8Array(32),
    last: true,
    late: false,
  };
  const keys = { data: key("data"), audit: key("audit") };
  return { ...sealBatch([{ ...chunk, statement, index: 0 }], keys, at, stream, links), place: at, keys };
}

async function post(to: Party, at: RegistryAddress, patient: number, gateway: number): Promise<Posted> {
  const wallet = new Wallet(hex0x(draw(`wallet ${patient}`)(32)));
  const id = hex0x(draw(`stream ${patient}`)(32));
  const rand = draw(`envelope ${patient} ${gateway} ${at.chainId} ${at.registry}`);
  const window = { dataStart: FIRST_EPOCH * EPOCH_LENGTH, dataEnd: (FIRST_EPOCH + 2) * EPOCH_LENGTH };
  const consent = draftConsent(
    {
      grantor: wallet.address,
      grantee: getAddress(hex0x(addressOf(`grantee ${patient}`))),
      streams: [id],
      purpose: "TREAT",
      ...window,
      periodStart: window.dataStart,
      periodEnd: window.dataEnd,
      actions: ["READ"],
    },
    rand,
  );
  const release = {
    kind: "release" as const,
    issuedAt: 1,
    from: "",
    chain: [linkOf(consent, [id])],
    keys: [],
    retiredBy: [],
  };
  const viewKey = x25519PublicKey(to.viewSecret);
  const recipient = { kem: to.hpke.kem, hpkeKey: to.hpke.publicKey, viewKey };
  return { block: await sealEnvelope(release, wallet, recipient, at, rand), to, at };
}

/** Two patients × two generations × two epochs × two gateways × three deployments: batches, envelopes, and the checkpoints that name them. */
export async function swapWorld(): Promise<{ batches: Sealed[]; checkpoints: Anchored[] }> {
  const parties = await Promise.all(
    TWO.map(async (patient): Promise<Party> => {
      const rand = draw(`party ${patient}`);
      return { hpke: await generateKeyPair(DHKEM_X25519, rand), viewSecret: rand(32) };
    }),
  );
  const batches: Sealed[] = [];
  const checkpoints: Anchored[] = [];
  for (const { chainId, contracts } of DEPLOYMENTS) {
    for (const gateway of TWO) {
      const place = { chainId, anchor: addressOf(`anchor ${contracts}`), gateway: addressOf(`gateway ${gateway}`) };
      const registry = getAddress(hex0x(addressOf(`registry ${contracts}`))) as Hex;
      const at = { chainId: Number(chainId), registry };
      const own = TWO.flatMap((patient) =>
        TWO.flatMap((generation) => TWO.map((epoch) => sealOne(place, patient, generation, FIRST_EPOCH + epoch))),
      );
      batches.push(...own);
      const posted = await Promise.all(TWO.map((patient) => post(parties[patient] as Party, at, patient, gateway)));
      const mail = posted.map(({ block, to }, i) =>
        mailRow(sha256(block), x25519PublicKey(to.viewSecret), draw(`row ${chainId} ${contracts} ${gateway} ${i}`)),
      );
      const checkpoint: Checkpoint = {
        ...place,
        index: 0,
        headBefore: FIRST_HEAD,
        previous: new Uint8Array(32),
        entries: inTagOrder(own.map(({ entry }) => entry)),
        mail,
        erased: [],
      };
      const { block } = encodeCheckpoint(checkpoint);
      const link = { root: checkpointRoot(checkpoint.entries), digest: sha256(block), size: checkpoint.entries.length };
      const head = headAfter(FIRST_HEAD, link);
      const anchored = { ...link, index: 0, head, block: 1, time: 1, transaction: hex0x(fromHex("00")) };
      checkpoints.push({ place, checkpoint, block, anchored, posted });
    }
  }
  return { batches, checkpoints };
}
