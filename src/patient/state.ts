import type { Recipient } from "../envelope/envelope.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import type { Consent, Hex } from "../consent/consent.ts";

/** One writer's share of a stream: two random roots and who writes it. */
export interface Generation {
  readonly number: number;
  readonly dataRoot: Uint8Array;
  readonly auditRoot: Uint8Array;
  /** Id of the WRITE consent of its one writer. */
  readonly write: Hex;
  role: "current" | "retired" | "spare";
  /** Ids of the consents that had ended when it became current: their grantees never had its keys. */
  closedTo: readonly Hex[];
}

export interface StreamState {
  readonly descriptor: StreamDescriptor;
  readonly generations: Generation[];
}

/** A consent the patient signed, with all that is needed to release, lease and revoke. */
export interface ConsentRecord {
  readonly id: Hex;
  readonly consent: Consent;
  /** Sorted stream ids in scope. */
  readonly streams: readonly Uint8Array[];
  /** Name of the grantee in the patient's own words. */
  readonly name: string;
  readonly recipient: Recipient;
  /** Index of the address made for this relationship. */
  readonly relationship: number;
  /** Set when the patient signed a revocation. */
  revoked: boolean;
}

/** All that the vault holds; lives sealed, see `keys/passphrase`. */
export interface PatientState {
  readonly format: "medseal/patient/1";
  /** BIP-39 phrase of the wallet. */
  readonly phrase: string;
  nextRelationship: number;
  readonly streams: StreamState[];
  readonly consents: ConsentRecord[];
}
