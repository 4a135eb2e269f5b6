import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { MalformedError, MedSealError } from "../../../src/errors.ts";
import { PassphraseError } from "../../../src/seal/passphrase.ts";
import { SealAlteredError, SealCommitmentError } from "../../../src/seal/seal.ts";
import { parseState, stringifyState } from "../../../src/state/json.ts";
import { keyedStore, passphraseStore, type StateStore } from "../../../src/state/store.ts";
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
const KEY = new Uint8Array(32).fill(1);
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

  const kinds: Record<string, (path: string, format?: "medseal/test/1") => StateStore<TestState>> = {
    "under a key": (path, format = STATE.format) => keyedStore(path, format, KEY),
    "under a passphrase": (path, format = STATE.format) => passphraseStore(path, format, "correct horse", CHEAP),
  };

  for (const [name, at] of Object.entries(kinds)) {
    it(`${name}: comes back as it was saved last, and is nothing before`, async () => {
      const store = at(join(folder, `${name}-1`));
      expect(await store.load()).to.equal(undefined);
      await store.save(STATE);
      expect(await store.load()).to.deep.equal(STATE);
      await store.save({ ...STATE, list: [] });
      expect(await at(join(folder, `${name}-1`)).load()).to.deep.equal({ ...STATE, list: [] });
    });

    it(`${name}: shows nothing of what is inside`, async () => {
      const path = join(folder, `${name}-2`);
      await at(path).save(STATE);
      const file = await readFile(path);
      expect(file.includes("Zoë")).to.equal(false);
      expect(file.includes("counter")).to.equal(false);
    });

    it(`${name}: is refused when altered or cut, with a typed error`, async () => {
      const path = join(folder, `${name}-3`);
      await at(path).save(STATE);
      const file = new Uint8Array(await readFile(path));
      const roll = dice(name);
      for (let i = 0; i < 150; i++) {
        const changed = i < 50 ? file.slice(0, roll(file.length)) : mutate(file, roll);
        // A cost in the file that would take seconds is tested with the passphrase.
        if (name.includes("passphrase") && changed.length > 39) changed.set(file.subarray(36, 39), 36);
        if (Buffer.compare(changed, file) === 0) continue;
        await writeFile(path, changed);
        expect(await refusal(at(path).load()), `change ${i}`).to.be.instanceOf(MedSealError);
      }
    }).timeout(10_000);

    it(`${name}: is refused as a file of another format`, async () => {
      const path = join(folder, `${name}-4`);
      await at(path).save(STATE);
      const error = await refusal(at(path, "medseal/other/1" as "medseal/test/1").load());
      expect(error).to.be.instanceOf(name.includes("passphrase") ? MalformedError : SealCommitmentError);
    });
  }

  it("is refused under another key or passphrase", async () => {
    const [keyed, secret] = [join(folder, "keyed"), join(folder, "secret")];
    await keyedStore<TestState>(keyed, STATE.format, KEY).save(STATE);
    await passphraseStore<TestState>(secret, STATE.format, "correct horse", CHEAP).save(STATE);
    const other = keyedStore<TestState>(keyed, STATE.format, KEY.with(0, 2));
    expect(await refusal(other.load())).to.be.instanceOf(SealCommitmentError);
    expect(await refusal(passphraseStore<TestState>(secret, STATE.format, "wrong").load())).to.be.instanceOf(
      PassphraseError,
    );
    const file = new Uint8Array(await readFile(keyed));
    await writeFile(keyed, file.with(file.length - 1, (file.at(-1) as number) ^ 1));
    expect(await refusal(keyedStore<TestState>(keyed, STATE.format, KEY).load())).to.be.instanceOf(SealAlteredError);
  });

  it("is refused when what is inside names another format", async () => {
    const path = join(folder, "inside");
    await keyedStore<TestState>(path, STATE.format, KEY).save({
      ...STATE,
      format: "medseal/other/1" as "medseal/test/1",
    });
    expect(await refusal(keyedStore<TestState>(path, STATE.format, KEY).load())).to.be.instanceOf(MalformedError);
  });
});
