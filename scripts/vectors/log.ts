import { concat } from "../../src/bytes/bytes.ts";
import { deviceIdOf, sign } from "../../src/keys/signature.ts";
import { chunkRoot, itemDigest, statementDigest } from "../../src/log/chunk.ts";
import { encodeHeader, type Header } from "../../src/log/header.ts";
import { encodeObservation, leafSalts, observationLeaves } from "../../src/log/leaf.ts";
import { freshSigner, signStatement } from "../../src/log/signer.ts";
import { device, EPOCH, observations, START, stream } from "./samples.ts";
import { bad, damaged, draw, flip, good, type Suite } from "./suite.ts";

const seed = draw("chunk seed")(32);
const item = { stream: stream.id, epoch: EPOCH, count: observations.length, root: chunkRoot({ seed, observations }) };
const other = { ...item, epoch: EPOCH + 1, count: 1 };
const signer = freshSigner();
const first = signStatement(device, 7, signer, [item]);
const second = signStatement(device, 7, signer, [other, item]);

function observationSuite(): Suite {
  const bytes = observations.map(encodeObservation);
  const [one, , , , , , , withComparator, , , boolean] = bytes as [Uint8Array, ...Uint8Array[]];
  const withTime = (time: string): Uint8Array =>
    encodeObservation({ ...(observations[0] as (typeof observations)[0]), time });
  const inputs = (changed: Uint8Array): object => ({ bytes: changed });
  // Version, system of 16 letters, code of 6; and at the end status, kind, comparator and a decimal of two digits.
  const [flagAt, statusAt] = [1 + 2 + 16 + 2 + 6, one.length - 6];
  return {
    format: "observation",
    section: 9,
    cases: [
      ...observations.map((observation, i) => good(`${observation.value.kind} ${i}`, { bytes: bytes[i] }, observation)),
      ...damaged(inputs, one).map((at) => (at.name === "another name" ? { ...at, name: "another version" } : at)),
      bad(
        "unknown comparator",
        inputs((withComparator as Uint8Array).with(-4 + (withComparator as Uint8Array).length - 1, 5)),
        "ERR_MALFORMED",
      ),
      bad(
        "a boolean of 2",
        inputs((boolean as Uint8Array).with((boolean as Uint8Array).length - 1, 2)),
        "ERR_MALFORMED",
      ),
      ...["2026-02-30T00:00:00Z", "2026-02-01T24:00:00Z", "2026-02-01T00:00:60Z", "2026-02-01T00:00:00z"].map((time) =>
        bad(`time ${time}`, inputs(withTime(time)), "ERR_MALFORMED"),
      ),
      ...["2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-02-01T00:00:00+14:01", "2026-02-01T00:00:00+01:60"].map(
        (time) => bad(`time ${time}`, inputs(withTime(time)), "ERR_MALFORMED"),
      ),
      ...[
        "2026-02-01T00:00:00",
        "2026-02-01 00:00:00Z",
        "2026-02-01T00:00:00.Z",
        "2026-02-01T00:00:00.1234567890Z",
      ].map((time) => bad(`time ${time}`, inputs(withTime(time)), "ERR_MALFORMED")),
      bad("text that is not UTF-8", inputs(one.with(4, 0xff)), "ERR_MALFORMED"),
      bad("an overlong form of UTF-8", inputs(one.with(4, 0xc0).with(5, 0xaf)), "ERR_MALFORMED"),
      bad("a surrogate in UTF-8", inputs(one.with(4, 0xed).with(5, 0xa0).with(6, 0x80)), "ERR_MALFORMED"),
      bad("a flag of 2", inputs(one.with(flagAt, 2)), "ERR_MALFORMED"),
      bad("an unknown status", inputs(one.with(statusAt, 5)), "ERR_MALFORMED"),
      bad("an unknown kind of value", inputs(one.with(statusAt + 1, 4)), "ERR_MALFORMED"),
      bad("a text longer than the rest", inputs(one.with(one.length - 3, 3)), "ERR_MALFORMED"),
    ],
  };
}

