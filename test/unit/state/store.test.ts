import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { MalformedError, MedSealError } from "../../../src/errors.ts";
import { PassphraseError } from "../../../src/seal/passphrase.ts";
import { parseState, stringifyState } from "../../../src/state/json.ts";
import { passphraseStore, type StateStore } from "../../../src/state/store.ts";
import { dice, mutate } from "../log/mutate.ts";
import { refusal } from "../seal/places.ts";

interface TestState {
  readonly format: "medseal/test/1";
  readonly key: Uint8Array;
  readonly counter: bigint;
  readonly list: readonly { readonly name: string; readonly at: number | null }[];
}

const STATE: TestState = {
  format: "medseal/test/1",
  key: Uint8Array.of(0, 1, 255),
  counter: 2n ** 70n,
  list: [
    { name: "Zoë", at: 1 },
    { name: "", at: null },
  ],
};
const CHEAP = { logN: 10, r: 1, p: 1 };

describe("state as JSON", () => {
  it("comes back with its bytes and big integers", () => {
    const leaf = fc.oneof(
      fc.uint8Array(),
      fc.bigInt(),
      fc.string({ unit: "binary" }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("tree")),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie("tree"), { noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(parseState(stringifyState(value))).to.deep.equal(value);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a state file", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "medseal-state-"));
  });
  after(() => rm(folder, { recursive: true }));

  const at = (path: string, format: "medseal/test/1" = STATE.format): StateStore<TestState> =>
    passphraseStore(path, format, "correct horse", CHEAP);

  it("comes back as it was saved last, and is nothing before", async () => {
    const store = at(join(folder, "last"));
    expect(await store.load()).to.equal(undefined);
    await store.save(STATE);
    expect(await store.load()).to.deep.equal(STATE);
    await store.save({ ...STATE, list: [] });
    expect(await at(join(folder, "last")).load()).to.deep.equal({ ...STATE, list: [] });
  });

  it("shows nothing of what is inside", async () => {
    const path = join(folder, "shown");
    await at(path).save(STATE);
    const file = await readFile(path);
    expect(file.includes("Zoë")).to.equal(false);
    expect(file.includes("counter")).to.equal(false);
  });

  it("is refused when altered or cut, with a typed error", async () => {
    const path = join(folder, "altered");
    await at(path).save(STATE);
    const file = new Uint8Array(await readFile(path));
    const roll = dice("a state file");
    for (let i = 0; i < 150; i++) {
      const changed = i < 50 ? file.slice(0, roll(file.length)) : mutate(file, roll);
      // A cost in the file that would take seconds is tested with the passphrase.
      if (changed.length > 39) changed.set(file.subarray(36, 39), 36);
      if (Buffer.compare(changed, file) === 0) continue;
      await writeFile(path, changed);
      expect(await refusal(at(path).load()), `change ${i}`).to.be.instanceOf(MedSealError);
    }
  });

  it("is refused as a file of another format, or under another passphrase", async () => {
    const path = join(folder, "other");
    await at(path).save(STATE);
    expect(await refusal(at(path, "medseal/other/1" as "medseal/test/1").load())).to.be.instanceOf(MalformedError);
    const wrong = passphraseStore(path, STATE.format, "wrong");
    expect(await refusal(wrong.load())).to.be.instanceOf(PassphraseError);
  });
});
