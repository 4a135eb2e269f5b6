import { expect } from "chai";
import { TypedDataEncoder, type BaseContract } from "ethers";
import fc from "fast-check";
import { network } from "hardhat";
import { hashTypedData, hashStruct, type TypedDataDomain, type TypedDataParameter } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { consentId, type Consent, type Hex } from "../../src/consent/consent.ts";
import { grantDigest, revokeAllDigest, revokeDigest } from "../../src/consent/typed-data.ts";
import {
  CO_SIGN_TYPES,
  commitmentOf,
  emergencyDomain,
  recoveryDomain,
  VETO_TYPES,
  type Declaration,
} from "../../src/emergency/typed-data.ts";
import { ACKNOWLEDGE_TYPES, alertDomain, newAlert } from "../contracts/alerts.ts";
import { deployHospital } from "../contracts/governed.ts";
import { deployBoth, MINUTE } from "../contracts/ground.ts";
import { anyConsent, sample } from "../unit/consent/samples.ts";

// Written out once more, so that nothing here is the project's own but the digests to compare.
const fields = (text: string): TypedDataParameter[] =>
  text.split(", ").map((field) => {
    const [type = "", name = ""] = field.split(" ");
    return { name, type };
  });
const CONSENT = fields(
  "address grantor, address grantee, bytes32 scope, string purpose, uint48 dataStart, uint48 dataEnd, uint48 periodStart, uint48 periodEnd, " +
    "uint16 actions, bytes32 parent, bytes32 salt, string statement",
);
const DECLARATION = fields(
  "address grantor, bytes32 scope, uint48 dataStart, uint48 dataEnd, address declarant, bytes32 hpkeKey, address coSigner, string reason, " +
    "bytes32 salt",
);
const TYPES = {
  Grant: { Grant: fields("Consent consent, uint48 issuedAt, uint48 deadline"), Consent: CONSENT },
  Revoke: { Revoke: fields("Consent consent"), Consent: CONSENT },
  RevokeAll: { RevokeAll: fields("address grantor, uint48 issuedAt") },
  CoSign: {
    CoSign: fields("Declaration declaration, address organisation, uint48 term, uint48 deadline"),
    Declaration: DECLARATION,
  },
  Veto: { Veto: fields("address patient, bytes32 recoveryId") },
  Acknowledge: { Acknowledge: fields("address gateway, uint32 slot, bytes32 sealedAlert") },
} as const;
type Message = keyof typeof TYPES;
type Types = Readonly<Record<string, readonly TypedDataParameter[]>>;

const domainOf = (name: string, chainId: number, verifyingContract: string): TypedDataDomain => ({
  name,
  version: "1",
  chainId,
  verifyingContract: verifyingContract as Hex,
});
const typed = (domain: TypedDataDomain, primaryType: Message, message: object) => ({
  ...{ domain, primaryType: primaryType as string, types: TYPES[primaryType] as Types },
  message: message as Record<string, unknown>,
});
const digestOf = (domain: TypedDataDomain, primaryType: Message, message: object): Hex =>
  hashTypedData(typed(domain, primaryType, message));

const CHAIN = 11_155_111;
const REGISTRY: Hex = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
const at = { chainId: CHAIN, registry: REGISTRY };
const domain = domainOf("MedSeal ConsentRegistry", CHAIN, REGISTRY);
const signer = privateKeyToAccount(`0x${"33".repeat(32)}`);

