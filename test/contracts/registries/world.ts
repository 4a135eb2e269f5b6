import { computeAddress, getAddress, SigningKey, type Interface } from "ethers";
import { ROLES, type RoleName } from "../../../scripts/governance/roles.ts";
import { GOVERNED_INTERFACES, TARGET_NAMES } from "../../../src/chain/governed.ts";
import { storageRoot } from "../../../src/chain/storage-root.ts";
import { BEGIN, CampaignChain } from "../campaign/chain.ts";
import type { Draw } from "../campaign/draw.ts";
import { meet, type Report } from "../campaign/report.ts";
import type { Outcome, Slots } from "./outcome.ts";

export type Target = (typeof TARGET_NAMES)[number];

/** Somebody who calls; what they may do beyond what anybody may is their one role. */
export interface Caller {
  readonly address: string;
  readonly key: SigningKey;
  readonly role?: RoleName;
}

const HELD: readonly RoleName[] = [
  ...(["REGISTRAR", "PROTECTOR", "OFFICER"] as const),
  ...(["REVIEWER", "REVIEWER", "CUSTODIAN", "CUSTODIAN"] as const),
];
/** Callers without a role. */
const OTHERS = 8;
/** In which quotas are counted. */
const WEEK = 7 * 86_400;
const RICH = "0xffffffffffffffffffff";

/** The governed contracts on a chain of their own, with the roles of the table and none of its delays. */
export class World {
  readonly chain: CampaignChain;
  readonly draw: Draw;
  readonly report: Report;
  readonly callers: readonly Caller[];
  readonly authority: string;
  readonly addresses: Readonly<Record<Target, string>>;

  private constructor(
    chain: CampaignChain,
    draw: Draw,
    report: Report,
    callers: readonly Caller[],
    authority: string,
    addresses: Readonly<Record<Target, string>>,
  ) {
    this.chain = chain;
    this.draw = draw;
    this.report = report;
    this.callers = callers;
    this.authority = authority;
    this.addresses = addresses;
  }

  static async open(draw: Draw, report: Report): Promise<World> {
    const chain = await CampaignChain.open();
    const { ethers } = chain.connection;
    const [admin] = await ethers.getSigners();
    const authority = await ethers.deployContract("Authority", [admin?.address ?? ""]);
    const deploy = async (name: Target, ...args: unknown[]): Promise<string> =>
      (await ethers.deployContract(name as string, [await authority.getAddress(), ...args])).getAddress();
    const PartyRegistry = await deploy("PartyRegistry");
    const addresses = {
      DeviceRegistry: await deploy("DeviceRegistry"),
      PartyRegistry,
      EmergencyAccess: await deploy("EmergencyAccess", PartyRegistry),
    };
    for (const { id, may } of ROLES) {
      for (const target of TARGET_NAMES) {
        const selectors = (may[target] ?? []).map((name) => GOVERNED_INTERFACES[target].getFunction(name)?.selector);
        if (selectors.length === 0) continue;
        await authority.getFunction("setTargetFunctionRole")(addresses[target], selectors, id);
      }
    }
    const callers: Caller[] = [];
    for (const role of [...HELD, ...Array.from({ length: OTHERS }, () => undefined)]) {
      const key = new SigningKey(draw.word());
      const address = getAddress(computeAddress(key));
      callers.push({ address, key, ...(role === undefined ? {} : { role }) });
      const id = ROLES.find(({ name }) => name === role)?.id;
      if (id !== undefined) await authority.getFunction("grantRole")(id, address, 0);
      await chain.request("hardhat_impersonateAccount", address);
      await chain.request("hardhat_setBalance", address, RICH);
    }
    await chain.at(BEGIN + draw.below(WEEK));
    return new World(chain, draw, report, callers, await authority.getAddress(), addresses);
  }

  get now(): number {
    return this.chain.now;
  }

  /** Whether the table of roles lets this account call a function that asks for a role. */
  may(target: Target): (caller: string, method: string) => boolean {
    return (caller, method) => {
      const role = this.callers.find(({ address }) => address === caller)?.role;
      return ROLES.some(({ name, may }) => name === role && (may[target] ?? []).includes(method));
    };
  }

  /** Mostly somebody with this role, now and then anybody. */
  holding(role: RoleName): string {
    const holders = this.callers.filter((caller) => caller.role === role);
    return this.draw.of(this.draw.chance(0.85) ? holders : this.callers).address;
  }

  /** Sends a call, and says whatever differs from what the model says of it. */
  async act(from: string, target: Target, method: string, args: readonly unknown[], expected: Outcome): Promise<void> {
    const contract: Interface = GOVERNED_INTERFACES[target];
    const data = contract.encodeFunctionData(method, args);
    // Several calls of one step are of one time, however long they take.
    await this.chain.at(this.now);
    const { refusal, logs } = await this.chain.send(from, this.addresses[target], data);
    const found = refusal === undefined ? undefined : (contract.getError(refusal.slice(0, 10))?.name ?? refusal);
    const call = `${target}.${method}`;
    const name = typeof expected === "string" ? expected : undefined;
    if (found !== name) this.say(`${call} ended with ${found}, not ${name}`);
    const events = typeof expected === "string" ? [] : expected;
    const encoded = events.map(([event, ...values]) => {
      const { topics, data: body } = contract.encodeEventLog(event, values);
      return [...topics, body].join();
    });
    // What the authority emits is none of the contract's.
    const own = logs.filter(({ address }) => getAddress(address) === this.addresses[target]);
    if (own.map((log) => [...log.topics, log.data].join()).join("|") !== encoded.join("|")) {
      this.say(`${call}: events differ from ${events.map(([event]) => event).join() || "none"}`);
    }
    meet(this.report, `${call} ${name ?? (events.map(([event]) => event).join() || "nothing")}`);
  }

  /** Says whatever a view answers that the model does not. */
  async compare(
    target: Target,
    view: string,
    args: readonly unknown[],
    ...expected: readonly unknown[]
  ): Promise<void> {
    const contract: Interface = GOVERNED_INTERFACES[target];
    const answer = await this.chain.view(this.addresses[target], contract.encodeFunctionData(view, args));
    const wanted = contract.encodeFunctionResult(view, expected);
    if (answer !== wanted) this.say(`${target}.${view}(${args.join()}) is ${answer}, not ${wanted}`);
  }

  /** Says when anything is stored that the model has not, or the other way round. */
  async compareStorage(target: Target, slots: Slots): Promise<void> {
    const root = await this.chain.storageHash(this.addresses[target]);
    if (root !== storageRoot(slots)) this.say(`${target}: storage differs`);
  }

  say(what: string): void {
    if (this.report.violations.length < 20) {
      this.report.violations.push(`${what} (step ${this.report.calls} of seed ${this.report.seed})`);
    }
  }

  /** Time goes on a little, sometimes to either side of what counts. */
  async pass(): Promise<void> {
    const seconds = this.draw.act([
      [20, 0],
      [20, 1],
      [20, 60],
      [10, 600],
      [8, 3600],
      [4, 14_400],
      [2, 86_400],
      [2, 172_800],
    ]);
    await this.chain.at(this.now + seconds);
  }

  async nextAt(time: number): Promise<void> {
    await this.chain.at(Math.max(this.now, time));
  }
}
