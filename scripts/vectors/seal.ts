import { concat, utf8 } from "../../src/bytes/bytes.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { coverOf, encodeCover, epochKey, puncture, type Cover } from "../../src/keys/cover.ts";
import { batchKey, headerKey, tagOf } from "../../src/keys/epoch.ts";
import { encodeContext } from "../../src/seal/context.ts";
import { pad } from "../../src/seal/padding.ts";
import { sealWithPassphrase } from "../../src/seal/passphrase.ts";
import { messageKey, seal } from "../../src/seal/seal.ts";
import { EPOCH, place, stream } from "./samples.ts";
import { bad, damaged, draw, flip, good, type Suite } from "./suite.ts";

const root = draw("tree root")(32);

function coverSuite(): Suite {
  const window = { from: EPOCH + 1, to: EPOCH + 11 };
  const cover = coverOf(root, window.from, window.to);
  const bytes = encodeCover(cover);
  const hole = puncture(cover, EPOCH + 4, EPOCH + 5);
  const widest = coverOf(root, 1, 2 ** 32 - 1);
  const inputs = (changed: Uint8Array): object => ({ bytes: changed });
  const raw = (...nodes: Cover): Uint8Array => {
    const writer = new ByteWriter().raw(utf8("medseal/cover/1\n")).uint(nodes.length, 2);
    for (const { level, first, key } of nodes) writer.uint(level, 1).uint(first, 4).raw(key);
    return writer.finish();
  };
  const node = (level: number, first: number): Cover[0] => ({ level, first, key: draw("node")(32) });
  return {
    format: "cover",
    section: 5,
    cases: [
      good("ten epochs out of a root", { root, ...window, bytes }, cover),
      good("punctured", inputs(encodeCover(hole)), hole),
      good(
        "of one epoch",
        { root, from: EPOCH, to: EPOCH + 1, bytes: encodeCover(coverOf(root, EPOCH, EPOCH + 1)) },
        coverOf(root, EPOCH, EPOCH + 1),
      ),
      good(
        "the most nodes that one window takes",
        { root, from: 1, to: 2 ** 32 - 1, bytes: encodeCover(widest) },
        widest,
      ),
      good("empty", inputs(encodeCover([])), []),
      good("an epoch's key", { bytes, epoch: EPOCH + 5 }, epochKey(cover, EPOCH + 5)),
      bad("an epoch outside", { bytes, epoch: EPOCH }, "ERR_OUTSIDE_COVER"),
      bad("the punctured epoch", { bytes: encodeCover(hole), epoch: EPOCH + 4 }, "ERR_OUTSIDE_COVER"),
      ...damaged(inputs, bytes),
      bad("a level above 32", inputs(raw(node(33, 0))), "ERR_MALFORMED"),
      bad("a first epoch off its level", inputs(raw(node(31, 1))), "ERR_MALFORMED"),
      bad("nodes out of order", inputs(raw(node(32, 7), node(32, 5))), "ERR_MALFORMED"),
      bad("a node inside another", inputs(raw(node(31, 6), node(32, 7))), "ERR_MALFORMED"),
      bad("two siblings for their parent", inputs(raw(node(32, 6), node(32, 7))), "ERR_MALFORMED"),
    ],
  };
}

function epochSuite(): Suite {
  const [data, audit] = [draw("data epoch key")(32), draw("audit epoch key")(32)];
  return {
    format: "epoch-keys",
    section: 6,
    cases: [0, 1, 2 ** 32 - 1].map((n) =>
      good(
        `n = ${n}`,
        { data, audit, n },
        { batchKey: batchKey(data), headerKey: headerKey(audit), tag: tagOf(audit, n) },
      ),
    ),
  };
}

