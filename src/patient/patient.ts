import { compare, equal, hex0x, utf8 } from "../bytes/bytes.ts";
import { now, random, type Now, type Random } from "../bytes/random.ts";
import type { ActionName } from "../consent/actions.ts";
import { ACTIONS } from "../consent/actions.ts";
import { consentId, type Hex } from "../consent/consent.ts";
import { draftConsent } from "../consent/draft.ts";
import { epochsOf, isEpochLength, type StreamDescriptor } from "../log/stream.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { sealEnvelope, type Recipient } from "../envelope/envelope.ts";
import type { GenerationKeys, Release } from "../envelope/payload.ts";
import { sha256 } from "../bytes/hash.ts";
import type { ReceiptBook } from "../disclosure/book.ts";
import type { Act } from "../disclosure/receipt.ts";
import { receiptOf } from "../envelope/receipt.ts";
import { split } from "../envelope/split.ts";
import { UsageError } from "../errors.ts";
import { linkOf, type Link } from "../consent/scope.ts";
import type { TypedSigner } from "../consent/sign.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import { fileInto } from "../late/filed.ts";
import type { OpenedLetter } from "../late/letter.ts";
import { coverOf } from "../keys/cover.ts";
import type { CheckpointPlace } from "../log/checkpoint.ts";
import type { SealedBatch } from "../log/sealed-batch.ts";
import { ReleaseRefusedError, UnknownError, WindowError } from "./errors.ts";
import type { RecoveryStore } from "./recovery.ts";
import type { ConsentRecord, Generation, PatientState, StreamState } from "./state.ts";

/** A grantee or gateway as the patient knows them. */
export interface Party {
  readonly name: string;
  readonly address: Hex;
  readonly recipient: Recipient;
}

