import { equal, fromHex, hex, hex0x, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { keyedRandom, type Random } from "../../src/bytes/random.ts";
import { Archive } from "../../src/archive/archive.ts";
import { openBatches, type OpenedBatch } from "../../src/archive/batches.ts";
import { FIRST_HEAD, headAfter, type AnchoredCheckpoint, type CheckpointAnchor } from "../../src/chain/anchor.ts";
import { RelationshipWallet } from "../../src/chain/wallet.ts";
import { ACTIONS } from "../../src/consent/actions.ts";
import type { Consent, Hex } from "../../src/consent/consent.ts";
import type { ConsentRef, ConsentWatch, InForce } from "../../src/consent/watch.ts";
import type { ReceiptBook } from "../../src/disclosure/book.ts";
import type { Anchor, Receipt } from "../../src/gateway/anchor.ts";
import { ForkedError } from "../../src/gateway/errors.ts";
import type { GatewayDeps } from "../../src/gateway/deps.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { MemoryStore } from "../../src/ipfs/memory.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import { Patient } from "../../src/patient/patient.ts";
import type { Party } from "../../src/patient/terms.ts";
import { freshPatient, type ConsentRecord } from "../../src/patient/state.ts";
import { DHKEM_X25519, generateKeyPair, type HpkeKeyPair } from "../../src/seal/hpke.ts";
import { x25519PublicKey } from "../../src/seal/x25519.ts";
import { JournalFailedError, type RowChange, type Rows } from "../../src/state/rows.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import { EPOCH, EPOCHS, reading, START, STREAM } from "./ward.ts";

/** RecordAnchor in memory: one head, and a transaction that fails unless it follows on it. */
export class PaperAnchor implements Anchor {
  readonly history: AnchoredCheckpoint[] = [];
  /** How many of the newest are not final. */
  unsettled = 0;

  finalHead(): Promise<Uint8Array> {
    return Promise.resolve(this.history.at(-1 - this.unsettled)?.head ?? FIRST_HEAD);
  }

  head(): Promise<{ head: Uint8Array; block: number }> {
    return Promise.resolve({ head: this.history.at(-1)?.head ?? FIRST_HEAD, block: this.history.length - 1 });
  }

  async anchor(checkpoint: CheckpointAnchor, expectedHead: Uint8Array): Promise<Receipt | undefined> {
    const { head: before } = await this.head();
    if (!equal(before, expectedHead)) throw new ForkedError();
    const index = this.history.length;
    const { root, digest, size } = checkpoint;
    const transaction = hex0x(sha256(digest));
    const head = headAfter(before, checkpoint);
    this.history.push({ root, digest, size, index, head, block: index, time: START + index, transaction });
    return { transaction, block: index, gasUsed: 30_000n };
  }

  copy(): PaperAnchor {
    const other = new PaperAnchor();
    other.history.push(...this.history);
    return other;
  }
}

/** What the chain says of consents, as a test sets it. */
export class PaperWatch implements ConsentWatch {
  readonly granted = new Set<Hex>();
  readonly endedIds = new Set<Hex>();
  /** Of these the ends that no final block has yet. */
  readonly recent = new Set<Hex>();
  /** When one ended for good and was granted again, as `revokeAll` allows. */
  readonly before = new Map<Hex, number>();

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  ended({ id }: ConsentRef): boolean {
    return this.endedIds.has(id);
  }

  inForce({ id }: ConsentRef): boolean {
    return this.granted.has(id) && !this.endedIds.has(id);
  }

  intervals({ id }: ConsentRef): InForce[] {
    if (!this.granted.has(id)) return [];
    const until = this.before.get(id);
    const past = until === undefined ? [] : [{ from: 0, until }];
    const from = until ?? 0;
    const over = this.endedIds.has(id) && !this.recent.has(id);
    return [...past, over ? { from, until: from + 1 } : { from }];
  }
}

/** Rows in memory, so that nothing is shared between two openings but what was written. */
export class PaperRows implements Rows {
  readonly rows: Map<string, { readonly table: string; readonly value: Uint8Array }>;

  constructor(rows: PaperRows["rows"] = new Map()) {
    this.rows = new Map(rows);
  }

  load(table: string): Uint8Array[] {
    return [...this.rows.values()].filter((row) => row.table === table).map(({ value }) => value);
  }

  get(table: string, name: Uint8Array): Uint8Array | undefined {
    return this.rows.get(`${table}/${hex(name)}`)?.value;
  }

  apply(changes: readonly RowChange[]): Promise<void> {
    for (const { table, name, value } of changes) {
      if (value) this.rows.set(`${table}/${hex(name)}`, { table, value });
      else this.rows.delete(`${table}/${hex(name)}`);
    }
    return Promise.resolve();
  }

  close(): void {
    // It outlives who writes it.
  }

  /** All rows as one text, in the order of their names. */
  get text(): string {
    const rows = [...this.rows].map(([name, { value }]) => `${name}=${hex(value)}`);
    return rows.sort().join("\n");
  }
}

/** Of a process whose write number `fatal`, from 0, is its last: it dies before or after that. */
export class DyingRows implements Rows {
  writes = 0;
  readonly #rows: Rows;
  readonly #fatal: number;
  readonly #moment: "before" | "after";

  constructor(rows: Rows, fatal: number, moment: "before" | "after") {
    this.#rows = rows;
    this.#fatal = fatal;
    this.#moment = moment;
  }

  load(table: string): Uint8Array[] {
    return this.#rows.load(table);
  }

  get(table: string, name: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(table, name);
  }

  async apply(changes: readonly RowChange[]): Promise<void> {
    const now = this.writes++;
    // A process that is gone writes nothing more.
    if (now > this.#fatal || (now === this.#fatal && this.#moment === "before"))
      throw new JournalFailedError(new Error("gone"));
    await this.#rows.apply(changes);
    if (now === this.#fatal) throw new JournalFailedError(new Error("gone"));
  }

  close(): void {
    return undefined;
  }
}

/** A store that can be copied, and says what it holds. */
export class ShelfStore extends MemoryStore {
  readonly shelf = new Map<string, Uint8Array>();

  override async put(block: Uint8Array): Promise<Uint8Array> {
    const digest = await super.put(block);
    this.shelf.set(hex(digest), block.slice());
    return digest;
  }

  async copy(): Promise<ShelfStore> {
    const other = new ShelfStore();
    await other.putMany([...this.shelf.values()]);
    return other;
  }
}

/** What lies outside the gateway's process and outlives it. */
export interface Outside {
  readonly blocks: ShelfStore;
  readonly anchor: PaperAnchor;
  readonly rows: PaperRows;
}

export const copyOf = async ({ blocks, anchor, rows }: Outside): Promise<Outside> => ({
  blocks: await blocks.copy(),
  anchor: anchor.copy(),
  rows: new PaperRows(rows.rows),
});

export interface PaperParty {
  readonly party: Party;
  readonly hpke: HpkeKeyPair;
  readonly viewSecret: Uint8Array;
}

/** A patient and a gateway's secrets, with no chain: the same for the same seed. */
export interface Rig {
  readonly patient: Patient;
  readonly wallet: RelationshipWallet;
  readonly watch: PaperWatch;
  readonly gateway: PaperParty;
  readonly write: ConsentRecord;
  readonly stream: StreamDescriptor;
  readonly draw: (label: string) => Random;
  /** The clock of everybody, and whether recovery boxes can be stored. */
  readonly ways: { time: number; boxesAway: boolean };
  newParty(name: string): Promise<PaperParty>;
  deps(outside: Outside): GatewayDeps;
  /** A lease for a gateway, as if it had been confirmed already. */
  lease(write?: Hex): Promise<Uint8Array>;
  /** The envelope for a grantee, as if all gateways had confirmed that they heed its end. */
  release(id: Hex): Promise<Uint8Array>;
  /** A consent of the patient to `to`, in force. */
  consent(to: PaperParty, from?: number, until?: number): ConsentRecord;
}

const PHRASE = "test test test test test test test test test test test junk";
const REGISTRY: Hex = "0x8ba1f109551bD432803012645Ac136ddd64DBA72";
export const PLACE = { chainId: 31337, registry: REGISTRY };

/** @param receipts - The patient's access ledger. */
export async function openRig(seed: string, receipts?: ReceiptBook): Promise<Rig> {
  const draw = (label: string): Random => keyedRandom(sha256(utf8(seed)), utf8(label));
  const wallet = new RelationshipWallet(PHRASE);
  const watch = new PaperWatch();
  const ways = { time: START, boxesAway: false };
  const patient = new Patient(freshPatient(PHRASE), {
    addressOf: (relationship) => wallet.signer(relationship).address as Hex,
    signerOf: (relationship) => wallet.signer(relationship),
    place: PLACE,
    watch,
    ...(receipts === undefined ? {} : { receipts }),
    recovery: { store: () => (ways.boxesAway ? Promise.reject(new Error("away")) : Promise.resolve()) },
    random: draw("patient"),
    now: () => ways.time,
  });
  const channel = reading(0).channel;
  const stream = patient.openStream({ name: STREAM, channels: [channel], epochLength: EPOCH, batchClass: 0 });
  let parties = 1000;
  const newParty = async (name: string): Promise<PaperParty> => {
    const rand = draw(`party ${name}`);
    const hpke = await generateKeyPair(DHKEM_X25519, rand);
    const viewSecret = rand(32);
    const recipient = { kem: hpke.kem, hpkeKey: hpke.publicKey, viewKey: x25519PublicKey(viewSecret) };
    const address = wallet.signer(parties++).address as Hex;
    return { party: { name, address, recipient }, hpke, viewSecret };
  };
  const gateway = await newParty("gateway");
  const terms = { streams: [STREAM], purpose: "TREAT", periodStart: START, periodEnd: START + 86_400 };
  const window = { dataStart: START, dataEnd: START + EPOCHS * EPOCH };
  const write = await patient.authorizeGateway({ to: gateway.party, ...terms, ...window });
  watch.granted.add(write.id);
  const signing = generateSigningKey(draw("signing"));
  const lease = async (id: Hex = write.id): Promise<Uint8Array> => {
    const { envelope, receipt } = await patient.lease(id, "a patient");
    patient.confirmLease(receipt);
    return envelope;
  };
  const secret = draw("padding")(32);
  return {
    patient,
    wallet,
    watch,
    gateway,
    write,
    stream,
    draw,
    ways,
    newParty,
    deps: ({ blocks, anchor, rows }) => ({
      address: gateway.party.address,
      place: { chainId: 31337n, anchor: fromHex(REGISTRY), gateway: fromHex(gateway.party.address) },
      registry: PLACE,
      blocks,
      anchor,
      watch,
      ask: () => Promise.resolve(true),
      rows,
      keys: { hpke: gateway.hpke, signing, secret },
      entries: 8,
      random: draw("gateway"),
      now: () => ways.time,
    }),
    lease,
    async release(id) {
      const writes = patient.state.consents.filter(
        ({ consent, id: one }) => isWrite(consent) && watch.inForce({ grantor: consent.grantor, id: one }),
      );
      for (const one of writes) await lease(one.id);
      const [envelope] = await patient.release(id, "a patient");
      return envelope as Uint8Array;
    },
    consent(to, from = 0, until = EPOCHS) {
      const cut = { dataStart: START + from * EPOCH, dataEnd: START + until * EPOCH };
      const record = patient.draft({ to: to.party, ...terms, ...cut, actions: ["READ"] });
      watch.granted.add(record.id);
      return record;
    },
  };
}

const isWrite = ({ actions }: Consent): boolean => (actions & ACTIONS.WRITE) !== 0;

export const outside = (): Outside => ({
  blocks: new ShelfStore(),
  anchor: new PaperAnchor(),
  rows: new PaperRows(),
});

/** Gives the gateway one reading a second of the epochs `from` to `to - 1` and finishes. */
export async function record(
  gateway: Gateway,
  rig: Rig,
  from: number,
  to: number,
  write: Hex = rig.write.id,
): Promise<void> {
  const session = gateway.ingest({ write, stream: rig.stream }, { clock: { kind: "source" } });
  for (let second = from * EPOCH; second < to * EPOCH; second++) await session.add(reading(second));
  await session.finish();
}

/** Everything that was anchored under the patient's own keys, in the order of the headers. */
export async function recordOf(rig: Rig, { blocks, anchor }: Outside): Promise<OpenedBatch[]> {
  const read = (digest: Uint8Array): Promise<Uint8Array> => blocks.get(digest);
  const archive = new Archive(rig.deps(outside()).place, read);
  await archive.update(anchor.history);
  const found: OpenedBatch[] = [];
  const first = START / EPOCH;
  for (const keys of rig.patient.ownKeys(rig.write.id)) {
    const own: OpenedBatch[] = [];
    for await (const batch of openBatches(keys, archive, first, first + EPOCHS, read)) own.push(batch);
    found.push(...own.sort((a, b) => a.header.sequence - b.header.sequence));
  }
  return found;
}
