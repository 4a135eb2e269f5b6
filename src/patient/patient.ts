import { compare, equal, hex0x } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { now, random, type Now, type Random } from "../bytes/random.ts";
import { ACTIONS } from "../consent/actions.ts";
import { consentId, type Hex } from "../consent/consent.ts";
import { draftConsent } from "../consent/draft.ts";
import type { TypedSigner } from "../consent/sign.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import type { ReceiptBook } from "../disclosure/book.ts";
import type { Act } from "../disclosure/receipt.ts";
import { sealEnvelope } from "../envelope/envelope.ts";
import type { GenerationKeys, Release } from "../envelope/payload.ts";
import { receiptOf } from "../envelope/receipt.ts";
import { split } from "../envelope/split.ts";
import { coverOf } from "../keys/cover.ts";
import { fileInto } from "../late/filed.ts";
import type { OpenedLetter } from "../late/letter.ts";
import type { CheckpointPlace } from "../log/checkpoint.ts";
import type { SealedBatch } from "../log/sealed-batch.ts";
import { epochsOf, isEpochLength, type StreamDescriptor } from "../log/stream.ts";
import { Consents, isReader, isWritten, link } from "./consents.ts";
import { ReleaseRefusedError, UnknownError, WindowError } from "./errors.ts";
import type { RecoveryStore } from "./recovery.ts";
import type { ConsentRecord, Generation, PatientState, StreamState } from "./state.ts";
import { checkName, checkWindow, type ConsentTerms } from "./terms.ts";

export interface PatientDeps {
  /** Address of the wallet for a relationship. */
  readonly addressOf: (relationship: number) => Hex;
  /** Signs with the key of that address. */
  readonly signerOf: (relationship: number) => TypedSigner;
  readonly place: RegistryAddress;
  readonly watch: ConsentWatch;
  readonly recovery: RecoveryStore;
  /** The access ledger; without one no receipts are kept. */
  readonly receipts?: ReceiptBook;
  /** Introduces an address made for a relationship to its grantee, see `introduce`; without it, the grantee is told a name only. */
  readonly introduce?: (grantor: Hex, grantee: Hex) => Promise<Uint8Array>;
  readonly random?: Random;
  readonly now?: Now;
}

/** The patient's side: streams, consents, and the keys that go with them. Changes `state`; the caller seals and stores it. */
export class Patient {
  readonly state: PatientState;
  readonly #deps: Required<PatientDeps>;
  readonly #consents: Consents;