export interface ConsentTerms {
  readonly to: Party;
  /** Names of streams in the vault. */
  readonly streams: readonly string[];
  readonly actions: readonly ActionName[];
  readonly purpose: string;
  readonly dataStart: number;
  readonly dataEnd: number;
  readonly periodStart: number;
  readonly periodEnd: number;
}

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

  constructor(state: PatientState, deps: PatientDeps) {
    this.state = state;
    const nobody = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(0));
    const noBook = { write: () => Promise.resolve({ at: (deps.now ?? now)() }) };
    this.#deps = { random, now, introduce: nobody, receipts: noBook, ...deps };
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
    for (const stream of this.#streamsOf(record)) {
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
    const streams = terms.streams.map((name) => this.#streamNamed(name));
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
    const record = this.#record(id);
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
    await this.#mayRelease(record);
    this.#checkWatched(record);
    const keys = this.#keysOf(record, ({ role }) => role !== "spare", (record.consent.actions & ACTIONS.READ) !== 0);
    const release = await this.#release(record, "release", from, keys);
    const sealed: Uint8Array[] = [];
    for (const part of split(release, record.recipient.kem)) sealed.push(await this.#seal(record, part));
    return sealed;
  }

  /** Notes in the access ledger that keys were asked for, and were not to be given. */
  async deny(id: Hex): Promise<void> {
    await this.#receipt(this.#record(id), "denied", []);
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
    const record = this.#record(id);
    const leased = await this.#orDenied(record, () => this.#lease(record, from));
    await this.#receipt(record, "leased", [leased.envelope]);
    return leased;
  }

  async #lease(record: ConsentRecord, from: string): Promise<{ envelope: Uint8Array; receipt: Uint8Array }> {
    if ((record.consent.actions & ACTIONS.WRITE) === 0)
      throw new ReleaseRefusedError("the consent does not let its grantee write", { hint: "a reader gets a release" });
    await this.#mayRelease(record);
    const keys = this.#keysOf(record, (one) => isWritten(one) && one.write === record.id, true);
    if (keys.length < 2 * record.streams.length)
      throw new ReleaseRefusedError("generations under this leave to write were closed when it ended", {
        hint: "authorize the gateway anew",
      });
    // One that has ended counts until `moveToSpare`: the gateway may not know of its end yet.
    const readers = this.#readersOf(record);
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
    const moved = this.#writtenWith(streams.map((name) => this.#streamNamed(name)));
    // Before anything changes: when a recovery box cannot be stored, all stays as it was.
    const fresh: { stream: StreamState; generation: Generation }[] = [];
    for (const [stream, generations] of moved) {
      let number = stream.generations.length;
      for (const { role, write } of generations) {
        if (role !== "spare" || this.#hasEnded(this.#record(write))) continue;
        fresh.push({ stream, generation: await this.#newGeneration(stream, write, number++) });
      }
    }
    for (const generation of [...moved.values()].flat()) {
      if (generation.role === "current") generation.role = "retired";
      else if (generation.role === "spare") this.#makeCurrent(generation);
    }
    for (const { stream, generation } of fresh) stream.generations.push(generation);
    const readers = this.state.consents.filter(
      (record) =>
        isReader(record) &&
        !this.#hasEnded(record) &&
        [...moved.keys()].some(({ descriptor }) => covers(record, descriptor.id)),
    );
    return {
      leases: [...new Set(fresh.map(({ generation }) => generation.write))],
      releases: readers.map(({ id }) => id),
    };
  }

  /** All that the gateways write that write one of these streams: on an end a gateway leaves everything it writes under the same leave. */
  #writtenWith(streams: readonly StreamState[]): Map<StreamState, Generation[]> {
    const writes = streams.flatMap(({ generations }) => generations.filter(isWritten)).map(({ write }) => write);
    const found = new Map<StreamState, Generation[]>();
    for (const stream of this.state.streams) {
      const generations = stream.generations.filter((one) => isWritten(one) && writes.includes(one.write));
      if (generations.length > 0) found.set(stream, generations);
    }
    return found;
  }

  /** The patient's own keys to all that one gateway's leave covers; they never leave the vault. */
  ownKeys(id: Hex): GenerationKeys[] {
    const record = this.#record(id);
    return this.#streamsOf(record).flatMap((stream) =>
      stream.generations
        .filter(({ write }) => write === id)
        .map((generation) => this.#keys(record, stream, generation, true)),
    );
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
      const record = this.#record(hex0x(first.write));
      const stream = this.#streamsOf(record).find(({ descriptor }) => equal(descriptor.id, first.stream));
      if (!stream) throw new UnknownError("the leave to write is not about this stream");
      const number = stream.generations.length + fresh.filter((one) => one.stream === stream).length;
      const generation: Generation = { ...(await this.#newGeneration(stream, record.id, number)), role: "filed" };
      const keys = this.#keys(record, stream, generation, true);
      batches.push(...fileInto(keys, placeOf(record.consent.grantee), [first, ...more]));
      fresh.push({ stream, generation });
    }
    for (const { stream, generation } of fresh) stream.generations.push(generation);
    this.state.filed = [...(this.state.filed ?? []), ...letters.map(({ digest }) => digest)];
    const readers = this.state.consents.filter(
      (record) =>
        isReader(record) && !this.#hasEnded(record) && fresh.some(({ stream }) => covers(record, stream.descriptor.id)),
    );
    return { batches, releases: readers.map(({ id }) => id) };
  }

  /** Notes that the patient signed the end of a consent; no keys go out under it any more. */
  markRevoked(id: Hex): void {
    this.#record(id).revoked = true;
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
    generation.closedTo = this.state.consents.filter((record) => this.#hasEnded(record)).map(({ id }) => id);
  }

  /** By the patient's own hand, or as the chain says. */
  #hasEnded({ revoked, consent, id }: ConsentRecord): boolean {
    return revoked || this.#deps.watch.ended({ grantor: consent.grantor, id });
  }

  async #mayRelease({ consent, id, revoked }: ConsentRecord): Promise<void> {
    const time = this.#deps.now();
    const hint = "ask again once the grant is final and its period has begun";
    if (revoked) throw new ReleaseRefusedError("the consent was revoked", { hint: "grant a new one" });
    if (time < consent.periodStart) throw new ReleaseRefusedError("the period of the consent has not begun", { hint });
    if (time >= consent.periodEnd)
      throw new ReleaseRefusedError("the period of the consent is over", { hint: "grant a new one" });
    await this.#deps.watch.refresh();
    if (!this.#deps.watch.inForce({ grantor: consent.grantor, id })) {
      throw new ReleaseRefusedError("the consent is not finally in force", { hint });
    }
  }

  /** For good: its period is over, or its end is final, so that the gateway cannot take it for one in force. */
  #isOver(record: ConsentRecord): boolean {
    const { consent, id } = record;
    if (this.#deps.now() >= consent.periodEnd) return true;
    const times = this.#deps.watch.intervals({ grantor: consent.grantor, id });
    return this.#hasEnded(record) && times.every(({ until }) => until !== undefined);
  }

  /** Nobody gets keys of what a gateway may be writing now before the gateway heeds the end of their consent. */
  #checkWatched(record: ConsentRecord): void {
    for (const { generations } of this.#streamsOf(record)) {
      const watching = new Set(generations.filter((one) => heeds(one, record)).map(({ write }) => write));
      for (const { write } of generations) {
        // What is retired here a gateway leaves by the lease that names the current one, and not before.
        if (watching.has(write) || this.#isOver(this.#record(write))) continue;
        throw new ReleaseRefusedError("a gateway has not confirmed that it heeds the end of this consent", {
          hint: `hand ${this.#record(write).name} a new lease and confirm its receipt, or wait until the end of its leave is final`,
        });
      }
    }
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
    return this.#streamsOf(record).flatMap((stream) =>
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
      write: link(this.#record(generation.write)),
      data: withData ? coverOf(generation.dataRoot, from, to) : undefined,
      audit: coverOf(generation.auditRoot, from, to),
    };
  }

  /** Consents whose grantees may hold keys of what the gateway of `writer` writes now. */
  #readersOf(writer: ConsentRecord): ConsentRecord[] {
    const current = this.#streamsOf(writer).flatMap(({ descriptor, generations }) =>
      generations
        .filter(({ role, write }) => role === "current" && write === writer.id)
        .map((generation) => ({ ...generation, stream: descriptor.id })),
    );
    // Ended by `revokeAll`, a consent can be granted again, get the keys, and end again.
    const neverHadIt = (record: ConsentRecord, { closedTo, watched }: Generation): boolean =>
      closedTo.includes(record.id) && !watched.includes(record.id) && this.#hasEnded(record);
    return this.state.consents.filter(
      (record) =>
        isReader(record) &&
        current.some((generation) => covers(record, generation.stream) && !neverHadIt(record, generation)),
    );
  }

  #streamNamed(name: string): StreamState {
    const stream = this.state.streams.find(({ descriptor }) => descriptor.name === name);
    if (!stream)
      throw new UnknownError("no stream of this name is open", { hint: "list the open streams and check the name" });
    return stream;
  }

  #streamsOf(record: ConsentRecord): StreamState[] {
    return this.state.streams.filter(({ descriptor }) => covers(record, descriptor.id));
  }

  #record(id: Hex): ConsentRecord {
    const record = this.state.consents.find((consent) => consent.id === id);
    if (!record)
      throw new UnknownError("no consent of this id is known", { hint: "list the consents and check the id" });
    return record;
  }
}