const declaration = (differs: Partial<Declaration> = {}): Declaration => ({
  grantor: "0x1111111111111111111111111111111111111111",
  scope: `0x${"a1".repeat(32)}`,
  dataStart: 1_769_904_000,
  dataEnd: 1_772_323_200,
  declarant: "0x2222222222222222222222222222222222222222",
  hpkeKey: `0x${"b2".repeat(32)}`,
  coSigner: "0x3333333333333333333333333333333333333333",
  reason: "Unconscious after a fall.",
  salt: `0x${"c3".repeat(32)}`,
  ...differs,
});
/** Made by viem 2.57.0 from the messages of "gives the digests that are pinned". */
const PINNED = {
  Grant: "0x50887d9b04f66a8cdaef8ab88ce4b0a8f118ab121fa01d34fb7093f56ad577bf",
  Revoke: "0x12c04a594d344a51ec2240d9d74c3a53b6eb161a4cbb790b22dc051a90115a83",
  RevokeAll: "0x6c3dd1f52e8b4cc175711aa5432a99b4a57b689fb339e3e8970156495a25978c",
  CoSign: "0x18b54cdf85174f15507d0595fdaf0721b4771867bc57fa0aaed7ffa4cddc7383",
  Veto: "0x548b96e0673c05c633f29aaff559bbd96100a7964e7bffd85cf988b1a62e49e9",
  Acknowledge: "0xe1c2f0824605ffec1129b86910f0262ffcde2baffa539f27c0b0bdc8ed013e31",
};
const fixed: Consent = { ...sample(), salt: `0x${"d4".repeat(32)}` };