  constructor(state: PatientState, deps: PatientDeps) {
    this.state = state;
    const nobody = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(0));
    const noBook = { write: () => Promise.resolve({ at: (deps.now ?? now)() }) };
    this.#deps = { random, now, introduce: nobody, receipts: noBook, ...deps };
    this.#consents = new Consents(state, deps.watch, this.#deps.now);
  }

  /** Opens a stream: a random id; its keys come with the first gateway that may write it. */
  openStream(stream: Omit<StreamDescriptor, "id">): StreamDescriptor {
    if (!isEpochLength(stream.epochLength))
      throw new WindowError("an epoch must divide a day", { hint: "take 60, 3600 or 86400 seconds" });
    if (this.state.streams.some(({ descriptor }) => descriptor.name === stream.name)) {
      throw new UnknownError("a stream of this name is open already", { hint: "choose another name" });
    }
    checkName(stream.name);
    const descriptor = { ...stream, id: this.#deps.random(32) };
    this.state.streams.push({ descriptor, generations: [] });
    return descriptor;
  }

  /**
   * Draws up the consent that lets a gateway write, and opens for each stream a generation and a spare that only this gateway writes.
   * Roots are used only after their recovery boxes are stored.
   */
  async authorizeGateway(terms: Omit<ConsentTerms, "actions">): Promise<ConsentRecord> {
    await this.#deps.watch.refresh();
    const record = this.#drawUp({ ...terms, actions: ["WRITE"] });
    // Before anything changes: when a recovery box cannot be stored, all stays as it was.
    const fresh: { stream: StreamState; current: Generation; spare: Generation }[] = [];
    for (const stream of this.#consents.streamsOf(record)) {
      const number = stream.generations.length;
      const current = await this.#newGeneration(stream, record.id, number);
      fresh.push({ stream, current, spare: await this.#newGeneration(stream, record.id, number + 1) });
    }
    for (const { stream, current, spare } of fresh) {
      this.#makeCurrent(current);
      stream.generations.push(current, spare);
    }
    return this.#keep(record);
  }

  /** Draws up a consent from an address made for this relationship and keeps it; nothing is in force before its grant is on chain. */
  draft(terms: ConsentTerms): ConsentRecord {
    return this.#keep(this.#drawUp(terms));
  }

  #drawUp(terms: ConsentTerms): ConsentRecord {
    const streams = terms.streams.map((name) => this.#consents.stream(name));
    for (const { descriptor } of streams) checkWindow(descriptor, terms);
    const relationship = this.state.nextRelationship++;
    const ids = streams.map(({ descriptor }) => descriptor.id).sort(compare);
    const { to, streams: _names, ...rest } = terms;
    const consent = draftConsent(
      { ...rest, grantor: this.#deps.addressOf(relationship), grantee: to.address, streams: ids.map(hex0x) },
      this.#deps.random,
    );
    const known = { id: consentId(consent), consent, streams: ids, name: to.name, recipient: to.recipient };
    return { ...known, relationship, revoked: false, leasedAt: 0, releasedAt: 0 };
  }

  #keep(record: ConsentRecord): ConsentRecord {
    this.state.consents.push(record);
    return record;
  }

  /**
   * The envelopes for a grantee: the consent and keys for exactly its window, in every generation but the spares; as few as hold them. Their
   * receipt is written before they are given out, and that of a refusal as well.
   *
   * @param from - How the patient names themselves to the grantee, at most 255 bytes.
   * @throws ReleaseRefusedError unless the consent lets its grantee read or audit, the grant is final, its period has begun, it has not
   * ended, mined or only signed, and every gateway that writes what it is about has confirmed that it heeds its end.
   */
  async release(id: Hex, from: string): Promise<Uint8Array[]> {
    checkName(from);
    const record = this.#consents.named(id);
    const envelopes = await this.#orDenied(record, () => this.#releases(record, from));
    const receipt = await this.#receipt(record, "released", envelopes);
    record.releasedAt = receipt.at;
    return envelopes;
  }

  async #releases(record: ConsentRecord, from: string): Promise<Uint8Array[]> {
    if (!isReader(record))
      throw new ReleaseRefusedError("the consent lets its grantee neither read nor audit", {
        hint: "a gateway gets a lease",
      });
    await this.#consents.checkInForce(record);
    this.#consents.checkWatched(record);
    const keys = this.#keysOf(record, ({ role }) => role !== "spare", (record.consent.actions & ACTIONS.READ) !== 0);
    const release = await this.#release(record, "release", from, keys);
    const sealed: Uint8Array[] = [];
    for (const part of split(release, record.recipient.kem)) sealed.push(await this.#seal(record, part));
    return sealed;
  }

  /** Notes in the access ledger that keys were asked for, and were not to be given. */
  async deny(id: Hex): Promise<void> {
    await this.#receipt(this.#consents.named(id), "denied", []);
  }

  async #orDenied<T>(record: ConsentRecord, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ReleaseRefusedError) await this.#receipt(record, "denied", []);
      throw error;
    }
  }

  async #receipt({ id, consent }: ConsentRecord, act: Act, envelopes: readonly Uint8Array[]) {
    const { grantee, dataStart, dataEnd } = consent;
    const digests = envelopes.map((envelope) => hex0x(sha256(envelope)));
    const reason = act === "denied" ? REFUSED : "";
    return this.#deps.receipts.write({ act, consent: id, grantee, dataStart, dataEnd, envelopes: digests, reason });
  }

  /**
   * The envelope for a gateway: keys of its own current generation and of the spare, and whose end retires the current one. Releases under
   * consents that are new in it wait until the gateway has handed back the receipt.
   *
   * @throws ReleaseRefusedError unless the consent is one to write, and in force as `release` has it.
   */
  async lease(id: Hex, from: string): Promise<{ envelope: Uint8Array; receipt: Uint8Array }> {
    checkName(from);
    const record = this.#consents.named(id);
    const leased = await this.#orDenied(record, () => this.#lease(record, from));
    await this.#receipt(record, "leased", [leased.envelope]);
    return leased;
  }

  async #lease(record: ConsentRecord, from: string): Promise<{ envelope: Uint8Array; receipt: Uint8Array }> {
    if ((record.consent.actions & ACTIONS.WRITE) === 0)
      throw new ReleaseRefusedError("the consent does not let its grantee write", { hint: "a reader gets a release" });
    await this.#consents.checkInForce(record);
    const keys = this.#keysOf(record, (one) => isWritten(one) && one.write === record.id, true);
    if (keys.length < 2 * record.streams.length)
      throw new ReleaseRefusedError("generations under this leave to write were closed when it ended", {
        hint: "authorize the gateway anew",
      });
    // One that has ended counts until `moveToSpare`: the gateway may not know of its end yet.
    const readers = this.#consents.readersOf(record);
    const retiredBy = readers.map(({ consent: { grantor }, id: reader }) => ({ grantor, id: reader }));
    // Gateways keep the newest: a clock that was set back must not make an older lease the newer one.
    record.leasedAt = Math.max(record.leasedAt, this.#deps.now());
    const lease = { ...(await this.#release(record, "lease", from, keys)), issuedAt: record.leasedAt, retiredBy };
    const current = keys.filter(({ role }) => role === "current");
    const issued = {
      receipt: receiptOf(lease),
      write: record.id,
      current: current.map(({ stream, generation }) => ({ stream: stream.id, generation })),
      watches: readers.map(({ id: reader }) => reader),
    };
    this.state.leases = [...this.state.leases, issued];
    return { envelope: await this.#seal(record, lease), receipt: issued.receipt };
  }

  /**
   * Notes that a gateway keeps a lease. Leases before it do not count any more.
   *
   * @param receipt - As the gateway handed it back.
   * @throws UnknownError when it belongs to no lease that is waited for.
   */
  confirmLease(receipt: Uint8Array): void {
    const at = this.state.leases.findIndex((issued) => equal(issued.receipt, receipt));
    const confirmed = this.state.leases[at];
    if (!confirmed)
      throw new UnknownError("the receipt belongs to no lease that waits for one", {
        hint: "make a new lease and hand it to the gateway",
      });
    this.state.leases = this.state.leases.filter(({ write }, i) => write !== confirmed.write || i > at);
    for (const { descriptor, generations } of this.state.streams) {
      for (const generation of generations) {
        const named = confirmed.current.some(
          (one) => equal(one.stream, descriptor.id) && one.generation === generation.number,
        );
        if (named) generation.watched = confirmed.watches;
      }
    }
  }

  /**
   * After a revocation: what each gateway did on its own (moving to its spare), done here as well, and new spares opened. It takes along
   * all streams that a gateway writes together with one of these. Then the leases and the remaining grantees' releases are due again.
   *
   * @returns ids of the consents that need a new lease or release.
   */
  async moveToSpare(streams: readonly string[]): Promise<{ leases: Hex[]; releases: Hex[] }> {
    await this.#deps.watch.refresh();
    const moved = this.#consents.writtenWith(streams.map((name) => this.#consents.stream(name)));
    // Before anything changes: when a recovery box cannot be stored, all stays as it was.
    const fresh: { stream: StreamState; generation: Generation }[] = [];
    for (const [stream, generations] of moved) {
      let number = stream.generations.length;
      for (const { role, write } of generations) {
        if (role !== "spare" || this.#consents.hasEnded(this.#consents.named(write))) continue;
        fresh.push({ stream, generation: await this.#newGeneration(stream, write, number++) });
      }
    }
    for (const generation of [...moved.values()].flat()) {
      if (generation.role === "current") generation.role = "retired";
      else if (generation.role === "spare") this.#makeCurrent(generation);
    }
    for (const { stream, generation } of fresh) stream.generations.push(generation);
    return {
      leases: [...new Set(fresh.map(({ generation }) => generation.write))],
      releases: this.#consents.readersIn([...moved.keys()]).map(({ id }) => id),
    };
  }

  /** The patient's own keys to all that one gateway's leave covers; they never leave the vault. */
  ownKeys(id: Hex): GenerationKeys[] {
    return this.#keysOf(this.#consents.named(id), ({ write }) => write === id, true);
  }

  /**
   * Seals late readings into their epochs: for each stream and leave to write in a generation of its own, which nobody writes any more. The
   * gateway whose leave it is anchors them; readers get its keys with their next release.
   *
   * @param placeOf - Where a gateway (address) anchors. @returns the batches, and ids of the consents that need a new release.
   */
  async fileLate(
    letters: readonly (OpenedLetter & { readonly digest: Hex })[],
    placeOf: (gateway: Hex) => CheckpointPlace,
  ): Promise<{ readonly batches: SealedBatch[]; readonly releases: Hex[] }> {
    await this.#deps.watch.refresh();
    const groups = Map.groupBy(letters, ({ write, stream }) => `${hex0x(write)}/${hex0x(stream)}`);
    const fresh: { stream: StreamState; generation: Generation }[] = [];
    const batches: SealedBatch[] = [];
    for (const [first, ...more] of groups.values()) {
      if (!first) continue;
      const record = this.#consents.named(hex0x(first.write));
      const stream = this.#consents.streamsOf(record).find(({ descriptor }) => equal(descriptor.id, first.stream));
      if (!stream) throw new UnknownError("the leave to write is not about this stream");
      const number = stream.generations.length + fresh.filter((one) => one.stream === stream).length;
      const generation: Generation = { ...(await this.#newGeneration(stream, record.id, number)), role: "filed" };
      const keys = this.#keys(record, stream, generation, true);
      batches.push(...fileInto(keys, placeOf(record.consent.grantee), [first, ...more]));
      fresh.push({ stream, generation });
    }
    for (const { stream, generation } of fresh) stream.generations.push(generation);
    this.state.filed = [...(this.state.filed ?? []), ...letters.map(({ digest }) => digest)];
    const readers = this.#consents.readersIn(fresh.map(({ stream }) => stream));
    return { batches, releases: readers.map(({ id }) => id) };
  }

  /** Notes that the patient signed the end of a consent; no keys go out under it any more. */
  markRevoked(id: Hex): void {
    this.#consents.named(id).revoked = true;
  }

  /** A spare generation, of which nothing but its recovery box exists yet. */
  async #newGeneration({ descriptor }: StreamState, write: Hex, number: number): Promise<Generation> {
    const roots = { dataRoot: this.#deps.random(32), auditRoot: this.#deps.random(32) };
    const generation: Generation = { number, ...roots, write, role: "spare", closedTo: [], watched: [] };
    await this.#deps.recovery.store(descriptor, generation);
    return generation;
  }

  #makeCurrent(generation: Generation): void {
    generation.role = "current";
    generation.closedTo = this.state.consents.filter((record) => this.#consents.hasEnded(record)).map(({ id }) => id);
  }

  async #release(
    record: ConsentRecord,
    kind: Release["kind"],
    from: string,
    keys: readonly GenerationKeys[],
  ): Promise<Release> {
    const { grantor, grantee } = record.consent;
    const introduction = await this.#deps.introduce(grantor, grantee);
    const about = { kind, from, issuedAt: this.#deps.now(), chain: [link(record)], keys, retiredBy: [] };
    return introduction.length === 0 ? about : { ...about, introduction };
  }

  #seal({ relationship, recipient }: ConsentRecord, release: Release): Promise<Uint8Array> {
    const { signerOf, place, random: rand } = this.#deps;
    return sealEnvelope(release, signerOf(relationship), recipient, place, rand);
  }

  #keysOf(record: ConsentRecord, wanted: (generation: Generation) => boolean, withData: boolean): GenerationKeys[] {
    return this.#consents
      .streamsOf(record)
      .flatMap((stream) =>
        stream.generations.filter(wanted).map((generation) => this.#keys(record, stream, generation, withData)),
      );
  }

  #keys(
    { consent }: ConsentRecord,
    { descriptor }: StreamState,
    generation: Generation,
    withData: boolean,
  ): GenerationKeys {
    const { from, to } = epochsOf(descriptor, consent.dataStart, consent.dataEnd);
    return {
      stream: descriptor,
      generation: generation.number,
      role: generation.role,
      write: link(this.#consents.named(generation.write)),
      data: withData ? coverOf(generation.dataRoot, from, to) : undefined,
      audit: coverOf(generation.auditRoot, from, to),
    };
  }
}

const REFUSED: ReleaseRefusedError["code"] = "ERR_RELEASE_REFUSED";
