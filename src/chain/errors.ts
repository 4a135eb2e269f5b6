import { EXIT, MedSealError } from "../errors.ts";

/** No answer from the chain: an outage, never a verdict. */
export class ChainUnavailableError extends MedSealError {
  readonly code = "ERR_CHAIN_UNAVAILABLE";
  override readonly exit = EXIT.unavailable;

  constructor(message = "the chain cannot be reached", cause?: unknown) {
    super(message, { hint: "check the RPC endpoint and try again", cause });
  }
}

/** What is asked for rests on a block that is not final yet: an outage that ends by itself. */
export class NotFinalYetError extends MedSealError {
  readonly code: `ERR_${string}` = "ERR_NOT_FINAL_YET";
  override readonly exit = EXIT.unavailable;
  readonly block: number;

  constructor(block: number, message = `block ${block} is not final yet`, hint = "add --wait, or try again later") {
    super(message, { hint });
    this.block = block;
  }
}

/** The node answers for another chain than the deployment is on. */
export class WrongChainError extends MedSealError {
  readonly code = "ERR_WRONG_CHAIN";
  override readonly exit = EXIT.usage;

  constructor(expected: number, found: number) {
    super(`the node is on chain ${found}, the deployment on chain ${expected}`);
  }
}

/** No, or no well-formed, record of a deployment. */
export class DeploymentError extends MedSealError {
  readonly code = "ERR_DEPLOYMENT";
  override readonly exit = EXIT.usage;
}

/** The disk does not give the ledger's file, or takes nothing: an outage, and nothing is known to be wrong with the file. */
export class LedgerUnavailableError extends MedSealError {
  readonly code = "ERR_LEDGER_UNAVAILABLE";
  override readonly exit = EXIT.unavailable;

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : "unknown reason";
    super(`the ledger file cannot be read or written: ${reason}`, { hint: "check the disk and its free space", cause });
  }
}

/** The code at a contract's address is not the code that was pinned when it was deployed. */
export class CodeDiffersError extends MedSealError {
  readonly code = "ERR_CODE_DIFFERS";

  constructor(contract: string) {
    super(`the code of ${contract} is not the code pinned at its deployment`, {
      hint: "the node is lying, or the deployment record is for something else; trust neither until it is clear which",
    });
  }
}

/** What the node says contradicts itself or what the contracts can do. */
export class NodeLiesError extends MedSealError {
  readonly code = "ERR_NODE_LIES";

  constructor(what: string, hint = "use another node") {
    super(`the node's answers cannot all be true: ${what}`, { hint });
  }
}

/** The registry's state is not what its events lead to. */
export class StateDiffersError extends NodeLiesError {
  constructor() {
    const anvil =
      "anvil keeps slots of zero in its tries, so that none of its states fits: do without `attest` there, or use --ask-node";
    super("the registry's state is not what its events lead to", `use another node; ${anvil}`);
  }
}

/** A proof of the chain's state does not hold. */
export class StateProofError extends MedSealError {
  readonly code = "ERR_STATE_PROOF";

  constructor(what: string) {
    super(`the proof of the chain's state does not hold: ${what}`);
  }
}

/** A block that was final is no longer part of the chain. */
export class FinalityBrokenError extends MedSealError {
  readonly code = "ERR_FINALITY_BROKEN";

  constructor() {
    super("a final block is no longer part of the chain that the node shows", {
      hint: "a test chain was reset, or the node lies; to start over, remove the ledger file after you know which",
    });
  }
}

/** The transaction would revert, or has reverted. `reason` is the contract's custom error. */
export class ContractRefusedError extends MedSealError {
  readonly code = "ERR_CONTRACT_REFUSED";
  readonly reason: string;

  constructor(contract: string, reason: string, hint?: string, cause?: unknown) {
    super(`${contract} refused: ${reason}`, { ...(hint === undefined ? {} : { hint }), cause });
    this.reason = reason;
  }
}

/** The gateway's head on chain is not the one that the checkpoint follows: something else was anchored in between. */
export class HeadMovedError extends MedSealError {
  readonly code = "ERR_HEAD_MOVED";

  constructor() {
    super("the gateway's head on chain is not the one this checkpoint follows", {
      hint: "another process anchors for this gateway, or a backup was restored: read the chain again first",
    });
  }
}
