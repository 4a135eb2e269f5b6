import { join } from "node:path";
import { now } from "../../src/bytes/random.ts";
import { relay } from "../../src/chain/relay.ts";
import { newPhrase, RelationshipWallet } from "../../src/chain/wallet.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { signGrant, signRevoke } from "../../src/consent/sign.ts";
import type { SignedGrant, SignedMessage, SignedRevoke } from "../../src/consent/signed.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import { folderOfBoxes } from "../../src/patient/boxes.ts";
import { Patient } from "../../src/patient/patient.ts";
import { recoveryStore } from "../../src/patient/recovery.ts";
import { freshPatient, type ConsentRecord } from "../../src/patient/state.ts";
import { generateKeyPair } from "../../src/seal/hpke.ts";
import type { DemoGateway } from "./gateway.ts";
import { openViewer, type World } from "./world.ts";

export interface DemoPatient {
  readonly self: Patient;
  readonly world: World;
  readonly wallet: RelationshipWallet;
  /** The consents' period in the story: from now, for ninety days. */
  readonly period: { readonly periodStart: number; readonly periodEnd: number };
  /** Signs the end of a consent. */
  revoke(record: ConsentRecord): Promise<SignedRevoke>;
}

const NINETY_DAYS = 90 * 86_400;

export async function openPatient(world: World): Promise<DemoPatient> {
  const phrase = newPhrase();
  const wallet = new RelationshipWallet(phrase);
  const viewer = await openViewer(world);
  const recoveryKey = await generateKeyPair();
  const boxes = await folderOfBoxes(join(world.folder, "recovery"));
  const self = new Patient(freshPatient(phrase), {
    addressOf: (relationship) => wallet.signer(relationship).address as Hex,
    signerOf: (relationship) => wallet.signer(relationship),
    place: world.registry,
    watch: watchLedger(viewer.ledger),
    recovery: recoveryStore(boxes, { kem: recoveryKey.kem, publicKey: recoveryKey.publicKey, version: 1 }),
  });
  const periodStart = now();
  return {
    self,
    world,
    wallet,
    period: { periodStart, periodEnd: periodStart + NINETY_DAYS },
    async revoke(record) {
      const signed = await signRevoke(wallet.signer(record.relationship), world.registry, record.consent);
      self.markRevoked(record.id);
      return signed;
    },
  };
}

/** The patient's signature under a consent; no transaction. */
export const granted = ({ wallet, world }: DemoPatient, record: ConsentRecord): Promise<SignedGrant> =>
  signGrant(wallet.signer(record.relationship), world.registry, record.consent);

/** Somebody with ether sends a signed message. @returns the gas it took. */
export async function relayed(world: World, message: SignedMessage): Promise<number> {
  const done = await relay(message, world.accounts.relayer, world.deployment);
  return done.status === "mined" ? done.gas : 0;
}

const FROM = "the patient in bed 7";

/** The lease goes to the gateway directly, as a file would, and so does its receipt come back. */
export async function handLease({ self }: DemoPatient, id: Hex, gateway: DemoGateway, from = FROM): Promise<void> {
  const { envelope } = await self.lease(id, from);
  self.confirmLease(receiptOf(await gateway.self.acceptLease(envelope)));
}

/** Releases to a grantee by the mail of a gateway. */
export async function mailRelease(
  { self }: DemoPatient,
  record: ConsentRecord,
  gateway: DemoGateway,
  from = FROM,
): Promise<Uint8Array[]> {
  const envelopes = await self.release(record.id, from);
  for (const envelope of envelopes) await gateway.self.post(envelope, record.recipient.viewKey);
  return envelopes;
}
