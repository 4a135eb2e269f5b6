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
  /** `filed`: the patient sealed late readings into it, and nobody writes it. */
  role: "current" | "retired" | "spare" | "filed";
  /** Ids of the consents that had ended when it became current: their grantees never had its keys. */
  closedTo: readonly Hex[];
  /** Ids of the consents on whose end its gateway leaves it, as the gateway confirmed: only their grantees may get its keys. */
  watched: readonly Hex[];
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
  /** Of the newest lease under it, unix seconds; 0 without one. */
  leasedAt: number;
  /** Of the newest release under it, as its receipt has it; 0 without one. */
  releasedAt: number;
}

/** A lease that was made, until its gateway confirms that it keeps it. */
export interface IssuedLease {
  /** What the gateway hands back, see `receiptOf`. */
  readonly receipt: Uint8Array;
  /** The WRITE consent. */
  readonly write: Hex;
  /** Generations that it names as current. */
  readonly current: readonly { readonly stream: Uint8Array; readonly generation: number }[];
  /** Consents on whose end the gateway leaves them. */
  readonly watches: readonly Hex[];
}

/** All that the vault holds; lives sealed, see `keys/passphrase`. */
export interface PatientState {
  readonly format: "medseal/patient/1";
  /** BIP-39 phrase of the wallet. */
  readonly phrase: string;
  nextRelationship: number;
  readonly streams: StreamState[];
  readonly consents: ConsentRecord[];
  /** The newest last. */
  leases: readonly IssuedLease[];
  /** Digests of the late letters whose readings are in their epochs; not there before the first. */
  filed?: readonly Hex[];
}

export const freshPatient = (phrase: string): PatientState => ({
  format: "medseal/patient/1",
  phrase,
  nextRelationship: 0,
  streams: [],
  consents: [],
  leases: [],
});
