import { now } from "../bytes/random.ts";
import { consentId, isTime, type Hex } from "../consent/consent.ts";
import type { Link } from "../consent/scope.ts";
import { checkStatement } from "../consent/statement.ts";
import { registryInterface } from "./contracts.ts";
import { pinnedCode, type Deployment } from "./deployment.ts";
import { InProcessContract } from "./in-process.ts";
import type { ConsentLedger, View } from "./ledger.ts";
import type { Rpc } from "./rpc.ts";
import { endedBeforeSlot, entrySlot, packEntry, word } from "./storage.ts";

export interface Question {
  /** The patient's consent first, the one whose grantee asks last. */
  readonly chain: readonly Link[];
  readonly grantee: Hex;
  /** Bits of `ACTIONS`, all of which must be allowed. */
  readonly action: number;
  readonly purpose: string;
  readonly stream: Hex;
  /** Effective time of the data, in unix seconds. */
  readonly dataTime: number;
}

/** One question, and when the data is to be used, in unix seconds. */
export type PermissionQuestion = Question & { readonly time: number };

/** Answers by the contract's own code, in this process; see `PermissionJudge`. */
export type AskPermission = (question: PermissionQuestion) => Promise<boolean>;

/**
 * Answers `ConsentRegistry.isPermitted` in this process: the contract's own code, from the chain and checked against the
 * hash pinned at its deployment, over storage rebuilt from the ledger. The node is asked for the code and nothing else,
 * so it learns nothing of the question.
 */
export class PermissionJudge {
  readonly #code: Hex;
  readonly #deployment: Deployment;
  readonly #ledger: ConsentLedger;

  private constructor(code: Hex, deployment: Deployment, ledger: ConsentLedger) {
    this.#code = code;
    this.#deployment = deployment;
    this.#ledger = ledger;
  }

  /** @throws CodeDiffersError, ChainUnavailableError */
  static async create(rpc: Rpc, deployment: Deployment, ledger: ConsentLedger): Promise<PermissionJudge> {
    return new PermissionJudge(await pinnedCode(rpc, deployment, "ConsentRegistry"), deployment, ledger);
  }

  /**
   * Whether the act is permitted at `time`, which stands for the block's time.
   *
   * @param view - `now`: ends count from the latest block and from signatures, beginnings from final blocks. Or what
   * final blocks say of a past moment, for audits.
   * @throws ConsentInvalidError or StatementDiffersError when a link's statement is not what its fields say.
   */
  async isPermitted(question: Question, time: number = now(), view: View = "now"): Promise<boolean> {
    for (const { consent } of question.chain) checkStatement(consent);
    if (!isTime(time) || !isTime(question.dataTime)) throw new RangeError("a time is whole seconds since 1970");
    const { chain, grantee, action, purpose, stream, dataTime } = question;
    const links = chain.map(({ consent, streams }) => ({ consent, streams: [...streams] }));
    const call = [links, grantee, action, purpose, stream, dataTime] as const;
    const data = registryInterface.encodeFunctionData("isPermitted", [...call]);
    const { chainId, contracts } = this.#deployment;
    const at = { chainId, address: contracts.ConsentRegistry.address };
    const storage = this.#storageFor(chain, view);
    const registry = await InProcessContract.create("ConsentRegistry", registryInterface, this.#code, at, storage);
    const answer = await registry.call(data as Hex, time);
    return registryInterface.decodeFunctionResult("isPermitted", answer)[0] as boolean;
  }

  /** The slots that the links depend on; every other slot of the registry is without effect. */
  #storageFor(chain: readonly Link[], view: View): Map<Hex, Hex> {
    const slots = new Map<Hex, Hex>();
    for (const { consent } of chain) {
      const id = consentId(consent);
      slots.set(entrySlot(consent.grantor, id), packEntry(this.#ledger.entryFor(consent.grantor, id, view)));
      slots.set(endedBeforeSlot(consent.grantor), word(this.#ledger.endedBeforeFor(consent.grantor, view)));
    }
    return slots;
  }
}
