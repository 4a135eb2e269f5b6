import { expect } from "chai";
import fc from "fast-check";
import { getAddress } from "ethers";
import { fromHex, hex, hex0x, utf8 } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { ACTION_NAMES, ACTIONS, actionBits, actionNames, ALL_ACTIONS } from "../../../src/consent/actions.ts";
import { consentId, isAddress, type Hex } from "../../../src/consent/consent.ts";
import { decodeConsent, encodeConsent } from "../../../src/consent/encoding.ts";
import { ConsentInvalidError, StatementDiffersError } from "../../../src/consent/errors.ts";
import { linkOf, scopeOf } from "../../../src/consent/scope.ts";
import { MalformedError, MedSealError } from "../../../src/errors.ts";
import { anyConsent, clinician, patient, sample, streamA, streamB } from "./samples.ts";

describe("consent", () => {
  it("has another id with every salt", () => {
    expect(consentId(sample()))
      .to.match(/^0x[0-9a-f]{64}$/)
      .and.not.equal(consentId(sample()));
  });

  it("has an id that every field changes", () => {
    fc.assert(
      fc.property(anyConsent, anyConsent, (a, b) => {
        for (const name of Object.keys(a) as (keyof typeof a)[]) {
          expect(consentId({ ...a, [name]: b[name] }) === consentId(a), name).to.equal(a[name] === b[name]);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("takes addresses in any case and keeps them with their checksum", () => {
    const consent = sample({ grantor: patient.address.toLowerCase() });
    expect(consent.grantor).to.equal(patient.address);
    expect(() => sample({ grantee: clinician.address.replace(/[a-f]/, (c) => c.toUpperCase()) })).to.throw(
      ConsentInvalidError,
    );
    expect(isAddress(getAddress(patient.address))).to.be.true;
    expect(isAddress(patient.address.toUpperCase())).to.be.false;
  });

  it("names its actions in the order of their bits", () => {
    expect(actionBits(ACTION_NAMES)).to.equal(ALL_ACTIONS);
    expect(actionNames(ALL_ACTIONS)).to.deep.equal(ACTION_NAMES);
    expect(actionNames(ACTIONS.READ | ACTIONS.SHARE)).to.deep.equal(["READ", "SHARE"]);
    expect(actionBits(["READ", "READ"])).to.equal(1);
  });
});

describe("scope", () => {
  it("is the id itself for one stream", () => {
    expect(scopeOf([streamA])).to.equal(streamA);
  });

  it("is the RFC 9162 root over the sorted ids for several", () => {
    const leaf = (id: Hex) => sha256(Uint8Array.of(0), fromHex(id));
    const root = hex0x(sha256(Uint8Array.of(1), leaf(streamA), leaf(streamB)));
    expect(scopeOf([streamA, streamB])).to.equal(root);
    expect(scopeOf([streamB, streamA])).to.equal(root);
  });

  it("refuses no stream, a stream twice, and what is no id", () => {
    for (const streams of [[], [streamA, streamA], ["0x12" as Hex], [streamA.toUpperCase() as Hex]]) {
      expect(() => scopeOf(streams)).to.throw(ConsentInvalidError);
    }
  });

  it("makes a link of a consent and its own streams only", () => {
    const consent = sample({ streams: [streamB, streamA] });
    expect(linkOf(consent, [streamB, streamA]).streams).to.deep.equal([streamA, streamB]);
    expect(linkOf(sample(), [streamA]).streams).to.deep.equal([]);
    expect(() => linkOf(consent, [streamA])).to.throw(ConsentInvalidError);
  });
});

describe("encoded consent", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(anyConsent, (consent) => {
        expect(decodeConsent(encodeConsent(consent))).to.deep.equal(consent);
      }),
      { numRuns: 100 },
    );
  });

  it("begins with name and version, then the fields in the order of the struct", () => {
    const consent = sample();
    const bytes = encodeConsent(consent);
    expect(hex(bytes.slice(0, 18))).to.equal(hex(utf8("medseal/consent/1\n")));
    expect(hex0x(bytes.slice(18, 38))).to.equal(patient.address.toLowerCase());
    expect(hex0x(bytes.slice(58, 90))).to.equal(streamA);
  });

  it("is refused when any byte is changed, cut off or added", () => {
    const bytes = encodeConsent(sample());
    const saltAt = 18 + 20 + 20 + 32 + 6 + 24 + 2 + 32;
    for (let i = 0; i < bytes.length; i++) {
      // The salt says nothing, so another salt is simply another consent, with another id.
      if (i >= saltAt && i < saltAt + 32) continue;
      const changed = bytes.slice();
      changed[i] = (changed[i] as number) ^ 1;
      expect(() => decodeConsent(changed), `byte ${i}`).to.throw(MedSealError);
    }
    expect(() => decodeConsent(bytes.slice(0, -1))).to.throw(MalformedError);
    expect(() => decodeConsent(Uint8Array.of(...bytes, 0))).to.throw(MalformedError);
  });

  it("is not made of a consent whose statement says something else", () => {
    expect(() => encodeConsent({ ...sample(), actions: 127 })).to.throw(StatementDiffersError);
  });
});
