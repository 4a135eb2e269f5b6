import type { Now, Random } from "../bytes/random.ts";
import type { AskPermission } from "../chain/permission.ts";
import type { Hex } from "../consent/consent.ts";
import type { TypedSigner } from "../consent/sign.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import type { ReceiptBook } from "../disclosure/book.ts";
import type { Recipient } from "../envelope/envelope.ts";
import type { Release } from "../envelope/payload.ts";
import type { BlockStore } from "../ipfs/store.ts";
import type { SigningKeyPair } from "../keys/signature.ts";
import type { CheckpointPlace } from "../log/checkpoint.ts";
import type { HpkeKeyPair } from "../seal/hpke.ts";
import type { Rows } from "../state/rows.ts";
import type { Anchor } from "./anchor.ts";
import type { OldestOpen } from "./forget.ts";

/** What a gateway works with. */
export interface GatewayDeps {
  readonly address: Hex;
  readonly place: CheckpointPlace;
  readonly registry: RegistryAddress;
  readonly blocks: BlockStore;
  readonly anchor: Anchor;
  readonly watch: ConsentWatch;
  /** The registry's own answer, see `PermissionJudge`. */
  readonly ask: AskPermission;
  /** Where the journal lies; see `sqliteRows`. */
  readonly rows: Rows;
  readonly keys: GatewayKeys;
  /** Entries of every checkpoint, raised on a schedule; a function is asked at each. */
  readonly entries?: number | (() => number);
  /** What was acknowledged elsewhere and comes to be sealed yet, see `Feed`: keys that it needs are not forgotten. */
  readonly oldestWaiting?: OldestOpen;
  /** The access ledger; without one no receipts are kept. */
  readonly receipts?: ReceiptBook;
  /** The late box; without one, readings whose keys are forgotten are refused. */
  readonly late?: LateBox;
  readonly firmware?: number;
  /** Worker threads that hash and compress; none by default. What is sealed is the same. */
  readonly threads?: number;
  /** Seconds; see `LATENESS_BOUND`. */
  readonly latenessBound?: number;
  readonly random?: Random;
  readonly now?: Now;
}

/** How readings whose keys are forgotten get to the patient. */
export interface LateBox {
  /** With the gateway's own address. */
  readonly signer: TypedSigner;
  /** The patient whose lease it is, as the gateway knows them; undefined for a stranger. */
  readonly recipientOf: (lease: Release) => Recipient | undefined;
}

export interface GatewayKeys {
  readonly hpke: HpkeKeyPair;
  /** Signs the chunks of unsigned sources. */
  readonly signing: SigningKeyPair;
  /** 32 bytes, kept outside the journal, which is sealed under it; padding and the salts of imports follow from it too. */
  readonly secret: Uint8Array;
}

/** The same with what may be left open. */
export type Settled = GatewayDeps & Required<Pick<GatewayDeps, "firmware" | "latenessBound" | "random" | "now">>;