function sealSuite(): Suite {
  const key = draw("seal key")(32);
  const spot = { ...place, stream: stream.id, generation: 1, epoch: EPOCH, n: 2, kind: "batch" } as const;
  const context = encodeContext(spot);
  const content = utf8("Every stored format begins with its name.");
  const block = seal(key, context, pad(content, [256]));
  const inputs = (changed: Uint8Array): object => ({ key, context, block: changed });
  const unpadded = (padded: Uint8Array): object => inputs(seal(key, context, padded));
  return {
    format: "seal",
    section: 7,
    cases: [
      good("context", { place: spot }, { context }),
      good(
        "context of a header",
        { place: { ...spot, kind: "header" } },
        { context: encodeContext({ ...spot, kind: "header" }) },
      ),
      good("padded to 256 bytes", inputs(block), { content, messageKey: messageKey(key, block) }),
      good("nothing inside", unpadded(new Uint8Array(4)), { content: new Uint8Array(0) }),
      bad("another key", { key: flip(key, 0), context, block }, "ERR_SEAL_COMMITMENT"),
      bad("another context", { key, context: flip(context, 103), block }, "ERR_SEAL_COMMITMENT"),
      bad("salt altered", inputs(flip(block, 0)), "ERR_SEAL_COMMITMENT"),
      bad("commitment altered", inputs(flip(block, 63)), "ERR_SEAL_COMMITMENT"),
      bad("ciphertext altered", inputs(flip(block, 64)), "ERR_SEAL_ALTERED"),
      bad("GCM tag altered", inputs(flip(block, -1)), "ERR_SEAL_ALTERED"),
      bad("cut", inputs(block.slice(0, -1)), "ERR_SEAL_ALTERED"),
      bad("too short", inputs(block.slice(0, 79)), "ERR_MALFORMED"),
      bad(
        "padding: length beyond the end",
        unpadded(concat(Uint8Array.of(0, 0, 0, 9), content.slice(0, 8))),
        "ERR_MALFORMED",
      ),
      bad("padding: not zero", unpadded(Uint8Array.of(0, 0, 0, 1, 65, 0, 1)), "ERR_MALFORMED"),
      bad("padding: no length", unpadded(Uint8Array.of(0, 0, 0)), "ERR_MALFORMED"),
    ],
  };
}

async function passphraseSuite(): Promise<Suite> {
  const passphrase = "Zu\u0308rich, correct horse";
  const purpose = "medseal/patient/1";
  const content = utf8('{"format":"medseal/patient/1"}');
  const file = await sealWithPassphrase(passphrase, purpose, content, {
    cost: { logN: 10, r: 2, p: 1 },
    bytes: draw("passphrase salt"),
  });
  const inputs = (changed: Uint8Array): object => ({ passphrase, purpose, file: changed });
  const costAt = 21 + 1 + purpose.length;
  return {
    format: "passphrase",
    section: 23,
    cases: [
      good("decomposed accents", inputs(file), content),
      good("composed accents", { passphrase: passphrase.normalize("NFC"), purpose, file }, content),
      bad("another passphrase", { passphrase: "Zurich, correct horse", purpose, file }, "ERR_PASSPHRASE"),
      bad("another purpose", { passphrase, purpose: "medseal/gateway/1", file }, "ERR_MALFORMED"),
      bad("another name", inputs(flip(file, 0)), "ERR_MALFORMED"),
      bad("a cost out of bounds", inputs(file.with(costAt, 21)), "ERR_MALFORMED"),
      bad("more than 256 MiB", inputs(file.with(costAt, 20).with(costAt + 1, 3)), "ERR_MALFORMED"),
      bad("salt altered", inputs(flip(file, costAt + 3)), "ERR_PASSPHRASE"),
      bad("content altered", inputs(flip(file, -1)), "ERR_SEAL_ALTERED"),
      bad("nothing behind the salt", inputs(file.slice(0, costAt + 35)), "ERR_MALFORMED"),
    ],
  };
}

export const sealSuites = async (): Promise<Suite[]> => [
  coverSuite(),
  epochSuite(),
  sealSuite(),
  await passphraseSuite(),
];
