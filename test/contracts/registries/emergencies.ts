import { TypedDataEncoder, ZeroHash, type SigningKey } from "ethers";
import type { Hex } from "../../../src/consent/consent.ts";
import { CO_SIGN_TYPES, commitmentOf, emergencyDomain, type Declaration } from "../../../src/emergency/typed-data.ts";
import { EmergencyModel, LONGEST, REVIEW_TERM, type Declaring, type Emergency } from "./emergencyModel.ts";
import type { PartySide } from "./parties.ts";
import type { Caller, World } from "./world.ts";

const [ORGANISATION, CLINICIAN] = [1, 2];
const KEPT = 40;

/** EmergencyAccess, among clinicians who come too late, vouch for the wrong thing or are not reviewed. */
export class EmergencySide {
  readonly model: EmergencyModel;
  readonly #world: World;
  readonly #parties: PartySide;
  readonly #organisations: readonly Caller[];
  readonly #clinicians: readonly Caller[];
  readonly #kinds: readonly (readonly [party: Caller, kind: number])[];
  /** Declarations that were sent or are still out. */
  readonly #sent: { readonly by: string; readonly args: readonly unknown[]; readonly declaring: Declaring }[] = [];

  constructor(world: World, parties: PartySide) {
    this.#world = world;
    this.#parties = parties;
    this.model = new EmergencyModel(parties.model, world.may("EmergencyAccess"));
    const others = world.callers.filter(({ role }) => role === undefined);
    this.#organisations = others.slice(0, 2);
    // One of them reviews as well, though never their own.
    const reviewer = world.callers.filter(({ role }) => role === "REVIEWER").slice(0, 1);
    this.#clinicians = [...others.slice(2, 4), ...reviewer];
    const organisations = this.#organisations.map((each) => [each, ORGANISATION] as const);
    this.#kinds = [...organisations, ...this.#clinicians.map((each) => [each, CLINICIAN] as const)];
  }

