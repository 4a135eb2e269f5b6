import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { network } from "hardhat";
import type { Hex } from "../../src/consent/consent.ts";
import { deployDevices, highS, newDevice, newDigest, STATUS, type Terms, type TestDevice } from "./devices.ts";
import { word } from "./ground.ts";

// rotate           given a device in service and a new key's proof: the new id takes over what the old one had, its status too
// custody          passes only by the acceptance of the one to whom it was last offered
describe("DeviceRegistry, a device that goes on under another key or in other hands", () => {
  const chain = network.create();
  const ground = async () => ({ ...(await deployDevices(await chain)), ...(await chain) });
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  describe("rotate", () => {
    const rotation = (device: TestDevice & { readonly terms: Terms }) => ({
      next: newDevice(),
      terms: { ...device.terms, predecessorId: device.id },
    });

    it("ends the old id and begins the new one with all that the old one had", async () => {
      const { registry, registrar, enrolled, proofOf, networkHelpers } = await load();
      const device = await enrolled();
      const { next, terms } = rotation(device);
      const rotating = registry.connect(registrar).rotate(device.id, next.key, proofOf(next, terms));
      await expect(rotating).to.emit(registry, "DeviceRotated").withArgs(device.id, next.id);
      await expect(rotating).to.emit(registry, "DeviceRetired").withArgs(device.id);
      await expect(rotating)
        .to.emit(registry, "DeviceEnrolled")
        .withArgs(next.id, terms.modelId, terms.custodian, Object.values(next.key), terms.serial);
      const rotatedAt = await networkHelpers.time.latest();
      expect(await registry.statusAt(device.id, rotatedAt - 1)).to.equal(STATUS.active);
      expect(await registry.statusAt(device.id, rotatedAt)).to.equal(STATUS.retired);
      expect(await registry.statusAt(next.id, rotatedAt)).to.equal(STATUS.active);
      const [, modelId, serial, custodian] = await registry.deviceOf(next.id);
      expect([modelId, serial, custodian]).to.deep.equal([terms.modelId, terms.serial, terms.custodian]);
    });

    it("leaves a suspended device suspended", async () => {
      const { registry, registrar, safety, enrolled, proofOf } = await load();
      const device = await enrolled();
      await registry.connect(safety).suspend(device.id);
      const { next, terms } = rotation(device);
      await expect(registry.connect(registrar).rotate(device.id, next.key, proofOf(next, terms)))
        .to.emit(registry, "DeviceSuspended")
        .withArgs(next.id);
      expect(await registry.statusOf(next.id)).to.equal(STATUS.suspended);
    });

    it("refuses an ended or unknown device, a key enrolled before, and another proof", async () => {
      const { registry, at, registrar, safety, custodian, enrolled, proofOf } = await load();
      const [device, retired] = [await enrolled(), await enrolled()];
      await registry.connect(safety).retire(retired.id);
      const { next, terms } = rotation(device);
      const proof = proofOf(next, terms);
      const rotate = (id: Hex, key: TestDevice["key"], bytes: string) =>
        expect(registry.connect(registrar).rotate(id, key, bytes)).to.be;
      for (const [id, status] of [
        [retired.id, STATUS.retired],
        [word(), STATUS.unknown],
      ] as const) {
        await rotate(id, next.key, proof).revertedWithCustomError(registry, "DeviceNotInService").withArgs(id, status);
      }
      for (const old of [device, retired]) {
        await rotate(device.id, old.key, old.sign(newDigest()))
          .revertedWithCustomError(registry, "DeviceEnrolledAlready")
          .withArgs(old.id);
      }
      const others = [
        ...[proofOf(next, device.terms), proofOf(next, { ...terms, predecessorId: word() }), device.sign(newDigest())],
        proofOf(next, terms, { chainId: at.chainId + 1n }),
        proofOf(next, terms, { registry: custodian.address as Hex }),
        ...[highS(proof), proof.slice(0, -2), `${proof}00`, "0x"],
      ];
      for (const other of others) {
        await rotate(device.id, next.key, other)
          .revertedWithCustomError(registry, "DeviceProofInvalid")
          .withArgs(next.id);
      }
      await registry.connect(registrar).rotate(device.id, next.key, proof);
    });
  });

  describe("custody", () => {
    it("passes in two steps, and takes the former custodian's say", async () => {
      const { registry, custodian, offeree, enrolled, accounts } = await load();
      const { id } = await enrolled();
      await expect(registry.connect(custodian).offerCustody(id, offeree))
        .to.emit(registry, "CustodyOffered")
        .withArgs(id, custodian.address, offeree.address);
      expect((await registry.deviceOf(id)).custodian).to.equal(custodian.address);
      await expect(registry.connect(offeree).acceptCustody(id))
        .to.emit(registry, "CustodyAccepted")
        .withArgs(id, custodian.address, offeree.address);
      const device = await registry.deviceOf(id);
      expect([device.custodian, device.offeredTo]).to.deep.equal([offeree.address, ZeroAddress]);
      await expect(registry.connect(custodian).suspend(id)).to.be.revertedWithCustomError(
        registry,
        "AccessManagedUnauthorized",
      );
      await expect(registry.connect(custodian).offerCustody(id, accounts.organisation))
        .to.be.revertedWithCustomError(registry, "DeviceCustodyNotHeld")
        .withArgs(id, custodian.address);
      await registry.connect(offeree).suspend(id);
    });

    it("goes to the last offer only, once, and not after it was withdrawn", async () => {
      const { registry, custodian, offeree, organisation, enrolled } = await load();
      const { id } = await enrolled();
      const refused = async (by: typeof offeree) =>
        expect(registry.connect(by).acceptCustody(id))
          .to.be.revertedWithCustomError(registry, "DeviceCustodyNotOffered")
          .withArgs(id, by.address);
      await refused(offeree);
      await registry.connect(custodian).offerCustody(id, offeree);
      await registry.connect(custodian).offerCustody(id, organisation);
      await refused(offeree);
      await registry.connect(custodian).offerCustody(id, ZeroAddress);
      await refused(organisation);
      await registry.connect(custodian).offerCustody(id, organisation);
      await registry.connect(organisation).acceptCustody(id);
      await refused(organisation);
    });

    it("passes of a suspended device, not of one that is unknown or has ended, offered or not", async () => {
      const { registry, custodian, offeree, enrolled } = await load();
      const [suspended, { id }] = [await enrolled(), await enrolled()];
      await registry.connect(custodian).suspend(suspended.id);
      await registry.connect(custodian).offerCustody(suspended.id, offeree);
      await registry.connect(offeree).acceptCustody(suspended.id);
      await registry.connect(custodian).offerCustody(id, offeree);
      await registry.connect(custodian).retire(id);
      for (const [ended, status] of [
        [id, STATUS.retired],
        [word(), STATUS.unknown],
      ] as const) {
        for (const handing of [
          () => registry.connect(custodian).offerCustody(ended, offeree),
          () => registry.connect(offeree).acceptCustody(ended),
        ]) {
          await expect(handing()).to.be.revertedWithCustomError(registry, "DeviceNotInService").withArgs(ended, status);
        }
      }
    });
  });
});
