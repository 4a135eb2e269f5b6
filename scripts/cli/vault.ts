import { random } from "../../src/bytes/random.ts";
import type { Hex } from "../../src/consent/consent.ts";
import type { Recipient } from "../../src/envelope/envelope.ts";
import type { Release } from "../../src/envelope/payload.ts";
import { generateSigningKey, type SigningKeyPair } from "../../src/keys/signature.ts";
import { freshPatient, type PatientState } from "../../src/patient/state.ts";
import { generateKeyPair, type HpkeKeyPair } from "../../src/seal/hpke.ts";

/** Somebody whose card was added. */
export interface Contact {
  readonly name: string;
  readonly address: Hex;
  readonly recipient: Recipient;
  /** Of the address, 33 bytes; not there for who was added before it was kept. */
  readonly publicKey?: Hex;
}

/** A care plan that was signed, and for which monitor. */
export interface KeptPlan {
  readonly to: string;
  /** As `formatPlan` has it. */
  readonly text: string;
  readonly write: Hex;
  readonly signature: string;
}

/** All secrets of one identity, and what it knows of others; sealed under the passphrase. Any identity can take any part. */
export interface Vault {
  readonly format: "medseal/vault/1";
  readonly name: string;
  readonly hpke: HpkeKeyPair;
  /** X25519 secret for mail rows. */
  readonly viewSecret: Uint8Array;
  /** As a gateway: signs chunks, and seals the journal. */
  readonly signing: SigningKeyPair;
  readonly secret: Uint8Array;
  /** Opens the recovery boxes. */
  readonly recovery: HpkeKeyPair;
  contacts: readonly Contact[];
  /** Releases that came by file or mail and were not refused. */
  releases: readonly Release[];
  /** As a patient: care plans that were signed, the newest last; not there before the first. */
  plans?: readonly KeptPlan[];
  /** As a patient; its phrase is that of every address of this identity. */
  readonly patient: PatientState;
}

/** The relationship whose address stands on the card of a gateway, a clinician or a relayer; a patient's own begin behind it. */
export const OWN_ADDRESS = 0;

export async function freshVault(name: string, phrase: string): Promise<Vault> {
  const patient = freshPatient(phrase);
  patient.nextRelationship = OWN_ADDRESS + 1;
  return {
    format: "medseal/vault/1",
    name,
    hpke: await generateKeyPair(),
    viewSecret: random(32),
    signing: generateSigningKey(),
    secret: random(32),
    recovery: await generateKeyPair(),
    contacts: [],
    releases: [],
    patient,
  };
}
