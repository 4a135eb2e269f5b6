import { AbiCoder } from "ethers";
import { registryInterface } from "../../../src/chain/contracts.ts";
import { storageRoot } from "../../../src/chain/storage-root.ts";
import { endedBeforeSlot, entrySlot, packEntry, word } from "../../../src/chain/storage.ts";
import type { Hex } from "../../../src/consent/consent.ts";
import { ConsentModel, type Entry, type Message, type Outcome } from "../model.ts";
import { grantorsOn, type Grantor } from "./actors.ts";
import { nameOf, type CampaignChain, type Sent } from "./chain.ts";
import type { Draw } from "./draw.ts";
import { counts, drawMessage, forge, sign, type Signed } from "./messages.ts";
import { meet, type Report } from "./report.ts";
import { encode, encodeMany, eventOf, isEvent, refusalIn } from "./wire.ts";

/** Messages that relayers hold; older ones are withheld for good. */
const POOL = 300;
const IDS = 6;
/** Most that a relayer pays for one message, and for one of a batch: recovery, a new slot, an event, calldata of 65 bytes and what forgers add. */
const SINGLE_GAS = 1_150_000;
const BATCHED_GAS = 60_000;

type Say = (invariant: number, what: string) => void;

/** What the messages that counted say together, without their order. */
interface Said {
  readonly granted: Map<string, number>;
  readonly revoked: Set<string>;
  ended: number;
}

/** ConsentRegistry among grantors of all kinds and relayers of the worst. */
export class ConsentSide {
  readonly model = new ConsentModel();
  readonly #chain: CampaignChain;
  readonly #draw: Draw;
  readonly #report: Report;
  readonly #say: Say;
  readonly #grantors: readonly Grantor[];
  readonly #relayers: readonly string[];
  readonly #ids = new Map<string, string[]>();
  readonly #said = new Map<string, Said>();
  readonly #done = new Set<Signed>();
  #pool: Signed[] = [];

