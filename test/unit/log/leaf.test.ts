import { createCipheriv, createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { MalformedError } from "../../../src/errors.ts";
import { proveChunk, verifyLeaf } from "../../../src/archive/proof.ts";
import { chunkRoot, itemDigest, statementDigest, verifyStatement } from "../../../src/log/chunk.ts";
import {
  decodeObservation,
  encodeObservation,
  leafSalts,
  observationLeaf,
  observationLeaves,
} from "../../../src/log/leaf.ts";
import { freshSigner, signStatement } from "../../../src/log/signer.ts";
import { generateSigningKey } from "../../../src/keys/signature.ts";
import type { Observation } from "../../../src/observation/observation.ts";
import { anyChannel, fixedBytes, observationOf } from "./arbitrary.ts";

const SEED = new Uint8Array(32).fill(9);
const anyObservation = observationOf(anyChannel);
const channels = fc.sample(anyChannel, { numRuns: 3, seed: 2 });

describe("an observation's bytes", () => {
  it("come back as the observation", () => {
    fc.assert(
      fc.property(anyObservation, (observation) => {
        expect(decodeObservation(encodeObservation(observation))).to.deep.equal(observation);
      }),
      { numRuns: 1000 },
    );
  });

  it("are refused when the effective time is no instant", () => {
    const [observation] = fc.sample(anyObservation, { numRuns: 1, seed: 1 }) as [Observation];
    for (const time of ["", "now", "2026-02-30T00:00:00Z", "2026-02-01T00:00:00", "2026-02-01T00:00:00+14:01"])
      expect(() => decodeObservation(encodeObservation({ ...observation, time })), time).to.throw(MalformedError);
  });
});

describe("a leaf", () => {
  it("has a salt of the AES-256-CTR keystream under the seed", () => {
    const ecb = (block: number): string => {
      const cipher = createCipheriv("aes-256-ecb", SEED, null).setAutoPadding(false);
      const counter = Buffer.alloc(16);
      counter.writeUInt32BE(block, 12);
      return cipher.update(counter).toString("hex");
    };
    expect(leafSalts(SEED, 300).map(hex)).to.deep.equal(Array.from({ length: 300 }, (_, i) => ecb(i)));
  });

  it("is SHA-256 of a zero byte, salt and observation", () => {
    fc.assert(
      fc.property(anyObservation, fixedBytes(16), (observation, salt) => {
        const expected = createHash("sha256")
          .update(Uint8Array.of(0))
          .update(salt)
          .update(encodeObservation(observation));
        expect(hex(observationLeaf(salt, observation))).to.equal(expected.digest("hex"));
      }),
      { numRuns: 100 },
    );
  });

  it("is the same among others of its channel, of one minute or another", () => {
    const time = fc
      .tuple(fc.constantFrom("00", "01"), fc.nat({ max: 59 }), fc.constantFrom("Z", ".5Z", "+01:00", "é"))
      .map(([minute, second, end]) => `2026-02-01T00:${minute}:${String(second).padStart(2, "0")}${end}`);
    const strange = fc.constantFrom("", "5", "2026-02-01T00:00:0éZ", "2026-02-01T00:00:0", "2é26-02-01T00:00:00Z");
    const timed = fc
      .tuple(observationOf(fc.constantFrom(...channels)), fc.oneof({ weight: 9, arbitrary: time }, strange))
      .map(([observation, time]) => ({ ...observation, time }));
    fc.assert(
      fc.property(fc.array(timed, { maxLength: 80 }), (observations) => {
        const salts = leafSalts(SEED, observations.length);
        const alone = observations.map((one, i) => hex(observationLeaf(salts[i] as Uint8Array, one)));
        expect(observationLeaves(SEED, observations).map(hex)).to.deep.equal(alone);
      }),
      { numRuns: 300 },
    );
  });

  it("is provable for every reading of a chunk, and for no other place or reading", () => {
    const chunks = fc.array(anyObservation, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(chunks, fixedBytes(32), fc.nat(), (observations, seed, at) => {
        const chunk = { seed, clock: { kind: "source" as const }, observations };
        const [root, proofs] = [chunkRoot(chunk), proveChunk(chunk)];
        expect(proofs.every((proof) => verifyLeaf(proof, root))).to.equal(true);
        const proof = proofs[at % proofs.length] as (typeof proofs)[0];
        expect(verifyLeaf({ ...proof, index: proof.index + 1 }, root)).to.equal(false);
        expect(verifyLeaf({ ...proof, salt: proof.salt.with(0, (proof.salt[0] as number) ^ 1) }, root)).to.equal(false);
        const time =
          proof.observation.time === "2026-02-01T00:00:00Z" ? "2026-02-01T00:00:01Z" : "2026-02-01T00:00:00Z";
        expect(verifyLeaf({ ...proof, observation: { ...proof.observation, time } }, root)).to.equal(false);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a statement", () => {
  const key = generateSigningKey((size) => new Uint8Array(size).fill(7));
  const item = { stream: new Uint8Array(32).fill(1), epoch: 2, count: 3, root: new Uint8Array(32).fill(4) };

  it("follows on the one before", () => {
    const state = freshSigner();
    const first = signStatement(key, 1, state, [item]);
    const second = signStatement(key, 1, state, [item]);
    expect(hex(first.previous)).to.equal("00".repeat(32));
    expect(hex(second.previous)).to.equal(hex(statementDigest(first)));
    expect([first.counter, second.counter, state.counter]).to.deep.equal([0n, 1n, 2n]);
  });

  it("covers its items and nothing else, and every field is signed", () => {
    const statement = signStatement(key, 1, freshSigner(), [item, { ...item, epoch: 3 }]);
    expect(verifyStatement(statement, 0, item)).to.equal(true);
    expect(verifyStatement(statement, 1, item)).to.equal(false);
    expect(verifyStatement(statement, 2, item)).to.equal(false);
    for (const other of [
      { ...item, stream: new Uint8Array(32) },
      { ...item, epoch: 9 },
      { ...item, count: 4 },
      { ...item, root: new Uint8Array(32) },
    ])
      expect(verifyStatement(statement, 0, other)).to.equal(false);
    const otherKey = generateSigningKey((size) => new Uint8Array(size).fill(8)).publicKey;
    for (const other of [
      { ...statement, firmware: 2 },
      { ...statement, counter: 1n },
      { ...statement, previous: new Uint8Array(32).fill(1) },
      { ...statement, deviceKey: otherKey },
      { ...statement, items: statement.items.slice(0, 1) },
      { ...statement, items: [...statement.items, itemDigest(item)] },
    ])
      expect(verifyStatement(other, 0, item)).to.equal(false);
  });

  it("has a digest that begins with its label", () => {
    const statement = signStatement(key, 1, freshSigner(), []);
    expect(hex(statementDigest(statement))).to.not.equal(hex(statementDigest({ ...statement, firmware: 2 })));
    const label = utf8("medseal/v1/item");
    const fields = Buffer.concat([label, item.stream, Buffer.from("0000000200000003", "hex"), item.root]);
    expect(hex(itemDigest(item))).to.equal(createHash("sha256").update(fields).digest("hex"));
  });
});
