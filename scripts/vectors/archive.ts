import { compare, concat, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { FIRST_HEAD, headAfter, innerHash } from "../../src/chain/anchor.ts";
import { encodePinset } from "../../src/ipfs/pinset.ts";
import {
  checkpointRoot,
  encodeCheckpoint,
  entryBytes,
  entryLeaf,
  type Checkpoint,
  type Entry,
} from "../../src/log/checkpoint.ts";
import { emptyRow, mailRow } from "../../src/log/mail.ts";
import { inclusionProof } from "../../src/log/merkle.ts";
import { x25519PublicKey } from "../../src/seal/x25519.ts";
import { place } from "./samples.ts";
import { bad, damaged, draw, flip, good, type Suite } from "./suite.ts";

const entryAt = (i: number): Entry => {
  const number = new ByteWriter().uint(i, 4).finish();
  return {
    tag: concat(number, new Uint8Array(28)),
    header: sha256(number, Uint8Array.of(1)),
    batch: sha256(number, Uint8Array.of(2)),
  };
};
const viewSecret = draw("view key")(32);
const envelope = draw("envelope digest")(32);
const mine = mailRow(envelope, x25519PublicKey(viewSecret), draw("row"));
const foreign = emptyRow(draw("another envelope")(32), draw("foreign row"));

const checkpoint: Checkpoint = {
  ...place,
  index: 3,
  headBefore: draw("head")(32),
  previous: draw("checkpoint before")(32),
  entries: [0, 1, 2, 3].map(entryAt),
  mail: [mine, foreign],
  erased: [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2))].sort(compare),
};

function checkpointSuite(): Suite {
  const { block } = encodeCheckpoint(checkpoint);
  const paged = encodeCheckpoint({
    ...checkpoint,
    entries: Array.from({ length: 4097 }, (_, i) => entryAt(i)),
    mail: [],
    erased: [],
  });
  const inputs = (changed: Uint8Array): object => ({ block: changed });
  const swapped = block.slice();
  swapped.copyWithin(143, 143 + 96, 143 + 192);
  const mailAt = 143 + 4 * 96;
  const twiceErased = block.slice().copyWithin(block.length - 32, block.length - 64);
  const pagedEntries = Array.from({ length: 4097 }, (_, i) => entryAt(i));
  return {
    format: "checkpoint",
    section: 13,
    cases: [
      good("four entries", inputs(block), { ...checkpoint, size: 4, root: checkpointRoot(checkpoint.entries) }),
      good(
        "4,097 entries on two pages: entry i is i as u32 ‖ 28 zero bytes, SHA-256(i as u32 ‖ 01), SHA-256(i as u32 ‖ 02)",
        { ...place, index: 3, headBefore: checkpoint.headBefore, previous: checkpoint.previous, entries: 4097 },
        {
          pages: paged.pages.map((page) => sha256(page)),
          digest: sha256(paged.block),
          root: checkpointRoot(pagedEntries),
        },
      ),
      ...damaged(inputs, block),
      bad("no entries", inputs(block.with(142, 0)), "ERR_MALFORMED"),
      bad("more entries than bytes", inputs(block.with(141, 1)), "ERR_MALFORMED"),
      bad("the same entry twice", inputs(swapped), "ERR_MALFORMED"),
      bad("an erased digest twice", inputs(twiceErased), "ERR_MALFORMED"),
      bad("a mail row more than there is", inputs(block.with(mailAt + 1, 3)), "ERR_MALFORMED"),
      bad("more than 16,384 mail rows", inputs(block.with(mailAt, 0x40)), "ERR_MALFORMED"),
      bad("more than 4,194,304 entries", inputs(block.with(140, 0x40)), "ERR_MALFORMED"),
      bad("pages of entries that there are not", inputs(block.with(141, 0x10)), "ERR_MALFORMED"),
    ],
  };
}

/** The last page of a checkpoint, with three entries. */
function pageSuite(): Suite {
  const entries = [0, 1, 2].map(entryAt);
  const page = (of: readonly Entry[], count = of.length): Uint8Array =>
    new ByteWriter()
      .raw(utf8("medseal/page/1\n"))
      .uint(count, 4)
      .raw(concat(...of.map(entryBytes)))
      .finish();
  const inputs = (changed: Uint8Array): object => ({ block: changed, entries: 3 });
  const [a, b, c] = entries as [Entry, Entry, Entry];
  return {
    format: "page",
    section: 13,
    cases: [
      good("three entries", inputs(page(entries)), entries),
      ...damaged(inputs, page(entries)),
      bad("an entry less than the page has", inputs(page([a, b])), "ERR_MALFORMED"),
      bad("an entry more than the page has", inputs(page([a, b, c, entryAt(3)])), "ERR_MALFORMED"),
      bad("another count than its entries", inputs(page(entries, 4)), "ERR_MALFORMED"),
      bad("tags that do not ascend", inputs(page([a, c, b])), "ERR_MALFORMED"),
      bad("a tag twice", inputs(page([a, b, b])), "ERR_MALFORMED"),
    ],
  };
}