  private constructor(
    chain: CampaignChain,
    draw: Draw,
    report: Report,
    say: Say,
    grantors: readonly Grantor[],
    relayers: readonly string[],
  ) {
    this.#chain = chain;
    this.#draw = draw;
    this.#report = report;
    this.#say = say;
    this.#grantors = grantors;
    this.#relayers = relayers;
    for (const { address } of grantors)
      this.#ids.set(
        address,
        Array.from({ length: IDS }, () => draw.word()),
      );
  }

  static async open(chain: CampaignChain, draw: Draw, report: Report, say: Say): Promise<ConsentSide> {
    const relayers = await chain.request<string[]>("eth_accounts");
    return new ConsentSide(chain, draw, report, say, await grantorsOn(chain.connection, draw), relayers.slice(0, 3));
  }

  /** A relayer brings one message of those it holds, or one that it has forged. */
  async single(): Promise<void> {
    const signed = this.#take();
    const { message, grantor, signature } = signed;
    const before = this.#look(message);
    const sent = await this.#chain.send(
      this.#draw.of(this.#relayers),
      this.#chain.registry,
      encode(message, signature),
    );
    const outcome = this.#apply(signed, false);
    this.#expect(sent, [{ message, outcome }], outcome);
    await this.#compareOther();
    if (sent.gas > SINGLE_GAS) this.#say(12, `${message.kind} for ${grantor.name} cost ${sent.gas}`);
    await this.#compare(message, before);
  }

  /** A relayer brings several of one kind at once, some of them twice. */
  async batch(): Promise<void> {
    const kind = this.#draw.chance(0.6) ? "grant" : "revoke";
    const items = Array.from({ length: this.#draw.below(9) }, () => this.#take(kind));
    if (items.length > 1 && this.#draw.chance(0.3)) items.push(this.#draw.of(items));
    const data = encodeMany(kind, items);
    const relayer = this.#draw.of(this.#relayers);
    const before = items.map(({ message }) => this.#look(message));
    const answered = await this.#chain.dryRun(relayer, this.#chain.registry, data);
    const [answers] = AbiCoder.defaultAbiCoder().decode(["bytes4[]"], answered) as unknown as [string[]];
    const sent = await this.#chain.send(relayer, this.#chain.registry, data);
    const outcomes = items.map((item) => ({ message: item.message, outcome: this.#apply(item, true) }));
    this.#expect(sent, outcomes);
    await this.#compareOther();
    if (sent.refusal !== undefined) this.#say(10, `a batch reverted with ${sent.refusal}`);
    if (answers.length !== items.length) this.#say(10, `${answers.length} answers for ${items.length} items`);
    outcomes.forEach(({ outcome }, i) => {
      const answer = answers[i] ?? "";
      const refusal = /^0x0*$/.test(answer) ? undefined : nameOf(answer);
      if (refusal !== refusalIn(outcome)) this.#say(10, `item ${i} answered ${refusal}, not ${outcome}`);
    });
    if (sent.gas > 45_000 + items.length * BATCHED_GAS) this.#say(11, `a batch of ${items.length} cost ${sent.gas}`);
    for (const [i, { message }] of items.entries()) {
      const seen = before[i];
      if (seen !== undefined) await this.#compare(message, seen);
    }
  }

  /** A grantor speaks for itself. */
  async direct(): Promise<void> {
    const { address } = this.#draw.of(this.#grantors);
    const now = this.#chain.now;
    const kind = this.#draw.act([[6, "grant"] as const, [3, "revoke"] as const, [1, "revokeAll"] as const]);
    // Anybody's id: under one's own address it is nobody else's.
    const id = this.#draw.of(this.#idsOf(this.#draw.chance(0.9) ? address : this.#draw.of(this.#grantors).address));
    const said = this.#saidBy(address);
    const direct: Record<typeof kind, () => readonly [Message, Outcome]> = {
      grant: () => [
        { kind: "grant", grantor: address, id, issuedAt: now, deadline: now },
        this.model.grant(address, id, now, now),
      ],
      revoke: () => [{ kind: "revoke", grantor: address, id }, this.model.revoke(address, id, now)],
      revokeAll: () => [
        { kind: "revokeAll", grantor: address, issuedAt: now },
        this.model.revokeAll(address, now, now),
      ],
    };
    const before = this.#look({ kind: "revoke", grantor: address, id });
    const [message, outcome] = direct[kind]();
    const data = registryInterface.encodeFunctionData(kind as "grant", (kind === "revokeAll" ? [] : [id]) as [string]);
    note(said, message);
    this.#expect(await this.#chain.send(address, this.#chain.registry, data), [{ message, outcome }], outcome);
    this.#report.modelSteps++;
    meet(this.#report, `direct ${outcome}`);
    await this.#compare({ kind: "revoke", grantor: address, id }, before);
  }

  /** Ether, and calls of nothing that exists. */
  async nonsense(): Promise<void> {
    const value = this.#draw.chance(0.5) ? 1n : 0n;
    const data = value === 0n ? this.#draw.bytes(4 + this.#draw.below(64)) : encode(this.#take().message, "0x");
    const sent = await this.#chain.send(this.#draw.of(this.#relayers), this.#chain.registry, data, value);
    if (sent.refusal === undefined) this.#say(15, `took ${value} wei with ${data.slice(0, 10)}`);
    if (sent.logs.length > 0) this.#say(8, "a refused call has events");
    meet(this.#report, "nonsense");
  }

  /** The whole state against the model's, and against what all messages say together. */
  async whole(): Promise<void> {
    const slots = new Map<Hex, Hex>();
    for (const [grantor, ended] of this.model.endedBefore) slots.set(endedBeforeSlot(grantor as Hex), word(ended));
    for (const [grantor, entries] of this.model.entries) {
      const said = this.#saidBy(grantor);
      for (const [id, entry] of entries) {
        slots.set(entrySlot(grantor as Hex, id as Hex), packEntry(entry));
        const together = !said.revoked.has(id) && (said.granted.get(id) ?? 0) > said.ended;
        if (together !== this.model.isActive(grantor, id)) this.#say(7, "the order of messages was of account");
      }
    }
    if ((await this.#chain.storageHash(this.#chain.registry)) !== storageRoot(slots)) this.#say(9, "storage differs");
    const balance = await this.#chain.request<string>("eth_getBalance", this.#chain.registry, "latest");
    if (BigInt(balance) !== 0n) this.#say(15, "the registry holds ether");
  }

  #take(kind?: "grant" | "revoke"): Signed {
    const fitting = kind === undefined ? this.#pool : this.#pool.filter(({ message }) => message.kind === kind);
    let signed = fitting.length > 20 && this.#draw.chance(0.5) ? this.#draw.of(fitting) : this.#new(kind);
    if (this.#draw.chance(0.15)) signed = forge(this.#draw, signed, this.#chain, this.#pool);
    return signed;
  }

  /** Signed now; it may be relayed at once, later, twice or never. */
  #new(kind?: "grant" | "revoke"): Signed {
    const grantor = this.#draw.of(this.#grantors);
    const ids = this.#idsOf(grantor.address);
    if (this.#draw.chance(0.2)) ids[this.#draw.below(IDS)] = this.#draw.word();
    let message = drawMessage(this.#draw, grantor, ids, this.#chain.now);
    while (kind !== undefined && message.kind !== kind) {
      message = drawMessage(this.#draw, grantor, ids, this.#chain.now);
    }
    const signed = sign(this.#chain, grantor, message);
    this.#pool.push(signed);
    if (this.#pool.length > POOL) this.#pool.splice(this.#draw.below(POOL), 1);
    return signed;
  }

  #apply(signed: Signed, batched: boolean): Outcome {
    const { message, grantor } = signed;
    const valid = counts(signed, batched);
    const outcome = this.model.relayed(message, this.#chain.now, valid);
    const acted = isEvent(outcome);
    if (acted && this.#done.has(signed)) this.#say(6, `a replayed ${message.kind} did something`);
    if (acted) this.#done.add(signed);
    if (acted && !signed.genuine && grantor.word !== "always") this.#say(5, "the model takes a forgery");
    const late = ["ConsentDeadlinePassed", "ConsentDeadlineTooLate", "ConsentIssuedInFuture"].includes(outcome);
    if (valid && !late) note(this.#saidBy(grantor.address), message);
    this.#report.modelSteps++;
    meet(this.#report, `${batched ? "batched" : "single"} ${grantor.own ? "key" : "contract"} ${outcome}`);
    return outcome;
  }

  /** Refusal and events of a call against what the model says of it. */
  #expect(
    sent: Sent,
    outcomes: readonly { readonly message: Message; readonly outcome: Outcome }[],
    alone?: Outcome,
  ): void {
    const refusal = refusalIn(alone ?? "nothing");
    if (sent.refusal !== refusal) this.#say(1, `the call ended with ${sent.refusal}, not ${refusal}`);
    if (sent.refusal !== undefined && sent.logs.length > 0) this.#say(8, "a refused call has events");
    const expected = outcomes.flatMap(({ message, outcome }) => (isEvent(outcome) ? [eventOf(message)] : []));
    const found = sent.logs.map(({ topics, data }) => [...topics, data].join());
    if (found.join("|") !== expected.join("|"))
      this.#say(9, `events differ after ${outcomes.map(({ outcome }) => outcome).join()}`);
  }

  #look(message: Message): { readonly entry: Entry; readonly ended: number; readonly id: string } {
    const id = message.kind === "revokeAll" ? this.#draw.of(this.#idsOf(message.grantor)) : message.id;
    return { entry: this.model.entryOf(message.grantor, id), ended: this.model.ended(message.grantor), id };
  }

  /** The slots that the message concerns. */
  async #compare({ grantor }: Message, before: { readonly entry: Entry; readonly ended: number; readonly id: string }) {
    const { id } = before;
    const raw = BigInt(await this.#chain.slot(this.#chain.registry, entrySlot(grantor as Hex, id as Hex)));
    const field = (shift: bigint): number => Number((raw >> shift) & 0xffff_ffff_ffffn);
    const [issuedAt, grantedAt, revokedAt] = [field(0n), field(48n), field(96n)];
    const ended = Number(await this.#chain.slot(this.#chain.registry, endedBeforeSlot(grantor as Hex)));
    const active = await this.#isActive(grantor, id);
    if (active !== (grantedAt !== 0 && revokedAt === 0 && issuedAt > ended))
      this.#say(1, "isActive is not what it means");
    if (ended < before.ended) this.#say(2, "endedBefore fell");
    if (before.entry.revokedAt !== 0 && raw !== BigInt(packEntry(before.entry)))
      this.#say(3, "a revoked entry changed");
    if (issuedAt < before.entry.issuedAt || grantedAt < before.entry.grantedAt) this.#say(4, "an entry went back");
    if (Math.max(grantedAt, revokedAt) > this.#chain.now || issuedAt > this.#chain.now + 900) {
      this.#say(4, "an entry lies in the future");
    }
    if (raw !== BigInt(packEntry(this.model.entryOf(grantor, id)))) this.#say(1, "an entry is not the model's");
    if (ended !== this.model.ended(grantor)) this.#say(2, "endedBefore is not the model's");
  }

  /** Somebody of whom the call was not, most of the time. */
  async #compareOther(): Promise<void> {
    const other = this.#draw.of(this.#grantors).address;
    const otherId = this.#draw.of(this.#idsOf(other));
    if ((await this.#isActive(other, otherId)) !== this.model.isActive(other, otherId))
      this.#say(5, "another's state changed");
  }

  async #isActive(grantor: string, id: string): Promise<boolean> {
    const data = registryInterface.encodeFunctionData("isActive", [grantor, id]);
    return BigInt(await this.#chain.view(this.#chain.registry, data)) === 1n;
  }

  #idsOf(grantor: string): string[] {
    return this.#ids.get(grantor) ?? [];
  }

  #saidBy(grantor: string): Said {
    const said = this.#said.get(grantor) ?? { granted: new Map(), revoked: new Set(), ended: 0 };
    this.#said.set(grantor, said);
    return said;
  }
}

function note(said: Said, message: Message): void {
  if (message.kind === "revoke") said.revoked.add(message.id);
  else if (message.kind === "revokeAll") said.ended = Math.max(said.ended, message.issuedAt);
  else said.granted.set(message.id, Math.max(said.granted.get(message.id) ?? 0, message.issuedAt));
}
