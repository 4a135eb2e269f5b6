import { concat, keccak256, toBeHex, ZeroHash } from "ethers";
import { fromHex, hex0x } from "../../../src/bytes/bytes.ts";
import { anchorInterface } from "../../../src/chain/contracts.ts";
import { storageRoot } from "../../../src/chain/storage-root.ts";
import { word } from "../../../src/chain/storage.ts";
import type { Hex } from "../../../src/consent/consent.ts";
import { inclusionProof, leafHash, merkleRoot } from "../../../src/log/merkle.ts";
import { AnchorModel, inner, type AnchorOutcome, type Checkpoint } from "../model.ts";
import type { CampaignChain } from "./chain.ts";
import type { Draw } from "./draw.ts";
import { meet, type Report } from "./report.ts";

const GATEWAYS = 3;
/** Checkpoints whose entries are kept, so that they can be shown later. */
const KEPT = 20;

/** An entry that was anchored and must be shown at every later head. */
interface Kept {
  readonly gateway: string;
  /** Number of checkpoints before its own. */
  readonly place: number;
  readonly checkpoint: Checkpoint;
  readonly leaves: readonly Uint8Array[];
  readonly entries: readonly (readonly [tag: string, header: string, batch: string])[];
}

/** RecordAnchor among gateways that retry, fork and mistake each other's heads. */
export class AnchorSide {
  readonly model = new AnchorModel();
  readonly #chain: CampaignChain;
  readonly #draw: Draw;
  readonly #report: Report;
  readonly #say: (invariant: number, what: string) => void;
  readonly #gateways: readonly string[];
  readonly #sent: { readonly gateway: string; readonly checkpoint: Checkpoint; readonly expectedHead: string }[] = [];
  readonly #kept: Kept[] = [];

  private constructor(
    chain: CampaignChain,
    draw: Draw,
    report: Report,
    say: (invariant: number, what: string) => void,
    gateways: readonly string[],
  ) {
    this.#chain = chain;
    this.#draw = draw;
    this.#report = report;
    this.#say = say;
    this.#gateways = gateways;
  }

  static async open(
    chain: CampaignChain,
    draw: Draw,
    report: Report,
    say: (invariant: number, what: string) => void,
  ): Promise<AnchorSide> {
    const accounts = await chain.request<string[]>("eth_accounts");
    return new AnchorSide(chain, draw, report, say, accounts.slice(-GATEWAYS));
  }