function chunkSuite(): Suite {
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const s = BigInt("0x" + Buffer.from(first.signature.subarray(32)).toString("hex"));
  const highS = concat(first.signature.subarray(0, 32), Buffer.from((n - s).toString(16).padStart(64, "0"), "hex"));
  const check = (statement: object, index: number, of: object): object => ({ statement, index, item: of });
  return {
    format: "chunk",
    section: 10,
    cases: [
      good(
        "leaves",
        { seed, observations: observations.map(encodeObservation) },
        { salts: leafSalts(seed, observations.length), leaves: observationLeaves(seed, observations), root: item.root },
      ),
      good("item", { item }, { digest: itemDigest(item) }),
      good(
        "statement of one item",
        { statement: first },
        { deviceId: deviceIdOf(device.publicKey), digest: statementDigest(first) },
      ),
      good(
        "statement of two items",
        { statement: second },
        { deviceId: deviceIdOf(device.publicKey), digest: statementDigest(second) },
      ),
      good(
        "signature by private key",
        { privateKey: device.privateKey, digest: statementDigest(first) },
        { signature: sign(device.privateKey, statementDigest(first)) },
      ),
      good("covered", check(first, 0, item), { valid: true }),
      good("covered as second item", check(second, 1, item), { valid: true }),
      good("not at this index", check(second, 0, item), { valid: false }),
      good("another root", check(first, 0, { ...item, root: flip(item.root, 0) }), { valid: false }),
      good("another count", check(first, 0, { ...item, count: item.count + 1 }), { valid: false }),
      good("another counter", check({ ...first, counter: 1n }, 0, item), { valid: false }),
      good("altered signature", check({ ...first, signature: flip(first.signature, 5) }, 0, item), { valid: false }),
      good("s in the upper half", check({ ...first, signature: highS }, 0, item), { valid: false }),
    ],
  };
}

const header: Header = {
  stream: stream.id,
  generation: 1,
  epoch: EPOCH,
  n: 2,
  sequence: 5,
  previous: draw("previous header")(32),
  continues: new Uint8Array(32),
  last: true,
  late: false,
  earliest: START,
  latest: START + 7,
  batch: draw("batch digest")(32),
  chunks: [first, second].map((statement, index) => ({
    statement,
    index,
    count: item.count,
    missing: 1,
    root: item.root,
  })),
};

function headerSuite(): Suite {
  const bytes = encodeHeader(header);
  const idle: Header = {
    ...header,
    n: 0,
    sequence: 0,
    previous: new Uint8Array(32),
    continues: draw("before")(32),
    earliest: 0,
    latest: 0,
    chunks: [],
  };
  const inputs = (changed: Uint8Array): object => ({ bytes: changed });
  return {
    format: "header",
    section: 12,
    cases: [
      good("two chunks", inputs(bytes), header),
      good("an idle epoch, the first of a generation", inputs(encodeHeader(idle)), idle),
      ...damaged(inputs, bytes),
      bad("an unknown flag", inputs(bytes.with(131, 4)), "ERR_MALFORMED"),
      bad(
        "the first header, with one before it",
        inputs(encodeHeader({ ...idle, previous: header.previous })),
        "ERR_MALFORMED",
      ),
      bad("a chunk more than there is", inputs(bytes.with(176, 3)), "ERR_MALFORMED"),
      bad("a chunk less than there is", inputs(bytes.with(176, 1)), "ERR_MALFORMED"),
      bad("a statement with an item more than there is", inputs(bytes.with(177 + 77, 2)), "ERR_MALFORMED"),
      bad("continues a generation, and is not its first header", inputs(bytes.with(99, 1)), "ERR_MALFORMED"),
      bad("a statement without items", inputs(bytes.with(177 + 77, 0)), "ERR_MALFORMED"),
      bad("a statement of 17 items", inputs(bytes.with(177 + 77, 17)), "ERR_MALFORMED"),
      bad("an index outside its statement", inputs(bytes.with(177 + 110, 1)), "ERR_MALFORMED"),
      bad("more missing than leaves", inputs(bytes.with(177 + 118, 255)), "ERR_MALFORMED"),
    ],
  };
}

export const logSuites = (): Suite[] => [observationSuite(), chunkSuite(), headerSuite()];
