import { ContractRefusedError } from "../../src/chain/errors.ts";
import { AlertSender, DEADLINE } from "../../src/chain/escalation.ts";
import { alertRulesAt } from "../../src/chain/contracts.ts";
import { deployedAt } from "../../src/chain/deployment.ts";
import { needBlock } from "../../src/chain/rpc.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { MedSealError } from "../../src/errors.ts";
import type { Desk } from "../../src/monitor/desk.ts";
import { raisedDigest, sealedAlertOf } from "../../src/monitor/once.ts";
import type { KeptRaise } from "../../src/monitor/raises.ts";
import type { AsGateway } from "./gateway.ts";

/** Stages of the contract. */
const [RAISED, ESCALATED] = [1n, 2n];

/** Milliseconds after which it is of no use to anybody to raise an alert: so are those of recordings. */
const OLD = 24 * 3_600_000;

const beganAt = ({ alert }: KeptRaise): number => Number(alert.slice(alert.lastIndexOf("/") + 1));

/** Brings on chain what plans want there. Notices do not wait for it; what fails is tried again. */
export class Raising {
  readonly #desk: Desk;
  readonly #as: AsGateway;
  readonly #inTurn: <T>(work: () => Promise<T>) => Promise<T>;

  /** @param inTurn - How changes of the desk are made. */
  constructor(desk: Desk, as: AsGateway, inTurn: <T>(work: () => Promise<T>) => Promise<T>) {
    this.#desk = desk;
    this.#as = as;
    this.#inTurn = inTurn;
  }

  /** @throws ChainUnavailableError, ContractRefusedError for what is tried again. */
  async work(): Promise<void> {
    const open = this.#desk.raises.filter(({ stage }) => stage !== "over");
    if (open.length === 0) return;
    const { chain, signer } = this.#as;
    const gateway = signer.address as Hex;
    const rules = alertRulesAt(deployedAt(chain.deployment, "AlertRules").address, chain.rpc);
    const sender = new AlertSender(signer, chain.deployment);
    const { timestamp } = await needBlock(chain.rpc, "latest");
    let failed: MedSealError | undefined;
    for (const raise of open) {
      const onChain = this.#desk.plans.find(({ plan }) => plan.id === raise.plan)?.plan.onChain;
      if (onChain === undefined) continue;
      if (raise.stage === "due" && beganAt(raise) < Date.now() - OLD) {
        await this.#note(raise, { stage: "over" });
        continue;
      }
      try {
        const digest = raisedDigest(onChain, raise);
        const [stage, raisedAt, there] = await rules.alertOf(gateway, raise.slot);
        const isOurs = there === digest;
        const isLate = timestamp > Number(raisedAt) + DEADLINE;
        if (!isOurs && stage === RAISED) {
          // Of an earlier journal: it must not be buried, and cannot be.
          if (isLate) await sender.escalate(gateway, raise.slot);
          continue;
        }
        if (!isOurs) await sender.raise(raise.slot, digest);
        if (raise.stage === "due") await this.#note(raise, { stage: "raised" });
        const isOpen = !isOurs || stage === RAISED || stage === ESCALATED;
        if (isOpen && raise.signature !== undefined)
          await sender.acknowledge(gateway, raise.slot, sealedAlertOf(raise), raise.signature as Hex);
        else if (isOurs && stage === RAISED && isLate) await sender.escalate(gateway, raise.slot);
        else if (isOurs && stage === RAISED) continue;
        else if (!isOurs) continue;
        await this.#note(raise, { stage: "over" });
      } catch (error) {
        if (!(error instanceof MedSealError)) throw error;
        if (error instanceof ContractRefusedError && error.reason === "AlertAcknowledgementInvalid")
          await this.#inTurn(() => this.#desk.dropSignature(raise));
        failed = error;
      }
    }
    if (failed) throw failed;
  }

  #note(raise: KeptRaise, change: Partial<KeptRaise>): Promise<void> {
    return this.#inTurn(() => this.#desk.noteRaise(raise, change));
  }
}
