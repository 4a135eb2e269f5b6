import { expect } from "chai";
import { freshSeed } from "../../scripts/deep/chance.ts";
import { hex } from "../../src/bytes/bytes.ts";
import { random } from "../../src/bytes/random.ts";
import { generationReader } from "../../src/archive/batches.ts";
import { builtCodeHash } from "../../src/chain/built-code.ts";
import { proveHead, type HeadProof } from "../../src/chain/head-proof.ts";
import { encodeContext } from "../../src/seal/context.ts";
import { openWithMessageKey } from "../../src/seal/seal.ts";
import { checkProof, openProof, type Trusted } from "../../src/proof/check.ts";
import { headersAt, readingsAt } from "../../src/proof/find.ts";
import { encodeProof, parseProof } from "../../src/proof/format.ts";
import { NotAnchoredYetError, prove, type Proof } from "../../src/proof/proof.ts";
import { dice, mutate } from "../unit/log/mutate.ts";
import { closeProving, codeOf, gatewayOf, openProving, outcome, type Proving } from "./proving.ts";
import { failureOf, iso } from "./times.ts";
import { EPOCH, reading, START } from "./ward.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? freshSeed();
/** One bit of each byte, drawn by the seed; `MEDSEAL_FLIPS=all` for each. */
const EVERY_BIT = process.env["MEDSEAL_FLIPS"] === "all";
const SECOND = 13;