function entrySuite(): Suite {
  const entries = [0, 1, 2, 3, 4, 5, 6].map(entryAt);
  const leaves = entries.map(entryLeaf);
  const root = checkpointRoot(entries);
  const proof = (index: number): { entry: Entry; index: number; size: number; path: Uint8Array[] } => ({
    entry: entries[index] as Entry,
    index,
    size: entries.length,
    path: inclusionProof(leaves, index),
  });
  return {
    format: "entry-proof",
    section: 14,
    cases: [
      ...entries.map((_, index) => good(`entry ${index} of 7`, { proof: proof(index), root }, { valid: true })),
      good("another index", { proof: { ...proof(2), index: 3 }, root }, { valid: false }),
      good("another size", { proof: { ...proof(6), size: 8 }, root }, { valid: false }),
      good("a hash missing", { proof: { ...proof(2), path: proof(2).path.slice(1) }, root }, { valid: false }),
      good("a hash too many", { proof: { ...proof(2), path: [...proof(2).path, root] }, root }, { valid: false }),
      good("another entry", { proof: { ...proof(2), entry: entryAt(9) }, root }, { valid: false }),
      good("another root", { proof: proof(2), root: flip(root, 31) }, { valid: false }),
    ],
  };
}

function headSuite(): Suite {
  const checkpoints = [1, 2, 3].map((i) => ({
    root: draw(`root ${i}`)(32),
    digest: draw(`digest ${i}`)(32),
    size: 64 * i,
  }));
  const heads: Uint8Array[] = [];
  for (const next of checkpoints) heads.push(headAfter(heads.at(-1) ?? FIRST_HEAD, next));
  return {
    format: "head",
    section: 15,
    cases: [good("three checkpoints", { checkpoints }, { inners: checkpoints.map(innerHash), heads })],
  };
}

function mailSuite(): Suite {
  const viewKey = x25519PublicKey(viewSecret);
  const check = (row: object): object => ({ row, viewSecret });
  const smallOrder = new Uint8Array(32);
  return {
    format: "mail-row",
    section: 16,
    cases: [
      good("made from its secret", { envelope, viewKey, secret: draw("row")(32) }, mine),
      good("own", check(mine), { mine: true }),
      good("foreign", check(foreign), { mine: false }),
      good("another view tag", check({ ...mine, viewTag: mine.viewTag ^ 1 }), { mine: false }),
      good("another envelope", check({ ...mine, envelope: foreign.envelope }), { mine: false }),
      good("an ephemeral key of small order", check({ ...mine, ephemeral: smallOrder }), { mine: false }),
    ],
  };
}

function pinsetSuite(): Suite {
  const pinset = {
    checkpoint: draw("pinned")(32),
    blocks: ["a", "b", "c"].map((label) => draw(`pinned ${label}`)(32)).sort(compare),
  };
  const { bytes, cid } = encodePinset(pinset);
  const none = { checkpoint: pinset.checkpoint, blocks: [] };
  const inputs = (changed: Uint8Array): object => ({ block: changed });
  const turned = encodePinset(pinset).bytes;
  const changedText = (from: string, to: string): Uint8Array => {
    const at = Buffer.from(bytes).indexOf(from, 0, "latin1");
    return concat(bytes.subarray(0, at), utf8(to), bytes.subarray(at + from.length));
  };
  // The number of links in two bytes.
  const longer = concat(bytes.subarray(0, 7), Uint8Array.of(0x98, 3), bytes.subarray(8));
  // 1 map, 6 key, 1 array head; a link has 41 bytes.
  turned.copyWithin(8, 8 + 41, 8 + 82);
  return {
    format: "pinset",
    section: 17,
    cases: [
      good("three blocks", inputs(bytes), { ...pinset, cid: cid.toString() }),
      good("no other block", inputs(encodePinset(none).bytes), { ...none, cid: encodePinset(none).cid.toString() }),
      ...damaged(inputs, bytes),
      bad("a block twice", inputs(turned), "ERR_MALFORMED"),
      bad("another version", inputs(changedText("version\x01", "version\x02")), "ERR_MALFORMED"),
      bad("another format", inputs(changedText("-pinset", "-pinsit")), "ERR_MALFORMED"),
      bad("another key", inputs(changedText("elinks", "elinkz")), "ERR_MALFORMED"),
      bad("a link of another codec", inputs(bytes.with(bytes.indexOf(0x55), 0x70)), "ERR_MALFORMED"),
      bad("a length longer than it must be", inputs(longer), "ERR_MALFORMED"),
    ],
  };
}

export const archiveSuites = (): Suite[] => [
  checkpointSuite(),
  pageSuite(),
  entrySuite(),
  headSuite(),
  mailSuite(),
  pinsetSuite(),
];
