import { expect } from "chai";
import fc from "fast-check";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { ByteWriter } from "../../../src/bytes/writer.ts";
import { MedSealError } from "../../../src/errors.ts";
import { decodeBatch, encodeBatch, factsOfBatch, type RowFacts } from "../../../src/log/batch.ts";
import { chunkRoot, type Chunk } from "../../../src/log/chunk.ts";
import { compress, decompress } from "../../../src/log/zstd.ts";
import { parseInstant } from "../../../src/observation/instant.ts";
import { anyChunks, BASE } from "./arbitrary.ts";
import { dice, mutate } from "./mutate.ts";

/** By way of the readings themselves. */
function factsOf(chunks: readonly Chunk[]): RowFacts[] {
  return chunks.map((chunk) => {
    const seconds = chunk.observations.map(({ time }) => parseInstant(time)!.seconds);
    return {
      count: chunk.observations.length,
      missing: chunk.observations.filter(({ value }) => value.kind === "missing").length,
      root: chunkRoot(chunk),
      earliest: Math.min(Infinity, ...seconds),
      latest: Math.max(0, ...seconds),
    };
  });
}

const plainOf = (batch: Uint8Array): Uint8Array =>
  decompress(batch.slice(25), new DataView(batch.buffer, batch.byteOffset).getUint32(17))!;
const packed = (plain: Uint8Array): Uint8Array =>
  new ByteWriter().raw(utf8("medseal/batch/1\n")).uint(1, 1).uint(plain.length, 4).sized(compress(plain), 4).finish();

/** What came of it: the words of a refusal, or the content. */
function outcome<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof MedSealError) return error.message;
    throw error;
  }
}

describe("what is checked of a batch without its readings", () => {
  it("is what its readings have, whatever their values, times, clocks and channels", () => {
    fc.assert(
      fc.property(anyChunks, (chunks) => {
        expect(factsOfBatch(encodeBatch(chunks, BASE), BASE)).to.deep.equal(factsOf(chunks));
      }),
      { numRuns: 300 },
    );
  });

  it("is refused where the readings are, and in the same words", () => {
    const seed = "rows";
    const roll = dice(seed);
    console.log(`      seed ${seed}`);
    let [refused, read] = [0, 0];
    for (const chunks of fc.sample(anyChunks, { numRuns: 30, seed: 7 })) {
      const plain = plainOf(encodeBatch(chunks, BASE));
      for (let i = 0; i < 30; i++) {
        const bytes = packed(mutate(plain, roll));
        const decoded = outcome(() => decodeBatch(bytes, BASE));
        const facts = outcome(() => factsOfBatch(bytes, BASE));
        if (typeof decoded === "string") refused += 1;
        else read += 1;
        expect(facts, hex(bytes)).to.deep.equal(typeof decoded === "string" ? decoded : factsOf(decoded));
      }
    }
    expect(refused).to.be.greaterThan(100);
    expect(read).to.be.greaterThan(10);
  });
});
