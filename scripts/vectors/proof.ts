import { keccak256 } from "ethers";
import { compare, hex0x } from "../../src/bytes/bytes.ts";
import { proveChunk, type LeafProof } from "../../src/archive/proof.ts";
import { headAfter, innerHash } from "../../src/chain/anchor.ts";
import type { HeadProof } from "../../src/chain/head-proof.ts";
import { storageProof } from "../../src/chain/storage-root.ts";
import { headSlot } from "../../src/chain/storage.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { headerKey } from "../../src/keys/epoch.ts";
import { checkpointRoot, entryLeaf, type Entry } from "../../src/log/checkpoint.ts";
import { encodeObservation } from "../../src/log/leaf.ts";
import { inclusionProof } from "../../src/log/merkle.ts";
import { checkProof } from "../../src/proof/check.ts";
import { encodeProof } from "../../src/proof/format.ts";
import type { Proof, ReadingProof } from "../../src/proof/proof.ts";
import { messageKey } from "../../src/seal/seal.ts";
import { chunk, keys, sealed, spot } from "./batch.ts";
import { place } from "./samples.ts";
import { blockWith } from "./state.ts";
import { bad, draw, flip, good, type Suite } from "./suite.ts";

const CODE_HASH = hex0x(draw("code hash")(32));

/** A block whose state is RecordAnchor alone, with heads of this gateway and of others. */
function stateWith(head: Uint8Array): HeadProof {
  const slots = new Map<Hex, Hex>([[headSlot(hex0x(place.gateway)), hex0x(head)]]);
  for (const other of ["a", "b", "c", "d"])
    slots.set(headSlot(hex0x(draw(`gateway ${other}`)(20))), hex0x(draw(`head ${other}`)(32)));
  const { block, paths } = blockWith([{ address: place.anchor, codeHash: CODE_HASH, slots }]);
  return { block, account: paths[0] ?? [], storage: storageProof(slots, headSlot(hex0x(place.gateway))) };
}

/** The sealed sample batch among four other entries, one checkpoint before the head. */
function sampleProof(): Proof {
  const { block } = sealed();
  const others = ["one", "two", "three", "four"].map((label): Entry => {
    const [tag, header, batch] = ["tag", "header", "batch"].map((what) => draw(`${what} ${label}`)(32));
    return { tag, header, batch } as Entry;
  });
  const entries = [...others, block.entry].sort((a, b) => compare(a.tag, b.tag));
  const index = entries.indexOf(block.entry);
  const checkpoint = { root: checkpointRoot(entries), digest: draw("checkpoint digest")(32), size: entries.length };
  const later = { root: draw("later root")(32), digest: draw("later digest")(32), size: 8 };
  const headBefore = draw("head before")(32);
  const leaf = proveChunk(chunk)[3] as LeafProof;
  return {
    place: spot,
    header: block.header,
    headerKey: messageKey(headerKey(keys.audit), block.header),
    entry: {
      tag: block.entry.tag,
      batch: block.entry.batch,
      index,
      path: inclusionProof(entries.map(entryLeaf), index),
    },
    checkpoint: { ...checkpoint, headBefore, later: [innerHash(later)] },
    reading: {
      chunk: 0,
      index: leaf.index,
      salt: leaf.salt,
      observation: encodeObservation(leaf.observation),
      path: leaf.path,
    },
    state: stateWith(headAfter(headAfter(headBefore, checkpoint), later)),
  };
}

export function proofSuites(): Suite[] {
  const proof = sampleProof();
  const trusted = { blockHash: keccak256(proof.state.block) as Hex, codeHash: CODE_HASH };
  const inputs = (one: Proof | string, differs: object = {}): object => ({
    text: typeof one === "string" ? one : encodeProof(one),
    ...trusted,
    ...differs,
  });
  const reading = proof.reading as ReadingProof;
  const { entry, checkpoint, state } = proof;
  const { reading: _reading, ...alone } = proof;
  const text = encodeProof(proof);
  const other = hex0x(draw("another hash")(32));
  const cases = [
    good("one reading", inputs(proof), checkProof(proof, trusted)),
    good("one header", inputs(alone), checkProof(alone, trusted)),
    bad("white space", inputs(text.replace(",", ", ")), "ERR_MALFORMED"),
    bad("upper-case digits", inputs(text.replace(/"salt":"0x\w+"/, (salt) => salt.toUpperCase())), "ERR_MALFORMED"),
    bad("a member too many", inputs(text.replace('"version":1', '"version":1,"by":1')), "ERR_MALFORMED"),
    bad("another block than the given one", inputs(alone, { blockHash: other }), "ERR_PROOF"),
    bad("another contract", inputs(alone, { codeHash: other }), "ERR_PROOF"),
    bad("another index of the entry", inputs({ ...alone, entry: { ...entry, index: entry.index ^ 1 } }), "ERR_PROOF"),
    bad("another size", inputs({ ...alone, checkpoint: { ...checkpoint, size: 6 } }), "ERR_STATE_PROOF"),
    bad(
      "a node missing",
      inputs({ ...alone, state: { ...state, storage: state.storage.slice(1) } }),
      "ERR_STATE_PROOF",
    ),
    bad(
      "a node twice",
      inputs({ ...alone, state: { ...state, storage: [...state.storage, ...state.storage.slice(-1)] } }),
      "ERR_STATE_PROOF",
    ),
    bad("another header key", inputs({ ...alone, headerKey: flip(proof.headerKey, 0) }), "ERR_SEAL_COMMITMENT"),
    bad("another epoch", inputs({ ...alone, place: { ...spot, epoch: spot.epoch + 1 } }), "ERR_SEAL_COMMITMENT"),
    bad("another salt", inputs({ ...proof, reading: { ...reading, salt: flip(reading.salt, 0) } }), "ERR_PROOF"),
  ];
  return [{ format: "proof", section: 26, zstd: true, cases }];
}
