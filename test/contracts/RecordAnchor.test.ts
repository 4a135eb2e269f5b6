import { expect } from "chai";
import { concat, keccak256, toBeHex, ZeroHash } from "ethers";
import { network } from "hardhat";
import { fromHex, hex0x } from "../../src/bytes/bytes.ts";
import { inclusionProof, leafHash, merkleRoot } from "../../src/log/merkle.ts";
import { deployBoth, word } from "./ground.ts";

const inner = (root: string, digest: string, size: number): string =>
  keccak256(concat([root, digest, toBeHex(size, 8)]));

// anchor           given the caller's head: moves it on · given any other, or no entries: refuses
// verifyInclusion  given an entry, proof and line of checkpoints: says whether the gateway anchored it
describe("RecordAnchor", () => {
  const chain = network.create();
  const ground = async () => deployBoth(await chain);
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  it("moves a gateway's head on, one checkpoint after the other", async () => {
    const { anchor, gateway, stranger } = await load();
    let head = ZeroHash;
    for (const size of [1, 1024, 0xffff_ffff]) {
      const [root, digest] = [word(), word()];
      const next = keccak256(concat([head, inner(root, digest, size)]));
      await expect(anchor.connect(gateway).anchor(root, digest, size, head))
        .to.emit(anchor, "CheckpointAnchored")
        .withArgs(gateway.address, root, digest, size, next);
      head = next;
      expect(await anchor.headOf(gateway)).to.equal(head);
    }
    expect(await anchor.headOf(stranger)).to.equal(ZeroHash);
  });

  it("refuses to anchor a retried transaction twice", async () => {
    const { anchor, gateway } = await load();
    const message = [word(), word(), 7, ZeroHash] as const;
    await anchor.connect(gateway).anchor(...message);
    const head = await anchor.headOf(gateway);
    await expect(anchor.connect(gateway).anchor(...message))
      .to.be.revertedWithCustomError(anchor, "CheckpointHeadMismatch")
      .withArgs(ZeroHash, head);
  });

  it("refuses the second of two forks, whichever that is", async () => {
    const { anchor, gateway } = await load();
    await anchor.connect(gateway).anchor(word(), word(), 7, ZeroHash);
    const head = await anchor.headOf(gateway);
    await anchor.connect(gateway).anchor(word(), word(), 7, head);
    await expect(anchor.connect(gateway).anchor(word(), word(), 7, head))
      .to.be.revertedWithCustomError(anchor, "CheckpointHeadMismatch")
      .withArgs(head, await anchor.headOf(gateway));
  });

  it("refuses a checkpoint without entries", async () => {
    const { anchor, gateway } = await load();
    await expect(anchor.connect(gateway).anchor(word(), word(), 0, ZeroHash)).to.be.revertedWithCustomError(
      anchor,
      "CheckpointEmpty",
    );
  });

  describe("verifyInclusion", () => {
    const entryOf = () => ({ tag: word(), headerDigest: word(), batchDigest: word() });

    async function anchored(size: number, later: number) {
      const { anchor, gateway, stranger } = await load();
      await anchor.connect(gateway).anchor(word(), word(), 3, ZeroHash);
      const headBefore = await anchor.headOf(gateway);
      const entries = Array.from({ length: size }, entryOf);
      const leaves = entries.map((entry) => leafHash(fromHex(concat(Object.values(entry)))));
      const [root, checkpointDigest] = [hex0x(merkleRoot(leaves)), word()];
      await anchor.connect(gateway).anchor(root, checkpointDigest, size, headBefore);
      const laterInners: string[] = [];
      for (let i = 0; i < later; i++) {
        const next = [word(), word(), 16] as const;
        await anchor.connect(gateway).anchor(...next, await anchor.headOf(gateway));
        laterInners.push(inner(...next));
      }
      const inclusionOf = (index: number) => ({
        ...(entries[index] ?? entryOf()),
        index,
        proof: inclusionProof(leaves, index).map(hex0x),
        root,
        checkpointDigest,
        size,
        headBefore,
        laterInners,
      });
      return { anchor, gateway, stranger, inclusionOf };
    }

    it("finds every entry of checkpoints of all shapes, as the SDK's own proofs show it", async () => {
      for (const size of [1, 2, 3, 5, 8, 11]) {
        const { anchor, gateway, stranger, inclusionOf } = await anchored(size, size % 3);
        for (let index = 0; index < size; index++) {
          expect(await anchor.verifyInclusion(gateway, inclusionOf(index)), `${index} of ${size}`).to.equal(true);
        }
        expect(await anchor.verifyInclusion(stranger, inclusionOf(0))).to.equal(false);
      }
    });

    it("needs the whole line of checkpoints up to the head", async () => {
      const { anchor, gateway, inclusionOf } = await anchored(5, 3);
      const whole = inclusionOf(2);
      const lines = [
        whole.laterInners.slice(1),
        whole.laterInners.slice(0, -1),
        [...whole.laterInners].reverse(),
        [...whole.laterInners, word()],
      ];
      for (const laterInners of lines) {
        expect(await anchor.verifyInclusion(gateway, { ...whole, laterInners })).to.equal(false);
      }
      expect(await anchor.verifyInclusion(gateway, { ...whole, headBefore: ZeroHash })).to.equal(false);
      expect(await anchor.verifyInclusion(gateway, whole)).to.equal(true);
    });

    it("binds index, size, root and digest to the head", async () => {
      const { anchor, gateway, inclusionOf } = await anchored(5, 1);
      const whole = inclusionOf(2);
      for (const changed of [
        { index: 3 },
        { index: 2 + 5 },
        { size: 6 },
        { size: 4 },
        { root: word() },
        { checkpointDigest: word() },
        { tag: whole.headerDigest, headerDigest: whole.tag },
        { proof: [...whole.proof].reverse() },
        { proof: [...whole.proof, word()] },
      ]) {
        expect(await anchor.verifyInclusion(gateway, { ...whole, ...changed }), Object.keys(changed).join()).to.equal(
          false,
        );
      }
    });

    it("cannot be led to take an inner node for an entry", async () => {
      const { anchor, gateway, inclusionOf } = await anchored(4, 0);
      const { proof, root } = inclusionOf(0);
      // A node is 64 bytes of two hashes: offered as an entry of 96 bytes, it hashes with another prefix and length.
      const node = { tag: proof[0] ?? root, headerDigest: root, batchDigest: ZeroHash };
      expect(await anchor.verifyInclusion(gateway, { ...inclusionOf(0), ...node, proof: proof.slice(1) })).to.equal(
        false,
      );
    });
  });
});