  async anchor(): Promise<void> {
    const gateway = this.#draw.of(this.#gateways);
    const { checkpoint, ...rest } = this.#checkpoint();
    const expectedHead = this.#draw.act([
      [8, () => this.model.headOf(gateway)],
      [1, () => this.#draw.of(this.model.headsOf(gateway))],
      [1, () => this.model.headOf(this.#draw.of(this.#gateways))],
      [1, () => this.#draw.of([ZeroHash, this.#draw.word()])],
    ])();
    const place = this.model.checkpointsOf(gateway).length;
    const outcome = await this.#send(gateway, checkpoint, expectedHead);
    this.#sent.push({ gateway, checkpoint, expectedHead });
    if (this.#sent.length > KEPT) this.#sent.shift();
    if (outcome === "CheckpointAnchored") this.#kept.push({ gateway, place, checkpoint, ...rest });
    if (this.#kept.length > KEPT) this.#kept.splice(this.#draw.below(KEPT), 1);
  }

  /** A transaction sent once more, by its gateway or by another. */
  async again(): Promise<void> {
    if (this.#sent.length === 0) return this.anchor();
    const { gateway, checkpoint, expectedHead } = this.#draw.of(this.#sent);
    const sender = this.#draw.chance(0.8) ? gateway : this.#draw.of(this.#gateways);
    const outcome = await this.#send(sender, checkpoint, expectedHead);
    if (sender === gateway && outcome === "CheckpointAnchored") this.#say(17, "a retried transaction anchored again");
  }

  /** Shows one kept entry at the present head, then the same elsewhere. */
  async show(): Promise<void> {
    if (this.#kept.length === 0) return;
    const kept = this.#draw.of(this.#kept);
    const index = this.#draw.below(kept.entries.length);
    const other = this.#gateways.find((gateway) => gateway !== kept.gateway) ?? "";
    if (!(await this.#verifies(kept.gateway, kept, index, index))) this.#say(19, "an anchored entry is not shown");
    // Who repeats all that another has anchored has anchored it, too.
    const shared = this.model.headOf(other) === this.model.headOf(kept.gateway);
    if ((await this.#verifies(other, kept, index, index)) !== shared) {
      this.#say(
        19,
        shared ? "what another has anchored, too, is not shown" : "an entry is shown under another gateway",
      );
    }
    if (await this.#verifies(kept.gateway, kept, index, index + 1)) this.#say(19, "an entry is shown at another index");
    meet(this.#report, "shown");
  }

  async whole(): Promise<void> {
    const slots = new Map<Hex, Hex>();
    for (const gateway of this.#gateways) {
      const heads = this.model.headsOf(gateway);
      if (new Set(heads).size !== heads.length) this.#say(17, "a head came back");
      const folded = this.model
        .checkpointsOf(gateway)
        .reduce((head, checkpoint) => keccak256(concat([head, inner(checkpoint)])), ZeroHash);
      const slot = keccak256(concat([toBeHex(gateway, 32), word(0)])) as Hex;
      if ((await this.#chain.slot(this.#chain.anchor, slot)) !== folded) this.#say(18, "the head is not the fold");
      slots.set(slot, folded as Hex);
    }
    if ((await this.#chain.storageHash(this.#chain.anchor)) !== storageRoot(slots)) this.#say(16, "storage differs");
  }

  async #send(gateway: string, checkpoint: Checkpoint, expectedHead: string): Promise<AnchorOutcome> {
    const { root, digest, size } = checkpoint;
    const data = anchorInterface.encodeFunctionData("anchor", [root, digest, size, expectedHead]);
    const sent = await this.#chain.send(gateway, this.#chain.anchor, data);
    const outcome = this.model.anchor(gateway, checkpoint, expectedHead);
    const anchored = outcome === "CheckpointAnchored";
    if (sent.refusal !== (anchored ? undefined : outcome)) this.#say(16, `${sent.refusal}, not ${outcome}`);
    const { topics, data: body } = anchorInterface.encodeEventLog("CheckpointAnchored", [
      gateway,
      root,
      digest,
      size,
      this.model.headOf(gateway),
    ]);
    const expected = anchored ? [...topics, body].join() : "";
    if (sent.logs.map((log) => [...log.topics, log.data].join()).join("|") !== expected) this.#say(9, "events differ");
    for (const each of [gateway, this.#draw.of(this.#gateways)]) {
      const head = anchorInterface.encodeFunctionData("headOf", [each]);
      if ((await this.#chain.view(this.#chain.anchor, head)) !== this.model.headOf(each)) {
        this.#say(16, "a head moved that should not have, or did not");
      }
    }
    this.#report.modelSteps++;
    meet(this.#report, outcome);
    return outcome;
  }

  #checkpoint() {
    const size = this.#draw.below(6);
    const entries = Array.from(
      { length: size },
      () => [this.#draw.word(), this.#draw.word(), this.#draw.word()] as const,
    );
    const leaves = entries.map((entry) => leafHash(fromHex(concat(entry))));
    const root = size === 0 ? ZeroHash : hex0x(merkleRoot(leaves));
    return { entries, leaves, checkpoint: { root, digest: this.#draw.word(), size } };
  }

  async #verifies(
    gateway: string,
    { checkpoint, place, entries, leaves, ...kept }: Kept,
    index: number,
    shown: number,
  ) {
    const [tag = ZeroHash, headerDigest = ZeroHash, batchDigest = ZeroHash] = entries[index] ?? [];
    const inclusion = {
      ...{ tag, headerDigest, batchDigest, index: shown, size: checkpoint.size },
      proof: inclusionProof(leaves, index).map(hex0x),
      root: checkpoint.root,
      checkpointDigest: checkpoint.digest,
      headBefore: this.model.headsOf(kept.gateway)[place] ?? ZeroHash,
      laterInners: this.model
        .checkpointsOf(kept.gateway)
        .slice(place + 1)
        .map(inner),
    };
    const data = anchorInterface.encodeFunctionData("verifyInclusion", [gateway, inclusion]);
    return BigInt(await this.#chain.view(this.#chain.anchor, data)) === 1n;
  }
}
