import { hex } from "../../src/bytes/bytes.ts";
import { Archive } from "../../src/archive/archive.ts";
import { openBatches } from "../../src/archive/batches.ts";
import { anchoredCheckpoints } from "../../src/chain/anchor.ts";
import { newPhrase, RelationshipWallet } from "../../src/chain/wallet.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { signGrant, signRevoke } from "../../src/consent/sign.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import type { GenerationKeys } from "../../src/envelope/payload.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import { epochOf } from "../../src/log/chunk.ts";
import { Patient } from "../../src/patient/patient.ts";
import { freshPatient, type ConsentRecord } from "../../src/patient/state.ts";
import { newIdentity } from "../demo/parties.ts";
import { reading, EPOCH, START } from "../../test/integration/ward.ts";
import { openGround, type Ground } from "./ground.ts";

const STREAM = "heart-rate";
/** Epochs of one depth: before anything, after a reorganisation, after the revocation, after another reorganisation. */
const EPOCHS = 4;

export interface Found {
  depths: number;
  reorganisations: number;
  restarts: number;
  batches: number;
  checkpoints: number;
  /** Batches that no checkpoint has, and that more than one has. */
  lost: number;
  twice: number;
  /** Batches sealed after a revocation was seen that the revoked can open. */
  leaked: number;
  /** Batches before it that the revoked, who was granted them, cannot open: shows that the keys were the right ones. */
  unread: number;
}

/** A reader of one depth, and which epochs they may open. */
interface Reader {
  readonly keys: readonly GenerationKeys[];
  readonly until: number;
}

/** Depths on one chain: the chain client forgets contracts in a reorganisation once it has some 1,500 blocks. */
const ON_ONE_CHAIN = 5;

/** Reorganisations of each depth, at each kind of event. */
export async function campaign(depths: readonly number[], roll: (below: number) => number): Promise<Found> {
  const sum = { ...NOTHING };
  for (let i = 0; i < depths.length; i += ON_ONE_CHAIN) {
    const some = depths.slice(i, i + ON_ONE_CHAIN);
    const ground = await openGround();
    try {
      const found = await new Campaign(ground, some.length, roll).run(some);
      for (const name of Object.keys(sum) as (keyof Found)[]) sum[name] += found[name];
    } finally {
      await ground.close();
    }
  }
  return sum;
}

const NOTHING: Readonly<Found> = {
  depths: 0,
  reorganisations: 0,
  restarts: 0,
  batches: 0,
  checkpoints: 0,
  lost: 0,
  twice: 0,
  leaked: 0,
  unread: 0,
};

class Campaign {
  readonly #ground: Ground;
  readonly #roll: (below: number) => number;
  readonly #wallet = new RelationshipWallet(newPhrase());
  readonly #patient: Patient;
  readonly #window: { dataStart: number; dataEnd: number; periodStart: number; periodEnd: number };
  readonly #readers: Reader[] = [];
  readonly #found: Found = { ...NOTHING };
  #epoch = 0;

