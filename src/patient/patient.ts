import { compare, equal, hex0x } from "../bytes/bytes.ts";
import { now, random, type Now, type Random } from "../bytes/random.ts";
import type { ActionName } from "../consent/actions.ts";
import { ACTIONS } from "../consent/actions.ts";
import { consentId, type Hex } from "../consent/consent.ts";
import { draftConsent } from "../consent/draft.ts";
import { epochsOf, isEpochLength, type StreamDescriptor } from "../log/stream.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { sealEnvelope, type Recipient } from "../envelope/envelope.ts";
import type { GenerationKeys, Release } from "../envelope/payload.ts";
import { linkOf, type Link } from "../consent/scope.ts";
import type { TypedSigner } from "../consent/sign.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import { coverOf } from "../keys/cover.ts";
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
  readonly random?: Random;
  readonly now?: Now;
}

/** The patient's side: streams, consents, and the keys that go with them. Changes `state`; the caller seals and stores it. */
export class Patient {
  readonly state: PatientState;
  readonly #deps: Required<PatientDeps>;

  constructor(state: PatientState, deps: PatientDeps) {
    this.state = state;
    this.#deps = { random, now, ...deps };
  }

  /** Opens a stream: a random id; its keys come with the first gateway that may write it. */
  openStream(stream: Omit<StreamDescriptor, "id">): StreamDescriptor {
    if (!isEpochLength(stream.epochLength))
      throw new WindowError("an epoch must divide a day", { hint: "take 60, 3600 or 86400 seconds" });
    if (this.state.streams.some(({ descriptor }) => descriptor.name === stream.name)) {
      throw new UnknownError("a stream of this name is open already", { hint: "choose another name" });
    }
    const descriptor = { ...stream, id: this.#deps.random(32) };
    this.state.streams.push({ descriptor, generations: [] });
    return descriptor;
  }

  /**
   * Draws up the consent that lets a gateway write, and opens for each stream a generation and a spare that only this gateway writes.
   * Roots are used only after their recovery boxes are stored.
   */
  async authorizeGateway(terms: Omit<ConsentTerms, "actions">): Promise<ConsentRecord> {
    const record = this.draft({ ...terms, actions: ["WRITE"] });
    await this.#deps.watch.refresh();
    for (const stream of this.#streamsOf(record)) {
      const current = await this.#newGeneration(stream, record.id, stream.generations.length);
      const spare = await this.#newGeneration(stream, record.id, stream.generations.length + 1);
      this.#makeCurrent(current);
      stream.generations.push(current, spare);
    }
    return record;
  }

  /** Draws up a consent from an address made for this relationship and keeps it; nothing is in force before its grant is on chain. */
  draft(terms: ConsentTerms): ConsentRecord {
    const streams = terms.streams.map((name) => this.#streamNamed(name));
    for (const { descriptor } of streams) checkWindow(descriptor, terms);
    const relationship = this.state.nextRelationship++;
    const ids = streams.map(({ descriptor }) => descriptor.id).sort(compare);
    const { to, streams: _names, ...rest } = terms;
    const consent = draftConsent(
      { ...rest, grantor: this.#deps.addressOf(relationship), grantee: to.address, streams: ids.map(hex0x) },
      this.#deps.random,
    );
    const record: ConsentRecord = {
      id: consentId(consent),
      consent,
      streams: ids,
      name: to.name,
      recipient: to.recipient,
      relationship,
      revoked: false,
    };
    this.state.consents.push(record);
    return record;
  }

  /**
   * The envelope for a grantee: the consent and keys for exactly its window, in every generation but the spares.
   *
   * @throws ReleaseRefusedError unless the grant is final, its period has begun and it has not ended, mined or only signed.
   */
  async release(id: Hex, from: string): Promise<Uint8Array> {
    const record = this.#record(id);
    await this.#mayRelease(record);
    const isOut = ({ role }: Generation): boolean => role !== "spare";
    for (const stream of this.#streamsOf(record)) {
      for (const generation of stream.generations.filter(isOut))
        generation.closedTo = generation.closedTo.filter((closed) => closed !== id);
    }
    return this.#seal(record, { kind: "release", from, retiredBy: [] }, isOut);
  }

  /** The envelope for a gateway: keys of its own current generation and of the spare, and whose end retires the current one. */
  async lease(id: Hex, from: string): Promise<Uint8Array> {
    const record = this.#record(id);
    await this.#mayRelease(record);
    // One that has ended counts until `moveToSpare`: the gateway may not know of its end yet.
    const retiredBy = this.#readersOf(record).map(({ consent, id: reader }) => ({
      grantor: consent.grantor,
      id: reader,
    }));
    return this.#seal(
      record,
      { kind: "lease", from, retiredBy },
      ({ role, write }) => role !== "retired" && write === id,
    );
  }

  /**
   * After a revocation: what each gateway did on its own (moving to its spare), done here as well, and new spares opened.
   * Then the leases and the remaining grantees' releases are due again.
   *
   * @returns ids of the consents that need a new lease or release.
   */
  async moveToSpare(streams: readonly string[]): Promise<{ leases: Hex[]; releases: Hex[] }> {
    await this.#deps.watch.refresh();
    const moved = streams.map((name) => this.#streamNamed(name));
    // Before anything changes: when a recovery box cannot be stored, all stays as it was.
    const fresh: { stream: StreamState; generation: Generation }[] = [];
    for (const stream of moved) {
      let number = stream.generations.length;
      for (const { role, write } of stream.generations) {
        if (role !== "spare" || this.#hasEnded(this.#record(write))) continue;
        fresh.push({ stream, generation: await this.#newGeneration(stream, write, number++) });
      }
    }
    for (const { generations } of moved) {
      for (const generation of generations) {
        if (generation.role === "current") generation.role = "retired";
        else if (generation.role === "spare") this.#makeCurrent(generation);
      }
    }
    for (const { stream, generation } of fresh) stream.generations.push(generation);
    const readers = this.state.consents.filter(
      (record) =>
        isReader(record) && !this.#hasEnded(record) && moved.some(({ descriptor }) => covers(record, descriptor.id)),
    );
    return {
      leases: [...new Set(fresh.map(({ generation }) => generation.write))],
      releases: readers.map(({ id }) => id),
    };
  }

  /** The patient's own keys to all that one gateway's leave covers; they never leave the vault. */
  ownKeys(id: Hex): GenerationKeys[] {
    const record = this.#record(id);
    return this.#streamsOf(record).flatMap((stream) =>
      stream.generations
        .filter(({ write }) => write === id)
        .map((generation) => this.#keys(record, stream, generation)),
    );
  }

  /** Notes that the patient signed the end of a consent; no keys go out under it any more. */
  markRevoked(id: Hex): void {
    this.#record(id).revoked = true;
  }

  /** A spare generation, of which nothing but its recovery box exists yet. */
  async #newGeneration({ descriptor }: StreamState, write: Hex, number: number): Promise<Generation> {
    const roots = { dataRoot: this.#deps.random(32), auditRoot: this.#deps.random(32) };
    const generation: Generation = { number, ...roots, write, role: "spare", closedTo: [] };
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

  #seal(
    record: ConsentRecord,
    head: Pick<Release, "kind" | "from" | "retiredBy">,
    wanted: (generation: Generation) => boolean,
  ): Promise<Uint8Array> {
    const keys = this.#streamsOf(record).flatMap((stream) =>
      stream.generations.filter(wanted).map((generation) => this.#keys(record, stream, generation)),
    );
    const release: Release = { ...head, issuedAt: this.#deps.now(), chain: [link(record)], keys };
    return sealEnvelope(
      release,
      this.#deps.signerOf(record.relationship),
      record.recipient,
      this.#deps.place,
      this.#deps.random,
    );
  }

  #keys({ consent }: ConsentRecord, { descriptor }: StreamState, generation: Generation): GenerationKeys {
    const { from, to } = epochsOf(descriptor, consent.dataStart, consent.dataEnd);
    const withData = (consent.actions & (ACTIONS.READ | ACTIONS.WRITE)) !== 0;
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
        .map(({ closedTo }) => ({ stream: descriptor.id, closedTo })),
    );
    return this.state.consents.filter(
      (record) =>
        isReader(record) &&
        current.some(({ stream, closedTo }) => covers(record, stream) && !closedTo.includes(record.id)),
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