  /** Everybody in good standing, on the team of both organisations. */
  async begin(): Promise<void> {
    const officer = this.#world.callers.find(({ role }) => role === "OFFICER")?.address ?? "";
    for (const [{ address }, kind] of this.#kinds) await this.#parties.restore(address, kind, 300 * 86_400);
    for (const { address: organisation } of this.#organisations) {
      await this.#act(officer, "setQuota", [organisation, 10], this.model.setQuota(officer, organisation, 10));
      for (const { address } of this.#clinicians) await this.#member("admit", organisation, address);
    }
  }

  async step(): Promise<void> {
    const { draw } = this.#world;
    const clinician = draw.of(this.#clinicians);
    const organisation = draw.of(this.#organisations).address;
    const act = draw.act([
      [8, () => this.#declare(clinician, organisation)],
      [2, () => this.#again()],
      [2, () => this.#end(this.#declarant())],
      [2, () => this.#notice(this.#declarant())],
      [8, () => this.#review(clinician.address)],
      [3, () => this.#member("admit", organisation, clinician.address)],
      [0.3, () => this.#member("dismiss", organisation, clinician.address)],
      [2, () => this.#quota(organisation)],
      [0.3, () => this.#suspend(draw.of([organisation, clinician.address]))],
      [3, () => this.#reinstate(draw.of([organisation, clinician.address]))],
      [3, () => this.#standing()],
    ]);
    await act();
    await this.#look(clinician.address, organisation);
    await this.#look(draw.of(this.#clinicians).address, draw.of(this.#organisations).address);
  }

  whole(): Promise<void> {
    return this.#world.compareStorage("EmergencyAccess", this.model.slots(this.#world.authority));
  }

  /** Parties whose accreditation has run out are accredited again. */
  async #standing(): Promise<void> {
    const { draw, now } = this.#world;
    const missing = this.#kinds.filter(([{ address }, kind]) => !this.#parties.model.isAccredited(address, kind, now));
    const [party, kind] = draw.of(missing.length > 0 ? missing : this.#kinds);
    await this.#parties.restore(party.address, kind, draw.of([86_400, 30 * 86_400, 300 * 86_400]));
  }

  async #declare(declarant: Caller, organisation: string): Promise<void> {
    const { draw, now } = this.#world;
    const others = draw.chance(0.95) ? this.#clinicians.filter((each) => each !== declarant) : this.#clinicians;
    const coSigner = draw.of(others);
    const declaration: Declaration = {
      grantor: draw.bytes(20) as Hex,
      scope: draw.word() as Hex,
      dataStart: 0,
      dataEnd: now,
      declarant: declarant.address as Hex,
      hpkeKey: draw.word() as Hex,
      coSigner: coSigner.address as Hex,
      reason: "Unconscious after a fall.",
      salt: draw.word() as Hex,
    };
    const term = draw.of([1, 60, 60, 3600, 3600, LONGEST, LONGEST, LONGEST, LONGEST + 1, 0]);
    const deadline = now + draw.of([-1, 0, 0, 60, 60, 600, 600, 600]);
    const commitment = commitmentOf(declaration);
    const good = this.#sign(coSigner.key, { declaration, organisation, term, deadline });
    const bad = draw.of([
      () => this.#sign(declarant.key, { declaration, organisation, term, deadline }),
      () => this.#sign(coSigner.key, { declaration, organisation, term: term + 1, deadline }),
      () => this.#sign(coSigner.key, { declaration, organisation, term, deadline: deadline + 1 }),
      () => this.#sign(coSigner.key, { declaration, organisation: coSigner.address, term, deadline }),
      () => good.slice(0, -2),
      () => "0x",
    ]);
    const signed = draw.chance(0.85);
    // One's own signature under the name of another is none; under one's own it is refused before it is looked at.
    const signature = signed ? good : bad();
    const args = [organisation, commitment, term, coSigner.address, deadline, signature];
    const declaring = { organisation, commitment, term, coSigner: coSigner.address, deadline, signed };
    this.#sent.push({ by: declarant.address, args, declaring });
    if (this.#sent.length > KEPT) this.#sent.shift();
    await this.#act(declarant.address, "declare", args, this.model.declare(declarant.address, declaring, now));
  }

  /** The same declaration once more, by its declarant or by another who has seen it. */
  async #again(): Promise<void> {
    const { draw, now } = this.#world;
    if (this.#sent.length === 0) return this.#standing();
    const inTime = this.#sent.filter(({ declaring }) => declaring.deadline >= now);
    const { by, args, declaring } = draw.of(inTime.length > 0 && draw.chance(0.8) ? inTime : this.#sent);
    const from = draw.chance(0.6) ? by : draw.of(this.#clinicians).address;
    await this.#act(from, "declare", args, this.model.declare(from, declaring, now));
  }

  async #end(declarant: string): Promise<void> {
    const commitment = this.#commitment(declarant);
    await this.#act(declarant, "end", [commitment], this.model.end(declarant, commitment, this.#world.now));
  }

  async #notice(declarant: string): Promise<void> {
    const { draw, now, callers } = this.#world;
    const [by, commitment, notice] = [draw.of(callers).address, this.#commitment(declarant), draw.word()];
    const expected = this.model.postNotice(by, declarant, commitment, notice, now);
    await this.#act(by, "postNotice", [declarant, commitment, notice], expected);
  }

  /** Mostly the one that is next; now and then another, or with a wrong successor. */
  async #review(declarant: string): Promise<void> {
    const { draw, now } = this.#world;
    const declared = this.model.declaredBy(declarant);
    const number = this.model.reviewedOf(declarant);
    if (declared.length === number && draw.chance(0.8)) return this.#standing();
    const right = declared[number]?.commitment ?? draw.word();
    const commitment = draw.chance(0.85) ? right : this.#commitment(declarant);
    const following = declared[number + 1]?.commitment ?? ZeroHash;
    const next = draw.chance(0.9) ? following : draw.of([ZeroHash, this.#commitment(declarant), draw.word()]);
    const [justified, report] = [draw.chance(0.9), draw.word()];
    const by = this.#world.holding("REVIEWER");
    const expected = this.model.review(by, declarant, commitment, next, justified, report, now);
    await this.#act(by, "review", [declarant, commitment, next, justified, report], expected);
  }

  async #member(method: "admit" | "dismiss", organisation: string, clinician: string): Promise<void> {
    await this.#act(organisation, method, [clinician], this.model[method](organisation, clinician));
  }

  async #quota(organisation: string): Promise<void> {
    const [by, quota] = [this.#world.holding("OFFICER"), this.#world.draw.of([0, 1, 3, 10, 2 ** 32 - 1])];
    await this.#act(by, "setQuota", [organisation, quota], this.model.setQuota(by, organisation, quota));
  }

  async #suspend(account: string): Promise<void> {
    const by = this.#world.holding("PROTECTOR");
    await this.#act(by, "suspend", [account], this.model.suspend(by, account, this.#world.now));
  }

  async #reinstate(account: string): Promise<void> {
    const by = this.#world.holding("OFFICER");
    await this.#act(by, "reinstate", [account], this.model.reinstate(by, account));
  }

  async #look(clinician: string, organisation: string): Promise<void> {
    const { now } = this.#world;
    const declared = this.model.declaredBy(clinician);
    const reviewed = this.model.reviewedOf(clinician);
    const commitment = this.#commitment(clinician);
    const number = declared.findIndex((each) => each.commitment === commitment);
    const none = { organisation: `0x${"0".repeat(40)}`, declaredAt: 0, endsAt: 0, coSigner: `0x${"0".repeat(40)}` };
    const found = declared[number] ?? none;
    const shown = [found.organisation, found.declaredAt, found.endsAt, found.coSigner];
    await this.#compare(
      "emergencyOf",
      [clinician, commitment],
      [...shown, Math.max(0, number), number >= 0 && number < reviewed],
    );
    await this.#compare("isOpen", [clinician, commitment], this.model.isOpen(clinician, commitment, now));
    await this.#compare("recordOf", [clinician], [declared.length, reviewed, this.model.reviewDueAt(clinician)]);
    await this.#compare("roleStatus", [organisation, clinician], this.model.roleStatus(organisation, clinician, now));
    const { quota, used } = this.model.quotaOf(organisation, now);
    await this.#compare("quotaOf", [organisation], quota, used);
    await this.#compare("suspendedAt", [clinician], this.model.suspendedAt.get(clinician) ?? 0);
  }

  /** Mostly one with an open emergency. */
  #declarant(): string {
    const { draw } = this.#world;
    const open = this.#clinicians.filter(({ address }) => this.#openOf(address).length > 0);
    return draw.of(open.length > 0 && draw.chance(0.8) ? open : this.#clinicians).address;
  }

  #openOf(declarant: string): readonly Emergency[] {
    const { now } = this.#world;
    return this.model.declaredBy(declarant).filter(({ commitment }) => this.model.isOpen(declarant, commitment, now));
  }

  /** One that is open, one of the latest, or one that was never declared. */
  #commitment(declarant: string): string {
    const { draw } = this.#world;
    const open = this.#openOf(declarant);
    const some = open.length > 0 && draw.chance(0.6) ? open : this.model.declaredBy(declarant).slice(-4);
    return some.length === 0 || draw.chance(0.1) ? draw.word() : draw.of(some).commitment;
  }

  #sign(key: SigningKey, message: object): string {
    const { chain, addresses } = this.#world;
    const domain = emergencyDomain({ chainId: chain.chainId, contract: addresses.EmergencyAccess as Hex });
    return key.sign(TypedDataEncoder.hash(domain, CO_SIGN_TYPES, message)).serialized;
  }

  #act(by: string, method: string, args: readonly unknown[], expected: Parameters<World["act"]>[4]): Promise<void> {
    return this.#world.act(by, "EmergencyAccess", method, args, expected);
  }

  #compare(view: string, args: readonly unknown[], ...expected: readonly unknown[]): Promise<void> {
    return this.#world.compare("EmergencyAccess", view, args, ...expected);
  }

  /** A moment at which something ends. */
  moment(): number | undefined {
    const { draw } = this.#world;
    const latest = this.model.declaredBy(draw.of(this.#clinicians).address).at(-1);
    if (latest === undefined) return undefined;
    return draw.of([latest.endsAt, latest.declaredAt + REVIEW_TERM]) + draw.of([-1, 0, 1]);
  }
}