  constructor(ground: Ground, depths: number, roll: (below: number) => number) {
    this.#ground = ground;
    this.#roll = roll;
    this.#patient = new Patient(freshPatient(newPhrase()), {
      addressOf: (relationship) => this.#wallet.signer(relationship).address as Hex,
      signerOf: (relationship) => this.#wallet.signer(relationship),
      place: ground.ledger.address,
      watch: watchLedger(ground.ledger, { freshWithin: Infinity }),
      recovery: { store: () => Promise.resolve() },
    });
    const periodStart = Math.floor(Date.now() / 1000);
    const dataEnd = START + depths * EPOCHS * EPOCH;
    this.#window = { dataStart: START, dataEnd, periodStart, periodEnd: periodStart + 30 * 86_400 };
  }

  async run(depths: readonly number[]): Promise<Found> {
    const { channel } = reading(0);
    this.#patient.openStream({ name: STREAM, channels: [channel], epochLength: EPOCH, batchClass: 0 });
    const terms = { to: this.#ground.identity.party, streams: [STREAM], purpose: "TREAT", ...this.#window };
    const write = await this.#patient.authorizeGateway(terms);
    await this.#grant(write);
    for (const depth of depths) await this.#depth(depth, write);
    await this.#ground.finalise();
    await this.#ground.gateway.settle();
    await this.#check(write);
    return this.#found;
  }

  async #depth(depth: number, write: ConsentRecord): Promise<void> {
    const { party, hpke } = await newIdentity("Dr Lee");
    const consent = this.#patient.draft({
      to: party,
      streams: [STREAM],
      purpose: "TREAT",
      actions: ["READ"],
      ...this.#window,
    });
    // A grant that is taken back before it is final, and granted again.
    await this.#relay(await signGrant(this.#wallet.signer(consent.relationship), this.#place, consent.consent));
    await this.#reorganise(depth);
    await this.#grant(consent);
    await this.#lease(write);
    const [envelope] = await this.#patient.release(consent.id, "a patient");
    const { keys } = await openEnvelope(envelope as Uint8Array, hpke, this.#place);

    // Sealed, and anchored after a reorganisation; then taken back.
    await this.#record();
    await this.#reorganise(depth);
    await this.#ground.gateway.checkpoint();
    await this.#reorganise(depth);
    await this.#record();
    await this.#ground.gateway.checkpoint();
    this.#readers.push({ keys, until: this.#epoch });

    // The end, mined or only signed; once the gateway has seen it, no reorganisation takes it back.
    const end = await signRevoke(this.#wallet.signer(consent.relationship), this.#place, consent.consent);
    if (depth % 2 === 0) this.#ground.ledger.noteSigned(end);
    else await this.#relay(end);
    if ((await this.#ground.gateway.retireEnded()) === 0) throw new Error("the gateway did not see the end");
    await this.#reorganise(depth);
    await this.#record();
    await this.#ground.gateway.checkpoint();
    await this.#reorganise(depth);
    await this.#record();
    await this.#ground.gateway.checkpoint();
    // Taken back once more, and found by nobody but the next cadence.
    await this.#reorganise(depth);
    await this.#ground.gateway.checkpoint();
    this.#patient.markRevoked(consent.id);
    await this.#relay(end);
    await this.#patient.moveToSpare([STREAM]);
    await this.#ground.finalise();
    this.#found.depths += 1;
  }

  get #place(): ConsentLedgerAddress {
    return this.#ground.ledger.address;
  }

  async #relay(message: Parameters<Ground["relayed"]>[0]): Promise<void> {
    await this.#ground.relayed(message);
  }

  async #grant(record: ConsentRecord): Promise<void> {
    await this.#relay(await signGrant(this.#wallet.signer(record.relationship), this.#place, record.consent));
    await this.#ground.finalise();
    await this.#ground.ledger.sync();
  }

  async #lease(write: ConsentRecord): Promise<void> {
    const { envelope } = await this.#patient.lease(write.id, "a patient");
    this.#patient.confirmLease(receiptOf(await this.#ground.gateway.acceptLease(envelope)));
  }

  /** One reading a second of the next epoch. */
  async #record(): Promise<void> {
    const [stream] = this.#ground.gateway.streams();
    if (!stream) throw new Error("the gateway has no lease");
    const session = this.#ground.gateway.ingest(stream, { clock: { kind: "source" } });
    for (let second = 0; second < EPOCH; second++) await session.add(reading(this.#epoch * EPOCH + second));
    await session.finish();
    this.#epoch += 1;
    this.#found.batches += 1;
  }

  async #reorganise(depth: number): Promise<void> {
    const crash = this.#roll(3) === 0;
    if (crash) {
      await this.#ground.restart();
      this.#found.restarts += 1;
    }
    await this.#ground.reorganise(depth);
    this.#found.reorganisations += 1;
  }

  async #check(write: ConsentRecord): Promise<void> {
    const { rpc, deployment, identity, place, blocks } = this.#ground;
    const history = await anchoredCheckpoints(rpc, deployment, identity.party.address);
    const read = (digest: Uint8Array): Promise<Uint8Array> => blocks.get(digest);
    const { findings } = await verifyArchive(place, history, read);
    if (findings.length > 0) throw new Error(`the auditor found: ${findings.map(({ kind }) => kind).join(", ")}`);
    const archive = new Archive(place, read);
    await archive.update(history);
    const [from, to] = [START / EPOCH, START / EPOCH + this.#epoch];
    const opened = async (keys: GenerationKeys): Promise<number[]> => {
      const epochs: number[] = [];
      for await (const { chunks } of openBatches(keys, archive, from, to, read))
        for (const { observations } of chunks ?? []) epochs.push(epochOf(observations[0]!.time, EPOCH) - from);
      return epochs;
    };
    const all = (await Promise.all(this.#patient.ownKeys(write.id).map(opened))).flat();
    const times = new Map<number, number>();
    for (const epoch of all) times.set(epoch, (times.get(epoch) ?? 0) + 1);
    for (let epoch = 0; epoch < this.#epoch; epoch++) {
      if (!times.has(epoch)) this.#found.lost += 1;
      if ((times.get(epoch) ?? 0) > 1) this.#found.twice += 1;
    }
    const digests = history.map(({ digest }) => hex(digest));
    this.#found.twice += digests.length - new Set(digests).size;
    this.#found.checkpoints = history.length;
    for (const { keys, until } of this.#readers) {
      const seen = (await Promise.all(keys.map(opened))).flat();
      this.#found.leaked += seen.filter((epoch) => epoch >= until).length;
      for (const mine of [until - 1, until - 2]) if (!seen.includes(mine)) this.#found.unread += 1;
    }
  }
}

type ConsentLedgerAddress = Ground["ledger"]["address"];