const link = ({ consent, streams }: ConsentRecord): Link => linkOf(consent, streams.map(hex0x));

const covers = (record: ConsentRecord, stream: Uint8Array): boolean => record.streams.some((id) => equal(id, stream));

/** @throws UsageError when a text is empty or longer than the formats have room for. */
function checkName(text: string): void {
  const { length } = utf8(text);
  if (length === 0 || length > 255) throw new UsageError("a name has 1 to 255 bytes of UTF-8");
}

const REFUSED: ReleaseRefusedError["code"] = "ERR_RELEASE_REFUSED";

/** By its gateway, now or after the next end of a consent. */
const isWritten = ({ role }: Generation): boolean => role === "current" || role === "spare";

/** Whether the gateway that writes this now has confirmed that it leaves it on the end of that consent. */
const heeds = ({ role, watched }: Generation, { id }: ConsentRecord): boolean =>
  role === "current" && watched.includes(id);

const isReader = ({ consent }: ConsentRecord): boolean => (consent.actions & (ACTIONS.READ | ACTIONS.AUDIT)) !== 0;

/** @throws WindowError with the two nearest windows on epoch bounds. */
function checkWindow(
  stream: StreamDescriptor,
  { dataStart, dataEnd }: Pick<ConsentTerms, "dataStart" | "dataEnd">,
): void {
  const length = stream.epochLength;
  if (dataStart % length === 0 && dataEnd % length === 0) return;
  const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  const down = (seconds: number): number => seconds - (seconds % length);
  const up = (seconds: number): number => down(seconds + length - 1);
  const inner = `${iso(up(dataStart))} to ${iso(down(dataEnd))}`;
  const outer = `${iso(down(dataStart))} to ${iso(up(dataEnd))}`;
  throw new WindowError(`the window does not start and end on bounds of ${length} s epochs`, {
    hint: `take ${inner}, or ${outer}`,
  });
}