describe("a proof of one reading", function () {
  this.timeout(300_000);
  let at: Proving;
  let state: HeadProof;
  let proof: Proof;
  let text: string;
  let trusted: Trusted;

  before(async () => {
    at = await openProving();
    state = await proveHead(at.deps.rpc, at.deps.deployment, gatewayOf(at));
    proof = await proofOf(SECOND);
    text = encodeProof(proof);
    trusted = { blockHash: openProof(proof).block.hash, codeHash: codeOf(at).anchorCode };
  });
  after(() => closeProving(at));

  async function proofOf(second: number, from = state): Promise<Proof> {
    const [found] = await readingsAt(at.access, at.request.stream, iso(START + second), undefined, at.deps);
    if (!found) throw new Error("no reading");
    return prove(found.opened, found.headerKey, await at.deps.historyOf(gatewayOf(at)), from, found);
  }

  it("shows the reading, its header and the block, for every reading of both checkpoints", async () => {
    for (let second = 0; second < 4 * EPOCH; second += 7) {
      const shown = checkProof(parseProof(encodeProof(await proofOf(second))), trusted);
      expect(shown.reading).to.deep.equal(reading(second));
      expect(shown.header.epoch).to.equal(Math.floor((START + second) / EPOCH));
    }
    expect(parseProof(text)).to.deep.equal(proof);
    console.log(`      ${text.length} bytes`);
  });

  it("shows a header alone, without a reading", async () => {
    const [found] = await headersAt(at.access, at.request.stream, iso(START + SECOND), at.deps);
    if (!found) throw new Error("no header");
    const alone = prove(found.opened, found.headerKey, await at.deps.historyOf(gatewayOf(at)), state);
    expect(checkProof(parseProof(encodeProof(alone)), trusted).reading).to.equal(undefined);
  });

  it("is shorter against an older block, and is not made against one before the checkpoint", async () => {
    const [first, second] = await at.deps.historyOf(gatewayOf(at));
    const old = await proveHead(at.deps.rpc, at.deps.deployment, gatewayOf(at), first?.block);
    expect((await proofOf(SECOND, old)).checkpoint.later).to.have.lengthOf(0);
    expect(proof.checkpoint.later).to.have.lengthOf(1);
    expect(await failureOf(proofOf(2 * EPOCH, old))).to.be.instanceOf(NotAnchoredYetError);
    expect(second).to.not.equal(undefined);
  });

  it("needs no record of the deployment: the code is built again", async () => {
    const { chainId, contracts } = at.deps.deployment;
    for (const name of ["ConsentRegistry", "RecordAnchor"] as const)
      expect(await builtCodeHash(name, chainId, contracts[name].address)).to.equal(contracts[name].codeHash);
  });

  it("holds a key that opens its header and no other block, in no context", async () => {
    const [keys] = at.access.keys;
    if (!keys) throw new Error("no keys");
    const archive = at.deps.archiveOf(gatewayOf(at));
    const reader = generationReader(keys, archive, at.deps.read);
    const first = START / EPOCH;
    let tried = 0;
    let opened = 0;
    for (let epoch = first; epoch < first + 4; epoch++) {
      for (let n = 0; ; n++) {
        const found = reader.find(epoch, n);
        if (!found) break;
        for (const digest of [found.entry.header, found.entry.batch]) {
          const block = await at.deps.read(digest);
          for (const kind of ["header", "batch"] as const)
            for (let other = first; other < first + 4; other++) {
              const context = encodeContext({ ...proof.place, epoch: other, n, kind });
              tried += 1;
              if (typeof (await outcome(() => openWithMessageKey(proof.headerKey, context, block))) !== "string")
                opened += 1;
            }
        }
      }
    }
    expect([tried, opened]).to.deep.equal([4 * 2 * 2 * 4, 1]);
  });

  it("says nothing of other readings and holds no key of the epoch", () => {
    const { keys } = at.access;
    const nodes = keys.flatMap(({ audit, data }) => [...audit, ...(data ?? [])]).map(({ key }) => hex(key));
    expect(nodes.length).to.be.greaterThan(0);
    for (const node of nodes) expect(text).to.not.include(node);
    for (let second = 0; second < 4 * EPOCH; second++)
      if (second !== SECOND) expect(text).to.not.include(hex(new TextEncoder().encode(iso(START + second))));
  });

  it("is refused with another block, another contract, or for another gateway or epoch", async () => {
    const other = `0x${"1".repeat(64)}` as const;
    expect(await outcome(() => checkProof(proof, { ...trusted, blockHash: other }))).to.equal("ERR_PROOF");
    expect(await outcome(() => checkProof(proof, { ...trusted, codeHash: other }))).to.equal("ERR_PROOF");
    const elsewhere = { ...proof, place: { ...proof.place, gateway: random(20) } };
    expect(await outcome(() => checkProof(elsewhere, trusted))).to.equal("ERR_STATE_PROOF");
    const replaced = { ...proof, place: { ...proof.place, epoch: proof.place.epoch + 1 } };
    expect(await outcome(() => checkProof(replaced, trusted))).to.equal("ERR_SEAL_COMMITMENT");
    const later = { ...proof.checkpoint, later: [] };
    expect(await outcome(() => checkProof({ ...proof, checkpoint: later }, trusted))).to.equal("ERR_STATE_PROOF");
    const { account } = proof.state;
    for (const nodes of [account.slice(1), account.slice(0, -1), [...account, account[0]!], []])
      expect(
        await outcome(() => checkProof({ ...proof, state: { ...proof.state, account: nodes } }, trusted)),
      ).to.equal("ERR_STATE_PROOF");
  });

  it(`is refused with ${EVERY_BIT ? "any one bit" : "one bit of any byte"} flipped`, async () => {
    const bytes = new TextEncoder().encode(text);
    const roll = dice(SEED);
    const all = [...Array(8 * bytes.length).keys()];
    const bits = EVERY_BIT ? all : Array.from(bytes, (_, i) => 8 * i + roll(8));
    const codes = new Map<string, number>();
    for (const bit of bits) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit % 8));
      const result = await outcome(() => checkProof(parseProof(new TextDecoder().decode(changed)), trusted));
      if (typeof result !== "string") throw new Error(`bit ${bit} went unseen`);
      codes.set(result, (codes.get(result) ?? 0) + 1);
    }
    console.log(
      `      seed ${SEED}, ${bits.length} flips: ${[...codes].map(([code, times]) => `${times} ${code}`).join(", ")}`,
    );
    expect(codes.size).to.be.greaterThan(3);
  });

  it("is refused after random mutations, and never crashes", async () => {
    console.log(`      seed ${SEED}`);
    const roll = dice(SEED);
    const bytes = new TextEncoder().encode(text);
    for (let i = 0; i < 5000; i++) {
      const changed = new TextDecoder().decode(mutate(bytes, roll));
      if (changed === text) continue;
      const result = await outcome(() => checkProof(parseProof(changed), trusted));
      expect(result, `mutation ${i}`).to.be.a("string");
    }
  });
});