// digests       of the SDK are viem's, for any message, and those that are pinned here
// signatures    that viem makes count on the contracts
describe("EIP-712 by viem", () => {
  it("gives the digests of grants and revocations that the SDK gives", () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(anyConsent, time, time, (consent, issuedAt, deadline) => {
        const id = consentId(consent);
        expect(id).to.equal(hashStruct({ data: { ...consent }, primaryType: "Consent", types: { Consent: CONSENT } }));
        expect(grantDigest(at, id, issuedAt, deadline)).to.equal(
          digestOf(domain, "Grant", { consent, issuedAt, deadline }),
        );
        expect(revokeDigest(at, id)).to.equal(digestOf(domain, "Revoke", { consent }));
        const all = { grantor: consent.grantor, issuedAt };
        expect(revokeAllDigest(at, consent.grantor, issuedAt)).to.equal(digestOf(domain, "RevokeAll", all));
      }),
    );
  });

  it("gives the digest of a co-signature that the SDK gives", () => {
    const place = { chainId: CHAIN, contract: REGISTRY };
    const named = domainOf("MedSeal EmergencyAccess", CHAIN, REGISTRY);
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.nat(14_400), (reason, term) => {
        const message = { declaration: declaration({ reason }), organisation: REGISTRY, term, deadline: 1_770_000_000 };
        expect(TypedDataEncoder.hash(emergencyDomain(place), CO_SIGN_TYPES, message)).to.equal(
          digestOf(named, "CoSign", message),
        );
      }),
    );
  });

  it("gives the digests that are pinned", () => {
    const [issuedAt, deadline, term] = [1_769_904_000, 1_770_000_000, 3600];
    const { grantor } = fixed;
    const all = { grantor, issuedAt };
    const coSigned = { declaration: declaration(), organisation: REGISTRY, term, deadline };
    const emergency = domainOf("MedSeal EmergencyAccess", CHAIN, REGISTRY);
    const place = { chainId: CHAIN, contract: REGISTRY };
    const id = consentId(fixed);
    const veto = { patient: grantor, recoveryId: `0x${"e5".repeat(32)}` };
    const acknowledgement = { gateway: grantor, slot: 7, sealedAlert: `0x${"f6".repeat(32)}` };
    expect({
      Grant: digestOf(domain, "Grant", { consent: fixed, issuedAt, deadline }),
      Revoke: digestOf(domain, "Revoke", { consent: fixed }),
      RevokeAll: digestOf(domain, "RevokeAll", all),
      CoSign: digestOf(emergency, "CoSign", coSigned),
      Veto: digestOf(domainOf("MedSeal VaultRecovery", CHAIN, REGISTRY), "Veto", veto),
      Acknowledge: digestOf(domainOf("MedSeal AlertRules", CHAIN, REGISTRY), "Acknowledge", acknowledgement),
    }).to.deep.equal(PINNED);
    expect({
      Grant: grantDigest(at, id, issuedAt, deadline),
      Revoke: revokeDigest(at, id),
      RevokeAll: revokeAllDigest(at, grantor, issuedAt),
      CoSign: TypedDataEncoder.hash(emergencyDomain(place), CO_SIGN_TYPES, coSigned),
      Veto: TypedDataEncoder.hash(recoveryDomain(place), VETO_TYPES, veto),
      Acknowledge: TypedDataEncoder.hash(alertDomain(place), ACKNOWLEDGE_TYPES, acknowledgement),
    }).to.deep.equal(PINNED);
  });

  describe("signatures", () => {
    const chain = network.create();

    it("put consents in force and end them", async () => {
      const { networkHelpers } = await chain;
      const { registry, relayer, domain: ours } = await deployBoth(await chain);
      const here = domainOf("MedSeal ConsentRegistry", Number(ours.chainId), String(ours.verifyingContract));
      const issuedAt = await networkHelpers.time.latest();
      const consents = [0, 1].map((i) => ({ ...fixed, grantor: signer.address, actions: i + 1 }));
      const relayed = registry.connect(relayer);
      const sign = (primaryType: Message, message: object): Promise<Hex> =>
        signer.signTypedData(typed(here, primaryType, message));
      for (const consent of consents) {
        const deadline = issuedAt + 10 * MINUTE;
        const signature = await sign("Grant", { consent, issuedAt, deadline });
        await relayed.grantBySig(signer.address, consentId(consent), issuedAt, deadline, signature);
      }
      const [first, second] = consents.map((consent) => ({ consent, id: consentId(consent) }));
      const active = async () => [
        await registry.isActive(signer.address, first?.id ?? ""),
        await registry.isActive(signer.address, second?.id ?? ""),
      ];
      expect(await active()).to.deep.equal([true, true]);
      await relayed.revokeBySig(signer.address, first?.id ?? "", await sign("Revoke", { consent: first?.consent }));
      expect(await active()).to.deep.equal([false, true]);
      const all = { grantor: signer.address, issuedAt };
      await relayed.revokeAllBySig(signer.address, issuedAt, await sign("RevokeAll", all));
      expect(await active()).to.deep.equal([false, false]);
    });

    const sign = async (name: string, contract: BaseContract, primaryType: Message, of: object): Promise<Hex> => {
      const { chainId } = await (await chain).ethers.provider.getNetwork();
      const here = domainOf(name, Number(chainId), await contract.getAddress());
      return signer.signTypedData(typed(here, primaryType, of));
    };

    it("take on an alert", async () => {
      const { ethers } = await chain;
      const rules = await ethers.deployContract("AlertRules");
      const [gateway, relayer] = await ethers.getSigners();
      if (!gateway || !relayer) throw new Error("the node has too few accounts");
      const { sealedAlert, digest } = newAlert(signer.address);
      await rules.connect(gateway).raise(7, digest);
      const message = { gateway: gateway.address, slot: 7, sealedAlert };
      const signature = await sign("MedSeal AlertRules", rules, "Acknowledge", message);
      const acknowledging = rules.connect(relayer).acknowledge(gateway, 7, sealedAlert, signature);
      await expect(acknowledging).to.emit(rules, "AlertAcknowledged").withArgs(gateway.address, 7, digest);
    });

    it("vouch for an emergency, and veto a recovery", async () => {
      const ground = await deployHospital(await chain);
      const { emergency, parties, recovery, organisation, clinician, registrar, colleague, time } = ground;
      const until = (await time.latest()) + 86_400;
      await parties.connect(registrar).accredit(signer.address, 2, until, `0x${"e5".repeat(32)}`);
      await emergency.connect(organisation).admit(signer.address);
      const message = {
        declaration: declaration({ declarant: clinician.address as Hex, coSigner: signer.address }),
        organisation: organisation.address,
        term: 60,
        deadline: (await time.latest()) + MINUTE,
      };
      const commitment = commitmentOf(message.declaration);
      const coSignature = await sign("MedSeal EmergencyAccess", emergency, "CoSign", message);
      const args = [organisation, commitment, message.term, signer.address, message.deadline, coSignature] as const;
      await emergency.connect(clinician).declare(...args);
      expect(await emergency.isOpen(clinician, commitment)).to.equal(true);

      const recoveryId = `0x${"f6".repeat(32)}`;
      const veto = await sign("MedSeal VaultRecovery", recovery, "Veto", { patient: signer.address, recoveryId });
      await recovery.connect(colleague).vetoRecoveryBySig(signer.address, recoveryId, veto);
      expect((await recovery.recoveryOf(signer.address, recoveryId)).vetoedAt).to.not.equal(0n);
    });
  });
});
