import { expect } from "chai";
import { concat, toBeHex, ZeroAddress, type AddressLike, type ContractTransactionResponse } from "ethers";
import { network } from "hardhat";
import { consentId, type Hex } from "../../src/consent/consent.ts";
import { badForms, consentOf, deployBoth, signGrant, signRevoke, signRevokeAll } from "./ground.ts";

const MAGIC = "0x1626ba7e";

// a key's signature       65 bytes with low s, for this message, contract, chain and grantor: taken · anything else: refused
// a contract's word       exactly the magic value in 32 bytes, at a bounded cost: taken · anything else: refused
// a delegated account     its own key always counts, whatever its code says
describe("ConsentRegistry signers", () => {
  const chain = network.create();

  async function ground() {
    const connection = await chain;
    const parts = await deployBoth(connection);
    const { ethers, networkHelpers } = connection;
    const patient = ethers.Wallet.createRandom();
    const consent = consentOf(patient.address, parts.clinician.address);
    const issuedAt = await networkHelpers.time.latest();
    const grant = await signGrant(patient, parts.domain, consent, issuedAt);
    const revocation = await signRevoke(patient, parts.domain, consent);
    const relay = (grantor: AddressLike, signature: string): Promise<ContractTransactionResponse> =>
      parts.registry.connect(parts.relayer).grantBySig(grantor, grant.id, grant.issuedAt, grant.deadline, signature);
    return { ...parts, ethers, networkHelpers, patient, consent, issuedAt, grant, revocation, relay };
  }
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  describe("a key", () => {
    it("refuses signatures in any other form: high s, compact, empty, cut off, over-long, another v", async () => {
      const { registry, patient, grant, revocation, domain, issuedAt, relay } = await load();
      const all = await signRevokeAll(patient, domain, patient.address, issuedAt);
      const messages: Record<string, readonly [good: string, send: (bytes: string) => Promise<unknown>]> = {
        grant: [grant.signature, (bytes) => relay(patient, bytes)],
        revoke: [revocation, (bytes) => registry.revokeBySig(patient, grant.id, bytes)],
        revokeAll: [all, (bytes) => registry.revokeAllBySig(patient, issuedAt, bytes)],
      };
      for (const [kind, [good, send]] of Object.entries(messages)) {
        for (const [form, bytes] of Object.entries(badForms(good))) {
          const refused = expect(send(bytes), `${kind} ${form}`);
          await refused.to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
        }
        await send(good);
      }
    });

    it("refuses a signature for another grantor, nobody included", async () => {
      const { registry, stranger, grant, relay } = await load();
      for (const grantor of [stranger.address, ZeroAddress, "0x0000000000000000000000000000000000000001"]) {
        for (const signature of [grant.signature, "0x"]) {
          await expect(relay(grantor, signature)).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
        }
      }
    });

    it("refuses a message of one kind as another, or with another field", async () => {
      const { registry, patient, grant, revocation, domain } = await load();
      const { id, issuedAt, deadline, signature } = grant;
      const all = await signRevokeAll(patient, domain, patient.address, issuedAt);
      const other = consentId(consentOf(patient.address, patient.address));
      for (const refused of [
        registry.grantBySig(patient, id, issuedAt, deadline, revocation),
        registry.grantBySig(patient, id, issuedAt, deadline, all),
        registry.grantBySig(patient, other, issuedAt, deadline, signature),
        registry.grantBySig(patient, id, issuedAt - 1, deadline - 1, signature),
        registry.grantBySig(patient, id, issuedAt, deadline - 1, signature),
        registry.revokeBySig(patient, id, signature),
        registry.revokeBySig(patient, other, revocation),
        registry.revokeAllBySig(patient, issuedAt, signature),
        registry.revokeAllBySig(patient, issuedAt - 1, all),
      ]) {
        await expect(refused).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
      }
    });
  });

  describe("another chain or contract", () => {
    it("takes each message on exactly the one it was signed for", async () => {
      const chains = await Promise.all(
        [31337, 7331, 11_155_111].map((chainId) => network.create({ override: { chainId } })),
      );
      const places = [];
      for (const connection of chains) {
        // Same deployer, same nonces: the contracts have the same two addresses on all three chains.
        const first = await deployBoth(connection);
        const second = await deployBoth(connection);
        places.push(first, second);
      }
      expect(new Set(places.map(({ domain }) => domain.verifyingContract)).size).to.equal(2);

      const { ethers } = await chain;
      const patient = ethers.Wallet.createRandom();
      const consent = consentOf(patient.address, patient.address);
      const issuedAt = Math.min(
        ...(await Promise.all(chains.map(({ networkHelpers }) => networkHelpers.time.latest()))),
      );
      for (const signedFor of places) {
        const grant = await signGrant(patient, signedFor.domain, consent, issuedAt);
        const revocation = await signRevoke(patient, signedFor.domain, consent);
        const all = await signRevokeAll(patient, signedFor.domain, patient.address, issuedAt - 1);
        for (const { registry, domain } of places) {
          for (const relayed of [
            registry.grantBySig.staticCall(patient, grant.id, grant.issuedAt, grant.deadline, grant.signature),
            registry.revokeBySig.staticCall(patient, grant.id, revocation),
            registry.revokeAllBySig.staticCall(patient, issuedAt - 1, all),
          ]) {
            if (domain === signedFor.domain) await relayed;
            else await expect(relayed).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
          }
        }
      }
    });
  });

  describe("a contract", () => {
    it("counts by its ERC-1271 word, for all three messages", async () => {
      const { ethers, registry, patient, clinician, domain, issuedAt } = await load();
      const wallet = await ethers.deployContract("OwnedWallet", [patient.address]);
      const address = (await wallet.getAddress()) as Hex;
      const consent = consentOf(address, clinician.address);
      const grant = await signGrant(patient, domain, consent, issuedAt);
      await registry.grantBySig(wallet, grant.id, grant.issuedAt, grant.deadline, grant.signature);
      expect(await registry.isActive(wallet, grant.id)).to.equal(true);
      await registry.revokeBySig(wallet, grant.id, await signRevoke(patient, domain, consent));
      expect(await registry.isActive(wallet, grant.id)).to.equal(false);
      await registry.revokeAllBySig(wallet, issuedAt, await signRevokeAll(patient, domain, address, issuedAt));
      expect(await registry.endedBefore(wallet)).to.equal(issuedAt);
    });

    it("is asked once: a consent stands when the contract later says no, and can be revoked", async () => {
      const { ethers, registry, patient, clinician, domain, issuedAt } = await load();
      const wallet = await ethers.deployContract("OwnedWallet", [patient.address]);
      const consent = consentOf(await wallet.getAddress(), clinician.address);
      const grant = await signGrant(patient, domain, consent, issuedAt);
      await registry.grantBySig(wallet, grant.id, grant.issuedAt, grant.deadline, grant.signature);
      await wallet.getFunction("renounce")();
      expect(await registry.isActive(wallet, grant.id)).to.equal(true);
      await expect(
        registry.revokeBySig(wallet, grant.id, await signRevoke(patient, domain, consent)),
      ).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
      await wallet.getFunction("revoke")(registry, grant.id);
      expect(await registry.isActive(wallet, grant.id)).to.equal(false);
    });

    it("is refused unless it answers exactly 32 bytes with the magic value", async () => {
      const { ethers, registry, grant, relay } = await load();
      const padded = MAGIC.padEnd(66, "0");
      const answers = {
        none: "0x",
        four: MAGIC,
        short: padded.slice(0, -2),
        long: `${padded}00`,
        twoWords: padded.padEnd(130, "0"),
        junk: "0x" + "ab".repeat(32),
        dirty: `${MAGIC}${"0".repeat(55)}1`,
        rightAligned: toBeHex(MAGIC, 32),
        yes: toBeHex(1, 32),
      };
      for (const [answer, bytes] of Object.entries(answers)) {
        const wallet = await ethers.deployContract("AnsweringWallet", [bytes]);
        await expect(relay(wallet, "0x"), answer).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
      }
      const wallet = await ethers.deployContract("AnsweringWallet", [padded]);
      await relay(wallet, "0x");
      expect(await registry.isActive(wallet, grant.id)).to.equal(true);
    });

    it("cannot make a relayer spend without bound: reverting, burning, flooding wallets are refused", async () => {
      const { ethers, registry, relayer, relay } = await load();
      const cost: Record<string, bigint> = {};
      for (const name of ["RevertingWallet", "BurningWallet", "FloodingWallet"]) {
        const wallet = await ethers.deployContract(name);
        await expect(relay(wallet, "0x"), name).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
        const data = registry.interface.encodeFunctionData("revokeBySig", [
          await wallet.getAddress(),
          MAGIC.padEnd(66, "0"),
          "0x",
        ]);
        // Mined all the same: the node throws because it reverts.
        const forced = relayer.sendTransaction({ to: registry, data, gasLimit: 16_000_000 });
        await expect(forced).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
        const [hash = ""] = (await ethers.provider.getBlock("latest"))?.transactions ?? [];
        const receipt = await ethers.provider.getTransactionReceipt(hash);
        expect(receipt?.status).to.equal(0);
        cost[name] = receipt?.gasUsed ?? 0n;
      }
      // 500,000 for the answer, the transaction itself, and for a flood as much again to take it in.
      expect(cost.RevertingWallet).to.be.below(60_000n);
      expect(cost.BurningWallet).to.be.within(500_000n, 560_000n);
      expect(cost.FloodingWallet).to.be.below(1_060_000n);
    });

    it("is refused when it says yes in exactly 32 bytes, but reverts", async () => {
      const { networkHelpers, registry, relay, stranger } = await load();
      // PUSH4 magic PUSH1 224 SHL PUSH0 MSTORE PUSH1 32 PUSH0, then RETURN or REVERT.
      const answering = `${MAGIC.replace("0x", "0x63")}60e01b5f5260205f`;
      await networkHelpers.setCode(stranger.address, `${answering}fd`);
      await expect(relay(stranger, "0x")).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
      await networkHelpers.setCode(stranger.address, `${answering}f3`);
      await expect(relay(stranger, "0x")).to.emit(registry, "ConsentGranted");
    });

    it("cannot use the registry while it is asked", async () => {
      const { ethers, registry, grant, relay } = await load();
      const wallet = await ethers.deployContract("ReenteringWallet");
      // Its call into the registry fails, being static; then it says yes, and its own consent is granted.
      await expect(relay(wallet, "0x")).to.not.emit(registry, "ConsentRevoked");
      expect(await registry.isActive(wallet, grant.id)).to.equal(true);
    });
  });

  describe("an account delegated by EIP-7702", () => {
    async function delegate(target: string, ...args: unknown[]) {
      const parts = await load();
      const { ethers, patient, relayer } = parts;
      const code = await ethers.deployContract(target, args);
      const authorization = await patient
        .connect(ethers.provider)
        .authorize({ address: await code.getAddress(), nonce: 0, chainId: 31337n });
      await (
        await relayer.sendTransaction({ type: 4, to: relayer.address, authorizationList: [authorization] })
      ).wait();
      const designator = concat(["0xef0100", await code.getAddress()]);
      expect(await ethers.provider.getCode(patient.address)).to.equal(designator);
      return parts;
    }

    it("uses its own key, although its code knows nothing of signatures", async () => {
      const { registry, patient, grant, revocation, domain, issuedAt, relay } = await delegate("SilentDelegate");
      await relay(patient, grant.signature);
      expect(await registry.isActive(patient, grant.id)).to.equal(true);
      await registry.revokeBySig(patient, grant.id, revocation);
      expect(await registry.isActive(patient, grant.id)).to.equal(false);
      const all = await signRevokeAll(patient, domain, patient.address, issuedAt);
      await registry.revokeAllBySig(patient, issuedAt, all);
      expect(await registry.endedBefore(patient)).to.equal(issuedAt);
    });

    it("uses its own key, although its code says no, reverts or burns", async () => {
      for (const target of ["RevertingWallet", "BurningWallet"]) {
        const { registry, patient, grant, relay } = await delegate(target);
        await relay(patient, grant.signature);
        expect(await registry.isActive(patient, grant.id)).to.equal(true);
      }
    });

    it("may sign by its code too, as any contract", async () => {
      const { registry, patient, grant, relay } = await delegate("AnsweringWallet", "0x");
      await expect(relay(patient, "0x")).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
      const { networkHelpers } = await chain;
      // The answer lies in the account's own storage: a short `bytes` of 32 is kept from keccak256(slot 0) on.
      await networkHelpers.setStorageAt(patient.address, 0, toBeHex(65, 32));
      const slot = BigInt("0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563");
      await networkHelpers.setStorageAt(patient.address, slot, MAGIC.padEnd(66, "0"));
      await relay(patient, "0x");
      expect(await registry.isActive(patient, grant.id)).to.equal(true);
    });

    it("gives nobody else's key a say", async () => {
      const { registry, patient, stranger, consent, domain, issuedAt, relay } = await delegate("SilentDelegate");
      const forged = await signGrant(stranger, domain, consent, issuedAt);
      await expect(relay(patient, forged.signature)).to.be.revertedWithCustomError(registry, "ConsentSignatureInvalid");
    });
  });
});
