import { equal, fromHex, hex0x } from "../bytes/bytes.ts";
import { headAfter, FIRST_HEAD, type AnchoredCheckpoint } from "../chain/anchor.ts";
import { provenIntervals } from "../chain/consent-proof.ts";
import { provenContract, provenSlot, type ContractState } from "../chain/state-proof.ts";
import { headSlot } from "../chain/storage.ts";
import type { BlockHeader } from "../chain/rpc.ts";
import { consentId, type Consent, type Hex } from "../consent/consent.ts";
import { decodeConsent } from "../consent/encoding.ts";
import type { InForce } from "../consent/watch.ts";
import { MedSealError } from "../errors.ts";
import { leafHash, verifyInclusion } from "../log/merkle.ts";
import type { Bundle, BundledConsent, BundledGateway } from "./bundle.ts";

/** What whoever verifies knows from elsewhere. */
export interface TrustedChain {
  /** Of the block in whose state all is shown; without it the report rests on that block being part of the chain. */
  readonly blockHash?: Hex;
  readonly registryCode: Hex;
  readonly anchorCode: Hex;
}

export interface ShownConsent {
  readonly id: Hex;
  readonly consent: Consent;
  /** By the state of the block; undefined when that is not shown. */
  readonly inForce: readonly InForce[] | undefined;
}

/** A bundle contradicts itself, the block it rests on, or what the caller trusts: nothing in it can be relied on. */
export class EvidenceRefusedError extends MedSealError {
  readonly code = "ERR_EVIDENCE";

  constructor(what: string) {
    super(`the evidence does not hold: ${what}`);
  }
}

/** The consents in the state of the block, as far as it is shown. @throws as `verifyEvidence`. */
export function provenConsents(bundle: Bundle, block: BlockHeader, { registryCode }: TrustedChain): ShownConsent[] {
  const { registry, registryAccount, stream } = bundle;
  const state = registryAccount && contract(block, registry, registryAccount, registryCode, "ConsentRegistry");
  const ids = new Set<Hex>();
  return bundle.consents.map((one) => {
    const consent = decodeConsent(one.consent);
    const id = consentId(consent);
    if (ids.size === ids.add(id).size) throw new EvidenceRefusedError("a consent comes twice");
    if (!covers(one, consent, stream)) throw new EvidenceRefusedError("a consent is not over this stream");
    if ((one.state === undefined) !== (state === undefined))
      throw new EvidenceRefusedError("the state of some consents is shown, and of others not");
    if (!state || !one.state) return { id, consent, inForce: undefined };
    const inForce = provenIntervals(state, { grantor: consent.grantor, id }, one.state);
    if (!inForce) throw new EvidenceRefusedError("a consent was never granted");
    return { id, consent, inForce };
  });
}

function covers({ scope: { index, size, path } }: BundledConsent, { scope }: Consent, stream: Uint8Array): boolean {
  if (size === 1) return index === 0 && path.length === 0 && scope === hex0x(stream);
  return verifyInclusion(leafHash(stream), index, size, path, fromHex(scope));
}

function contract(
  block: BlockHeader,
  address: Uint8Array,
  nodes: Bundle["anchorAccount"],
  code: Hex,
  name: string,
): ContractState {
  const state = provenContract(block, hex0x(address), nodes);
  if (state.codeHash !== code) throw new EvidenceRefusedError(`the contract it names has other code than ${name}`);
  return state;
}

export interface History {
  readonly address: Uint8Array;
  readonly history: readonly AnchoredCheckpoint[];
}

/** The anchors of every gateway, which lead to its head in the state of the block. @throws as `verifyEvidence`. */
export function provenHistories(bundle: Bundle, block: BlockHeader, { anchorCode }: TrustedChain): History[] {
  const { storageRoot } = contract(block, bundle.anchor, bundle.anchorAccount, anchorCode, "RecordAnchor");
  const addresses = new Set(bundle.gateways.map(({ address }) => hex0x(address)));
  if (addresses.size < bundle.gateways.length) throw new EvidenceRefusedError("a gateway comes twice");
  return bundle.gateways.map((gateway) => {
    const history = historyOf(gateway, block);
    const head = provenSlot(storageRoot, headSlot(hex0x(gateway.address)), gateway.storage);
    if (!equal(fromHex(head), history.at(-1)?.head ?? FIRST_HEAD))
      throw new EvidenceRefusedError("the checkpoints of a gateway do not lead to its head");
    return { address: gateway.address, history };
  });
}

function historyOf({ checkpoints }: BundledGateway, last: BlockHeader): AnchoredCheckpoint[] {
  const history: AnchoredCheckpoint[] = [];
  for (const { block, time, ...anchor } of checkpoints) {
    const before = history.at(-1);
    if (block < (before?.block ?? 0) || time < (before?.time ?? 0) || block > last.number || time > last.timestamp)
      throw new EvidenceRefusedError("the times of the anchors are out of order");
    const head = headAfter(before?.head ?? FIRST_HEAD, anchor);
    // Which transaction it was is not shown.
    history.push({ ...anchor, index: history.length, head, block, time, transaction: "0x" });
  }
  return history;
}
