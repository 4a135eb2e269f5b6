import { expect } from "chai";
import { TypedDataEncoder, verifyTypedData, Signature, Wallet } from "ethers";
import { consentId } from "../../../src/consent/consent.ts";
import { NotTheGrantorError, SignedMessageError, StatementDiffersError } from "../../../src/consent/errors.ts";
import { signGrant, signRevoke, signRevokeAll } from "../../../src/consent/sign.ts";
import {
  checkSigned,
  formatSigned,
  parseSigned,
  signedDigest,
  verifySigned,
  type SignedMessage,
} from "../../../src/consent/signed.ts";
import { GRANT_TYPES, registryDomain, REVOKE_ALL_TYPES, REVOKE_TYPES } from "../../../src/consent/typed-data.ts";
import { clinician, MARCH, patient, sample, streamB } from "./samples.ts";

const at = { chainId: 31337, registry: "0x5FbDB2315678afecb367f032d93F642f64180aa3" } as const;
const options = { now: () => MARCH };
const grantor = patient.address as `0x${string}`;

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("was not refused"),
    (error: unknown) => error,
  );
}

async function all(): Promise<SignedMessage[]> {
  return [
    await signGrant(patient, at, sample(), options),
    await signRevoke(patient, at, sample(), options),
    await signRevokeAll(patient, at, grantor, options),
  ];
}

describe("signed messages", () => {
  it("sign what a wallet shows: the whole consent as EIP-712 typed data", async () => {
    const consent = sample();
    const domain = registryDomain(at);
    const grant = await signGrant(patient, at, consent, options);
    const value = { consent, issuedAt: MARCH, deadline: MARCH + 7 * 86_400 };
    expect(verifyTypedData(domain, GRANT_TYPES, value, grant.signature)).to.equal(patient.address);
    expect(signedDigest(grant)).to.equal(TypedDataEncoder.hash(domain, GRANT_TYPES, value));
    const revoke = await signRevoke(patient, at, consent, options);
    expect(signedDigest(revoke)).to.equal(TypedDataEncoder.hash(domain, REVOKE_TYPES, { consent }));
    const revokeAll = await signRevokeAll(patient, at, grantor, options);
    const ending = { grantor, issuedAt: MARCH };
    expect(signedDigest(revokeAll)).to.equal(TypedDataEncoder.hash(domain, REVOKE_ALL_TYPES, ending));
  });

  it("hold nothing of the consent but its id", async () => {
    const consent = sample();
    const text = formatSigned(await signGrant(patient, at, consent, options));
    expect(text).to.contain(consentId(consent)).and.contain(consent.grantor);
    for (const hidden of [consent.grantee, consent.scope, consent.salt, consent.purpose, consent.statement]) {
      expect(text.toLowerCase()).to.not.contain(hidden.toLowerCase());
    }
  });

  it("come back from their text, and hold their signer's signature", async () => {
    for (const message of await all()) {
      const back = parseSigned(formatSigned(message));
      expect(back).to.deep.equal(message);
      verifySigned(back, at);
    }
  });

  it("are refused with any field missing, added or of another form", async () => {
    for (const message of await all()) {
      for (const key of Object.keys(message)) {
        const { [key as "format"]: _gone, ...rest } = message;
        expect(() => checkSigned(rest), `without ${key}`).to.throw(SignedMessageError);
        expect(() => checkSigned({ ...message, [key]: null }), `null ${key}`).to.throw(SignedMessageError);
      }
      expect(() => checkSigned({ ...message, note: "x" })).to.throw(SignedMessageError);
      expect(() => checkSigned({ ...message, version: 2 })).to.throw(SignedMessageError);
      expect(() => checkSigned({ ...message, grantor: message.grantor.toLowerCase() })).to.throw(SignedMessageError);
    }
    for (const text of ["", "[]", "null", "{", '{"format":"__proto__"}']) {
      expect(() => parseSigned(text)).to.throw(SignedMessageError);
    }
  });

  it("are refused when any field that is signed was changed", async () => {
    for (const message of await all()) {
      const other = { grantor: clinician.address, consentId: streamB, issuedAt: MARCH + 1, deadline: MARCH + 5 };
      for (const [key, value] of Object.entries(other)) {
        if (!(key in message)) continue;
        const changed = { ...message, [key]: value } as SignedMessage;
        expect(() => verifySigned(changed, at), key).to.throw(SignedMessageError);
      }
    }
  });

  it("are refused for another chain or another registry, even when they say they are for it", async () => {
    for (const message of await all()) {
      for (const elsewhere of [
        { ...at, chainId: 1 },
        { ...at, registry: grantor },
      ]) {
        expect(() => verifySigned(message, elsewhere)).to.throw(SignedMessageError);
        expect(() => verifySigned({ ...message, ...elsewhere }, elsewhere)).to.throw(SignedMessageError);
      }
    }
  });

  it("are refused with a malleable or shortened form of the signature", async () => {
    const message = await signRevoke(patient, at, sample(), options);
    const { r, s, v, compactSerialized } = Signature.from(message.signature);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const highS = (order - BigInt(s)).toString(16).padStart(64, "0");
    const forms = [
      r + highS + (v === 27 ? "1c" : "1b"),
      r + s.slice(2) + (v === 27 ? "00" : "01"),
      compactSerialized,
      message.signature + "00",
    ];
    for (const signature of forms) {
      const changed = { ...message, signature: signature as `0x${string}` };
      expect(() => verifySigned(changed, at), signature).to.throw(SignedMessageError);
    }
  });
});

describe("signing", () => {
  it("renders the statement again and refuses a difference", async () => {
    const blind = { ...sample(), actions: 127 };
    expect(await failure(signGrant(patient, at, blind, options))).to.be.instanceOf(StatementDiffersError);
    expect(await failure(signRevoke(patient, at, blind, options))).to.be.instanceOf(StatementDiffersError);
  });

  it("is refused to anybody but the grantor", async () => {
    const stranger = Wallet.createRandom();
    expect(await failure(signGrant(stranger, at, sample(), options))).to.be.instanceOf(NotTheGrantorError);
    expect(await failure(signRevokeAll(stranger, at, grantor, options))).to.be.instanceOf(NotTheGrantorError);
  });

  it("takes the issue time from the signer's own clock and refuses one dated ahead, as a lying node would have it", async () => {
    expect((await signGrant(patient, at, sample(), options)).issuedAt).to.equal(MARCH);
    const ahead = { ...options, issuedAt: MARCH + 15 * 60 + 1 };
    expect(await failure(signGrant(patient, at, sample(), ahead))).to.be.instanceOf(SignedMessageError);
    expect(await failure(signRevokeAll(patient, at, grantor, ahead))).to.be.instanceOf(SignedMessageError);
    await signGrant(patient, at, sample(), { ...options, issuedAt: MARCH + 15 * 60 });
  });

  it("refuses a deadline before the issue or more than 7 days after it", async () => {
    for (const deadline of [MARCH - 1, MARCH + 7 * 86_400 + 1]) {
      const refused = await failure(signGrant(patient, at, sample(), { ...options, deadline }));
      expect(refused).to.be.instanceOf(SignedMessageError);
    }
  });
});
