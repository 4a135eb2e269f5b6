import { encodeLetter, type LateLetter } from "../../src/late/letter.ts";
import { writeFiled } from "../../src/late/filed.ts";
import { encodeBatch } from "../../src/log/batch.ts";
import { chunkRoot, type Chunk } from "../../src/log/chunk.ts";
import { freshSigner, signStatement } from "../../src/log/signer.ts";
import { chunk as whole, sealed } from "./batch.ts";
import { device, EPOCH, LENGTH, START, stream } from "./samples.ts";
import { bad, damaged, draw, flip, good, type Suite } from "./suite.ts";

const first: Chunk = { ...whole, observations: whole.observations.slice(0, 3) };
const second: Chunk = {
  ...first,
  seed: draw("late seed")(32),
  observations: first.observations.slice(0, 1).map((row) => ({ ...row, time: "2026-02-01T02:00:00Z" })),
};
const parts = [
  { epoch: EPOCH, chunk: first },
  { epoch: EPOCH + 2, chunk: second },
];

function letterOf(chunks: typeof parts): LateLetter {
  const items = chunks.map(({ epoch, chunk }) => ({
    stream: stream.id,
    epoch,
    count: chunk.observations.length,
    root: chunkRoot(chunk),
  }));
  const statement = signStatement(device, 7, freshSigner(), items);
  const encoded = chunks.map(({ epoch, chunk }) => ({ epoch, encoded: encodeBatch([chunk], epoch * LENGTH) }));
  return { write: draw("late write")(32), stream: stream.id, statement, chunks: encoded };
}

function letterSuite(): Suite {
  const letter = letterOf(parts);
  const bytes = encodeLetter(letter);
  const window = { dataStart: START, dataEnd: START + 24 * LENGTH };
  const inputs = (changed: Uint8Array): object => ({ ...window, bytes: changed });
  const { write, statement } = letter;
  const chunks = parts.map(({ epoch, chunk }) => ({ epoch, root: chunkRoot(chunk), chunk }));
  const swapped = encodeLetter({ ...letter, chunks: letter.chunks.toReversed() });
  const earlier = { epoch: EPOCH - 1, encoded: encodeBatch([first], (EPOCH - 1) * LENGTH) };
  const none = encodeLetter({ ...letter, chunks: [] });
  const two = [{ epoch: EPOCH, encoded: encodeBatch([first, first], START) }];
  return {
    format: "late-letter",
    section: 29,
    zstd: true,
    cases: [
      good("two epochs", inputs(bytes), { write, stream: stream.id, statement, chunks }),
      ...damaged(inputs, bytes),
      bad("no chunk", inputs(none), "ERR_MALFORMED"),
      bad("two chunks in one batch", inputs(encodeLetter({ ...letter, chunks: two })), "ERR_MALFORMED"),
      bad("another signature", inputs(flip(bytes, -1)), "ERR_LATE_FORGED"),
      bad("chunks in another order than signed", inputs(swapped), "ERR_LATE_FORGED"),
      bad(
        "a chunk less than signed",
        inputs(encodeLetter({ ...letter, chunks: letter.chunks.slice(1) })),
        "ERR_LATE_FORGED",
      ),
      bad("a window that it lies outside", { ...inputs(bytes), dataEnd: START + LENGTH }, "ERR_LATE_FORGED"),
      bad("another stream than signed", inputs(flip(bytes, 60)), "ERR_LATE_FORGED"),
      bad(
        "readings of another epoch",
        inputs(encodeLetter({ ...letter, chunks: [earlier] })),
        "ERR_CHUNK_OUTSIDE_EPOCH",
      ),
    ],
  };
}

function filedSuite(): Suite {
  const { block } = sealed();
  const bytes = writeFiled([block]);
  const inputs = (changed: Uint8Array): object => ({ bytes: changed });
  const short = writeFiled([{ ...block, batch: block.batch.slice(1) }]);
  return {
    format: "filed",
    section: 29,
    zstd: true,
    cases: [
      good("one batch", inputs(bytes), [block.entry]),
      good("none", inputs(writeFiled([])), []),
      bad("another name", inputs(flip(bytes, 0)), "ERR_MALFORMED"),
      bad("the last byte cut off", inputs(bytes.slice(0, -1)), "ERR_MALFORMED"),
      bad("a batch of no class", inputs(short), "ERR_MALFORMED"),
    ],
  };
}

export const lateSuites = (): Suite[] => [letterSuite(), filedSuite()];
