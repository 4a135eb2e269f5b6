import { expect } from "chai";
import { concat, getBytes, keccak256, toBeHex, ZeroAddress, ZeroHash } from "ethers";
import { network } from "hardhat";
import { deployDevices, highS, newDevice, newDigest, newTerms, STATUS, type Terms } from "./devices.ts";
import { hex0x } from "../../src/bytes/bytes.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { enrollmentDigest } from "../../src/keys/enrollment.ts";
import { word } from "./ground.ts";

// enroll           given a key with its own proof for exactly this: active from this block · anything else: refuses
// suspend, resume  given the status they end: change it from this block · given any other: refuse
// retire           given a device in service: ends it for good, its key too
// recall           given a range of firmware: gives notice, and changes no device
describe("DeviceRegistry", () => {
  const chain = network.create();
  const ground = async () => ({ ...(await deployDevices(await chain)), ...(await chain) });
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  describe("enroll", () => {
    it("makes a device active from this block", async () => {
      const { registry, custodian, enroll, networkHelpers } = await load();
      const [device, terms] = [newDevice(), newTerms(custodian.address)];
      await expect(enroll(device, terms))
        .to.emit(registry, "DeviceEnrolled")
        .withArgs(device.id, terms.modelId, custodian.address, Object.values(device.key), terms.serial);
      const enrolledAt = await networkHelpers.time.latest();
      expect(await registry.statusOf(device.id)).to.equal(STATUS.active);
      expect(await registry.statusAt(device.id, enrolledAt - 1)).to.equal(STATUS.unknown);
      expect(await registry.statusAt(device.id, enrolledAt)).to.equal(STATUS.active);
      expect(await registry.statusAt(device.id, enrolledAt + 1)).to.equal(STATUS.unknown);
      const stored = await registry.deviceOf(device.id);
      expect([stored.key.x, stored.key.y]).to.deep.equal([device.key.x, device.key.y]);
      expect([stored.modelId, stored.serialCommitment]).to.deep.equal([terms.modelId, terms.serial]);
      expect([stored.custodian, stored.offeredTo]).to.deep.equal([custodian.address, ZeroAddress]);
      expect(stored.enrolledAt).to.equal(enrolledAt);
    });

    it("computes id and digest as the SDK does", async () => {
      const { registry, at, custodian } = await load();
      const [device, terms, predecessorId] = [newDevice(), newTerms(custodian.address), word()];
      expect(await registry.deviceIdOf(device.key)).to.equal(device.id);
      const digest = enrollmentDigest({
        chainId: at.chainId,
        registry: getBytes(at.registry),
        publicKey: device.publicKey,
        modelId: getBytes(terms.modelId),
        serialCommitment: getBytes(terms.serial),
        custodian: getBytes(terms.custodian),
        predecessorId: getBytes(predecessorId),
      });
      expect(
        await registry.enrollmentDigestOf(device.key, terms.modelId, terms.serial, terms.custodian, predecessorId),
      ).to.equal(hex0x(digest));
    });

    it("refuses a key that was enrolled before, retired or not", async () => {
      const { registry, safety, enroll, enrolled } = await load();
      const device = await enrolled();
      const refused = async (terms: Terms) =>
        expect(enroll(device, terms))
          .to.be.revertedWithCustomError(registry, "DeviceEnrolledAlready")
          .withArgs(device.id);
      await refused(newTerms(device.terms.custodian));
      await registry.connect(safety).retire(device.id);
      await refused(device.terms);
    });

    it("refuses a device without model, serial number or custodian", async () => {
      const { registry, custodian, enroll } = await load();
      const missing = {
        DeviceModelMissing: { modelId: ZeroHash as Hex },
        DeviceSerialMissing: { serial: ZeroHash as Hex },
        DeviceCustodianMissing: { custodian: ZeroAddress },
      };
      for (const [error, differs] of Object.entries(missing)) {
        const enrolling = enroll(newDevice(), newTerms(custodian.address, differs));
        await expect(enrolling).to.be.revertedWithCustomError(registry, error);
      }
    });

    it("refuses every proof but the key's own for exactly this", async () => {
      const { registry, at, custodian, offeree, enroll, proofOf } = await load();
      const [device, terms] = [newDevice(), newTerms(custodian.address)];
      const proof = proofOf(device, terms);
      const wrong: Record<string, string> = {
        "another device's": proofOf(newDevice(), terms),
        "of another model": proofOf(device, { ...terms, modelId: word() }),
        "of another serial number": proofOf(device, { ...terms, serial: word() }),
        "for another custodian": proofOf(device, { ...terms, custodian: offeree.address }),
        "of a rotation": proofOf(device, { ...terms, predecessorId: word() }),
        "for another chain": proofOf(device, terms, { chainId: at.chainId + 1n }),
        "for another registry": proofOf(device, terms, { registry: offeree.address as Hex }),
        "of a batch": device.sign(newDigest()),
        "with a high s": highS(proof),
        "cut off": proof.slice(0, -2),
        "over-long": `${proof}00`,
        "of zeros": concat([new Uint8Array(64)]),
        empty: "0x",
      };
      for (const [what, bytes] of Object.entries(wrong)) {
        await expect(enroll(device, terms, bytes as Hex), what)
          .to.be.revertedWithCustomError(registry, "DeviceProofInvalid")
          .withArgs(device.id);
      }
      await enroll(device, terms, proof);
    });

    it("refuses a key that is no point of the curve", async () => {
      const { registry, custodian, enroll, proofOf } = await load();
      const [device, terms] = [newDevice(), newTerms(custodian.address)];
      const { x, y } = device.key;
      const prime = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
      const [beyond, zero] = [toBeHex(prime, 32) as Hex, ZeroHash as Hex];
      for (const key of [
        { x: y, y: x },
        { x: zero, y: zero },
        { x, y: beyond },
        { x: beyond, y },
        { x, y: word() },
      ]) {
        await expect(enroll({ ...device, key }, terms, proofOf(device, terms))).to.be.revertedWithCustomError(
          registry,
          "DeviceProofInvalid",
        );
      }
    });
  });

  describe("status", () => {
    it("is kept by time, half-open, through suspension, resumption and the end", async () => {
      const { registry, registrar, safety, enrolled, networkHelpers } = await load();
      const device = await enrolled();
      const times = [await networkHelpers.time.latest()];
      const steps = [
        ["suspend", "DeviceSuspended", safety],
        ["resume", "DeviceResumed", registrar],
        ["retire", "DeviceRetired", safety],
      ] as const;
      for (const [name, event, by] of steps) {
        await networkHelpers.time.increase(100);
        await expect(registry.connect(by)[name](device.id)).to.emit(registry, event).withArgs(device.id);
        times.push(await networkHelpers.time.latest());
      }
      await networkHelpers.time.increase(1000);
      const statuses = [STATUS.unknown, STATUS.active, STATUS.suspended, STATUS.active, STATUS.retired];
      for (const [i, time] of times.entries()) {
        expect(await registry.statusAt(device.id, time - 1)).to.equal(statuses[i]);
        expect(await registry.statusAt(device.id, time)).to.equal(statuses[i + 1]);
      }
      const now = await networkHelpers.time.latest();
      expect(await registry.statusAt(device.id, now)).to.equal(STATUS.retired);
      expect(await registry.statusAt(device.id, now + 1)).to.equal(STATUS.unknown);
      expect(await registry.statusOf(word())).to.equal(STATUS.unknown);
      expect(await registry.statusAt(word(), now)).to.equal(STATUS.unknown);
    });

    it("changes only where the change means something", async () => {
      const { registry, registrar, safety, enrolled } = await load();
      const [active, suspended, retired] = [await enrolled(), await enrolled(), await enrolled()];
      await registry.connect(safety).suspend(suspended.id);
      await registry.connect(safety).retire(retired.id);
      const refused = async (
        id: Hex,
        error: string,
        status: bigint,
        names: readonly ("suspend" | "resume" | "retire")[],
      ) => {
        for (const name of names) {
          await expect(registry.connect(name === "resume" ? registrar : safety)[name](id), name)
            .to.be.revertedWithCustomError(registry, error)
            .withArgs(id, status);
        }
      };
      await refused(active.id, "DeviceNotSuspended", STATUS.active, ["resume"]);
      await refused(suspended.id, "DeviceNotActive", STATUS.suspended, ["suspend"]);
      for (const [id, status] of [
        [retired.id, STATUS.retired],
        [word(), STATUS.unknown],
      ] as const) {
        await refused(id, "DeviceNotActive", status, ["suspend"]);
        await refused(id, "DeviceNotSuspended", status, ["resume"]);
        await refused(id, "DeviceNotInService", status, ["retire"]);
      }
      await registry.connect(safety).retire(suspended.id);
      expect(await registry.statusOf(suspended.id)).to.equal(STATUS.retired);
    });
  });

  describe("recall", () => {
    it("gives notice under the model's head and changes no device", async () => {
      const { registry, safety, enrolled, networkHelpers } = await load();
      const device = await enrolled();
      const { modelId } = device.terms;
      const now = await networkHelpers.time.latest();
      let head = ZeroHash;
      for (const [from, to, anchoredFrom] of [
        [7, 7, 0],
        [0, 2 ** 32 - 1, now],
        [7, 7, 0],
      ] as const) {
        head = keccak256(concat([head, toBeHex(from, 4), toBeHex(to, 4), toBeHex(anchoredFrom, 6)]));
        await expect(registry.connect(safety).recall(modelId, from, to, anchoredFrom))
          .to.emit(registry, "ModelRecalled")
          .withArgs(modelId, from, to, anchoredFrom, head);
        expect(await registry.recallHeadOf(modelId)).to.equal(head);
      }
      expect(await registry.recallHeadOf(word())).to.equal(ZeroHash);
      expect(await registry.statusOf(device.id)).to.equal(STATUS.active);
    });

    it("refuses one without a model, with an empty range, or from a time to come", async () => {
      const { registry, safety, networkHelpers } = await load();
      const recall = (modelId: string, from: number, to: number, anchoredFrom: number) =>
        expect(registry.connect(safety).recall(modelId, from, to, anchoredFrom)).to.be;
      await recall(ZeroHash, 1, 2, 0).revertedWithCustomError(registry, "DeviceModelMissing");
      await recall(word(), 2, 1, 0).revertedWithCustomError(registry, "RecallRangeEmpty").withArgs(2, 1);
      const next = (await networkHelpers.time.latest()) + 10;
      await networkHelpers.time.setNextBlockTimestamp(next);
      await recall(word(), 1, 2, next + 1)
        .revertedWithCustomError(registry, "RecallInFuture")
        .withArgs(next + 1);
      await registry.connect(safety).recall(word(), 1, 1, next);
    });
  });
});
