import { ZeroHash } from "ethers";
import { KEY_DELAY, LONGEST_TERM, PARTY_STATUS, PartyModel, type Keys } from "./partyModel.ts";
import type { World } from "./world.ts";

/** PartyRegistry, among registrars who err and parties who change their minds about keys. */
export class PartySide {
  readonly model: PartyModel;
  readonly #world: World;
  /** Parties whose standing nobody else needs. */
  readonly #own: readonly string[];

  constructor(world: World) {
    this.#world = world;
    this.#own = world.callers.slice(-3).map(({ address }) => address);
    this.model = new PartyModel(world.may("PartyRegistry"));
  }

  async step(): Promise<void> {
    const { draw, callers } = this.#world;
    const party = draw.chance(0.9) ? draw.of(this.#own) : draw.of(callers).address;
    const act = draw.act([
      [8, () => this.#accredit(party)],
      [3, () => this.#change("suspend", "PROTECTOR", party)],
      [4, () => this.#change("resume", "OFFICER", party)],
      [0.3, () => this.#change("revoke", "PROTECTOR", party)],
      [4, () => this.#propose(party)],
      [2, () => this.#cancel(party)],
      [3, () => this.#retire(party)],
    ]);
    await act();
    await this.#look(party);
    await this.#look(draw.of(callers).address);
  }

  /** Lifts a suspension, or accredits anew: so that others meet parties in good standing. */
  async restore(party: string, kind: number, term: number): Promise<void> {
    const { draw, now, callers } = this.#world;
    const suspended = this.model.statusAt(party, now) === PARTY_STATUS.suspended;
    const by = callers.find(({ role }) => role === (suspended ? "OFFICER" : "REGISTRAR"))?.address ?? "";
    if (suspended) return this.#act(by, "resume", [party], this.model.resume(by, party, now));
    const [until, credential] = [now + term, draw.word()];
    const expected = this.model.accredit(by, party, kind, until, credential, now);
    await this.#act(by, "accredit", [party, kind, until, credential], expected);
  }

  whole(): Promise<void> {
    return this.#world.compareStorage("PartyRegistry", this.model.slots(this.#world.authority));
  }

  async #accredit(party: string): Promise<void> {
    const { draw, now } = this.#world;
    const by = this.#world.holding("REGISTRAR");
    const [known] = this.model.accreditationOf(party);
    const kind = known !== 0 && draw.chance(0.8) ? known : draw.below(7);
    const until = now + draw.of([-1, 0, 1, 60, 86_400, 30 * 86_400, LONGEST_TERM, LONGEST_TERM + 1]);
    const credential = draw.chance(0.95) ? draw.word() : ZeroHash;
    const expected = this.model.accredit(by, party, kind, until, credential, now);
    await this.#act(by, "accredit", [party, kind, until, credential], expected);
  }

  async #change(
    method: "suspend" | "resume" | "revoke",
    role: Parameters<World["holding"]>[0],
    party: string,
  ): Promise<void> {
    const by = this.#world.holding(role);
    await this.#act(by, method, [party], this.model[method](by, party, this.#world.now));
  }

  async #propose(party: string): Promise<void> {
    const { draw, now } = this.#world;
    const [hpkeKey, viewKey] = [draw.chance(0.95) ? draw.word() : ZeroHash, draw.chance(0.95) ? draw.word() : ZeroHash];
    const expected = this.model.proposeKeys(party, hpkeKey, viewKey, now);
    await this.#act(party, "proposeKeys", [hpkeKey, viewKey], expected);
  }

  async #cancel(party: string): Promise<void> {
    await this.#act(party, "cancelKeys", [], this.model.cancelKeys(party, this.#world.now));
  }

  /** The party's own key, one that is only proposed, or another's. */
  async #retire(party: string): Promise<void> {
    const { draw, now, callers } = this.#world;
    const { hpkeKey } = draw.act<() => Keys>([
      [6, () => this.model.keysOf(party, now)],
      [2, () => this.model.proposedKeysOf(party, now)],
      [1, () => this.model.keysOf(draw.of(callers).address, now)],
    ])();
    await this.#act(party, "retireKeys", [hpkeKey], this.model.retireKeys(party, hpkeKey, now));
  }

  async #look(party: string): Promise<void> {
    const world = this.#world;
    const { draw, now } = world;
    const flat = ({ hpkeKey, viewKey, activeFrom }: Keys) => [hpkeKey, viewKey, activeFrom];
    await world.compare("PartyRegistry", "keysOf", [party], flat(this.model.keysOf(party, now)));
    await world.compare("PartyRegistry", "proposedKeysOf", [party], flat(this.model.proposedKeysOf(party, now)));
    await world.compare("PartyRegistry", "accreditationOf", [party], ...this.model.accreditationOf(party));
    const [kind, until] = this.model.accreditationOf(party);
    const time = Math.max(0, draw.of([now, now, until, now - KEY_DELAY]) + draw.of([-1, 0, 0, 1]));
    await world.compare("PartyRegistry", "statusAt", [party, time], this.model.statusAt(party, time));
    const asked = draw.chance(0.8) ? kind : draw.below(7);
    await world.compare("PartyRegistry", "isAccredited", [party, asked], this.model.isAccredited(party, asked, now));
  }

  #act(by: string, method: string, args: readonly unknown[], expected: Parameters<World["act"]>[4]): Promise<void> {
    return this.#world.act(by, "PartyRegistry", method, args, expected);
  }
}
