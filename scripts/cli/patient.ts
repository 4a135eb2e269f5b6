import { join } from "node:path";
import { equal } from "../../src/bytes/bytes.ts";
import { RelationshipWallet } from "../../src/chain/wallet.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { introduce } from "../../src/consent/introduction.ts";
import { UsageError } from "../../src/errors.ts";
import { folderOfBoxes } from "../../src/patient/boxes.ts";
import { Patient } from "../../src/patient/patient.ts";
import { recoveryStore } from "../../src/patient/recovery.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import type { Call } from "./command.ts";
import { withChain, withView, type Chain, type View } from "./chain.ts";
import { openBook } from "./book.ts";
import { closest } from "./closest.ts";
import { withIdentity, type Session } from "./home.ts";
import { shownWindow } from "./times.ts";
import { OWN_ADDRESS, type Contact, type Vault } from "./vault.ts";

/** The patient of a session, on a chain. */
export interface AsPatient {
  readonly session: Session;
  readonly chain: Chain;
  readonly view: View;
  readonly patient: Patient;
  readonly wallet: RelationshipWallet;
}

export const walletOf = ({ patient }: Vault): RelationshipWallet => new RelationshipWallet(patient.phrase);

/** The address on an identity's card. */
export const ownAddress = (vault: Vault): Hex => walletOf(vault).signer(OWN_ADDRESS).address as Hex;

export function asPatient<T>(call: Call, work: (as: AsPatient) => Promise<T>): Promise<T> {
  return withIdentity(call, (session) =>
    withChain((chain) =>
      withView(chain, session.folder, async (view) => {
        const { vault, folder } = session;
        const wallet = walletOf(vault);
        const { kem, publicKey } = vault.recovery;
        const receipts = openBook(session, chain, view);
        const patient = new Patient(vault.patient, {
          addressOf: (relationship) => wallet.signer(relationship).address as Hex,
          signerOf: (relationship) => wallet.signer(relationship),
          place: chain.registry,
          watch: view.watch,
          introduce: (grantor, grantee) => introduce(wallet.signer(OWN_ADDRESS), grantor, grantee),
          recovery: recoveryStore(await folderOfBoxes(join(folder, "recovery")), { kem, publicKey, version: 1 }),
          receipts,
        });
        try {
          return await work({ session, chain, view, patient, wallet });
        } finally {
          receipts.close();
        }
      }),
    ),
  );
}

/** The same for what needs no chain, such as opening a stream. */
export function asPatientOffline<T>(
  call: Call,
  work: (as: Pick<AsPatient, "session" | "patient">) => Promise<T>,
): Promise<T> {
  return withIdentity(call, (session) => {
    const wallet = walletOf(session.vault);
    const nowhere = (): never => {
      throw new Error("this is not to be asked without a chain");
    };
    const patient = new Patient(session.vault.patient, {
      addressOf: (relationship) => wallet.signer(relationship).address as Hex,
      signerOf: (relationship) => wallet.signer(relationship),
      place: { chainId: 1, registry: ownAddress(session.vault) },
      watch: { refresh: nowhere, ended: nowhere, inForce: nowhere, intervals: nowhere },
      recovery: { store: nowhere },
    });
    return work({ session, patient });
  });
}

/** @throws UsageError when no card of this name was added. */
export function contactNamed({ contacts }: Vault, name: string): Contact {
  const found = contacts.find((contact) => contact.name === name);
  if (found) return found;
  const names = contacts.map((contact) => contact.name);
  const near = closest(name, names);
  throw new UsageError(`no contact is called "${name}"`, {
    hint:
      near !== undefined
        ? `did you mean "${near}"?`
        : names.length > 0
          ? `there are: ${names.join(", ")}`
          : "add a card with medseal contacts add FILE",
  });
}

/** Names of the streams that a consent is about. */
export const namesOf = ({ patient }: Vault, { streams }: ConsentRecord): string[] =>
  patient.streams
    .filter(({ descriptor }) => streams.some((id) => equal(id, descriptor.id)))
    .map(({ descriptor }) => descriptor.name);

/** A consent in a line, for choosing one. */
export const described = (vault: Vault, record: ConsentRecord): string =>
  `${record.id.slice(2, 12)} (${namesOf(vault, record).join(", ")}, ${shownWindow({ from: record.consent.dataStart, to: record.consent.dataEnd })})`;

export interface Named {
  readonly to?: string | undefined;
  readonly id?: string | undefined;
}

/** The consents to somebody, or those whose id begins so; the newest last. @throws UsageError when there is none. */
export function consentsOf({ patient }: Vault, { to, id }: Named): ConsentRecord[] {
  if (to === undefined && id === undefined)
    throw new UsageError("no consent is named", { hint: "add --to NAME, or --id with the first digits of its id" });
  const begins = id === undefined || id.startsWith("0x") ? (id ?? "") : `0x${id}`;
  const found = patient.consents.filter(
    (record) => (to === undefined || record.name === to) && record.id.startsWith(begins),
  );
  if (found.length > 0) return found;
  throw new UsageError("there is no such consent", { hint: "see medseal consent list" });
}

/** The only one of some consents. @throws UsageError that lists them when there are several. */
export function theOne(vault: Vault, records: readonly ConsentRecord[]): ConsentRecord {
  const [record, ...more] = records;
  if (record === undefined) throw new UsageError("there is no such consent", { hint: "see medseal consent list" });
  if (more.length === 0) return record;
  throw new UsageError("several consents are meant", {
    hint: `add --id: ${records.map((one) => described(vault, one)).join("; ")}`,
  });
}
