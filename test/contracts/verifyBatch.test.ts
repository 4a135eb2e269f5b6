import { expect } from "chai";
import { concat, getBytes } from "ethers";
import { network } from "hardhat";
import { deployDevices, highS, newDevice, newDigest } from "./devices.ts";
import { hex0x } from "../../src/bytes/bytes.ts";
import { normalise } from "../../src/keys/signature.ts";
import { word } from "./ground.ts";

/** Rules with the P-256 precompile of EIP-7951, and the last ones without: there OpenZeppelin's Solidity verifies. */
const RULES = { osaka: true, prague: false } as const;
const PRECOMPILE = "0x0000000000000000000000000000000000000100";

// verifyBatch  given a digest, its device's signature with low s, and a time at which the device was active: true
//              given anything else: false, never an error
for (const [hardfork, hasPrecompile] of Object.entries(RULES)) {
  describe(`DeviceRegistry.verifyBatch, ${hasPrecompile ? "with" : "without"} the P-256 precompile`, () => {
    const chain = network.create({ override: { hardfork } });
    const ground = async () => {
      const connection = await chain;
      const parts = await deployDevices(connection);
      const device = await parts.enrolled();
      const digest = newDigest();
      const signature = device.sign(digest);
      const { time } = connection.networkHelpers;
      const verify = async (differs: { id?: string; digest?: string; signature?: string; at?: number } = {}) =>
        parts.registry.verifyBatch(
          differs.id ?? device.id,
          differs.digest ?? digest,
          differs.signature ?? signature,
          differs.at ?? (await time.latest()),
        );
      return { ...parts, ...connection, time, device, digest, signature, verify };
    };
    const load = async () => (await chain).networkHelpers.loadFixture(ground);

    it("runs under the rules that it says", async () => {
      const { ethers, device, digest, signature } = await load();
      const data = concat([digest, signature, device.key.x, device.key.y]);
      const answer = await ethers.provider.call({ to: PRECOMPILE, data });
      expect(answer).to.equal(hasPrecompile ? `0x${"0".repeat(63)}1` : "0x");
    });

    it("takes what was anchored while the device was active, for ever", async () => {
      const { registry, registrar, safety, device, time, verify } = await load();
      const times = [await time.latest()];
      for (const [name, by] of [
        ["suspend", safety],
        ["resume", registrar],
        ["retire", safety],
      ] as const) {
        await time.increase(100);
        await registry.connect(by)[name](device.id);
        times.push(await time.latest());
      }
      await time.increase(1000);
      for (const [i, at] of times.entries()) {
        const active = i % 2 === 0;
        expect(await verify({ at: at - 1 }), `before change ${i}`).to.equal(i > 0 && !active);
        expect(await verify({ at }), `from change ${i}`).to.equal(active);
      }
      expect(await verify()).to.equal(false);
    });

    it("knows nothing of what is anchored in a time to come", async () => {
      const { time, verify } = await load();
      const now = await time.latest();
      expect(await verify({ at: now })).to.equal(true);
      expect(await verify({ at: now + 1 })).to.equal(false);
      expect(await verify({ at: 2 ** 48 - 1 })).to.equal(false);
    });

    it("refuses another digest, another device and every other form of the signature", async () => {
      const { enrolled, digest, signature, verify } = await load();
      const other = await enrolled();
      const wrong = {
        "another digest": { digest: newDigest() },
        "another device": { id: other.id },
        "a device not enrolled": { id: newDevice().id },
        "no device": { id: word() },
        "another device's signature": { signature: other.sign(digest) },
        "a high s": { signature: highS(signature) },
        "one byte less": { signature: signature.slice(0, -2) },
        "one byte more": { signature: `${signature}00` },
        "s before r": { signature: concat([`0x${signature.slice(66)}`, signature.slice(0, 66)]) },
        zeros: { signature: concat([new Uint8Array(64)]) },
        ones: { signature: concat([new Uint8Array(64).fill(0xff)]) },
        nothing: { signature: "0x" },
      };
      for (const [what, differs] of Object.entries(wrong)) expect(await verify(differs), what).to.equal(false);
      expect(await verify()).to.equal(true);
    });

    it("takes a high-s signature once the client has normalised it", async () => {
      const { signature, verify } = await load();
      const foreign = highS(signature);
      expect(await verify({ signature: foreign })).to.equal(false);
      expect(await verify({ signature: hex0x(normalise(getBytes(foreign))) })).to.equal(true);
    });

    it("goes by the key of its time: after a rotation each id has its own", async () => {
      const { registry, registrar, device, digest, signature, proofOf, time, verify } = await load();
      const before = await time.latest();
      await time.increase(100);
      const next = newDevice();
      const proof = proofOf(next, { ...device.terms, predecessorId: device.id });
      await registry.connect(registrar).rotate(device.id, next.key, proof);
      expect(await verify({ at: before })).to.equal(true);
      expect(await verify()).to.equal(false);
      expect(await verify({ id: next.id, signature: next.sign(digest) })).to.equal(true);
      expect(await verify({ id: next.id, signature: next.sign(digest), at: before })).to.equal(false);
      expect(await verify({ id: next.id, signature })).to.equal(false);
    });

    it("is not changed by a recall, which is a notice", async () => {
      const { registry, safety, device, verify } = await load();
      await registry.connect(safety).recall(device.terms.modelId, 0, 2 ** 32 - 1, 0);
      expect(await verify()).to.equal(true);
    });

    it("enrolls by the same verifier", async () => {
      const { registry, custodian, enroll, proofOf, device } = await load();
      const other = newDevice();
      const terms = { ...device.terms, custodian: custodian.address };
      await expect(enroll(other, terms, proofOf(device, terms))).to.be.revertedWithCustomError(
        registry,
        "DeviceProofInvalid",
      );
      await enroll(other, terms);
    });
  });
}
