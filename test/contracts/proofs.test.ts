import { expect } from "chai";
import { proveAll, source } from "../../scripts/smt/prove.ts";

const LEDGER = "contracts/ConsentLedger.sol";
const EMERGENCY = "contracts/EmergencyAccess.sol";

/** The contract with one line taken out, and of its proof the one function with claims on that: the others take most of the time. */
const without = (line: string, from: string, claims: string) => (path: string) => {
  const text = source(path);
  if (path.endsWith("Proof.sol")) return onlyClaims(claims, text);
  if (path !== from) return text;
  expect(text).to.contain(line);
  return text.replace(line, "");
};

const FUNCTION = /^ {4}function (\w+)\([^]*?\n {4}}\n/gm;

function onlyClaims(name: string, proof: string): string {
  const isLeft = (text: string, of: string): boolean => of === name || !text.includes("assert(");
  const left = proof.replace(FUNCTION, (text: string, of: string) => (isLeft(text, of) ? text : ""));
  expect(left).to.contain(`function ${name}(`).and.to.contain("assert(");
  return left;
}

// the SMTChecker    given the ledger: proves every claim · given one without a rule: does not prove what the rule is for
describe("proofs of the consent ledger", () => {
  it("hold: what has ended is never active, `endedBefore` only rises, a revoked entry never changes", () => {
    const { proved, refuted } = proveAll(source, ["LedgerProof"]);
    expect(refuted).to.deep.equal([]);
    expect(proved.length).to.be.at.least(12);
  });

  for (const [line, claims, claim] of [
    ["if (issuedAt <= _endedBefore[grantor]) return;", "revokeAllOnlyRises", "endedBefore(grantor) >= ended"],
    ["if (entry.revokedAt != 0) return;", "revokeKeepsWhatHasEnded", "revokedAfter == revokedAt"],
    [
      "if (entry.revokedAt != 0) return ConsentRevokedAlready.selector;",
      "grantKeepsWhatHasEnded",
      "issuedAfter == issuedAt && grantedAfter == grantedAt",
    ],
    ["&& entry.revokedAt == 0", "activeMeansGrantedAndNotEnded", "revokedAt == 0"],
  ] as const) {
    it(`do not hold of a ledger without \`${line}\``, () => {
      const { refuted } = proveAll(without(line, LEDGER, claims), ["LedgerProof"]);
      expect(refuted.map((each) => each.claim)).to.include(claim);
    });
  }
});

describe("proofs of emergency access", () => {
  it("hold: nothing is open four hours after it was declared, and no end moves to a later time", () => {
    const { proved, refuted } = proveAll(source, ["EmergencyProof"]);
    expect(refuted).to.deep.equal([]);
    expect(proved.length).to.equal(7);
  });

  const refusal = "if (_now() >= emergency.endsAt) revert EmergencyNotOpen(msg.sender, commitment);";
  it(`do not hold without \`${refusal}\``, () => {
    const { refuted } = proveAll(without(refusal, EMERGENCY, "endKeepsTerms"), ["EmergencyProof"]);
    expect(refuted.map(({ claim }) => claim)).to.deep.equal(["endsAfter <= endsAt"]);
  });

  it("do not pass for proofs of a contract that is written otherwise", () => {
    expect(() => proveAll((path) => source(path).replaceAll(" restricted", ""), ["EmergencyProof"])).to.throw();
  });
});

describe("proofs of parties and recoveries", () => {
  it("hold: who is expired, suspended or revoked is not accredited", () => {
    const { proved, refuted } = proveAll(source, ["StandingProof"]);
    expect(refuted).to.deep.equal([]);
    expect(proved.length).to.equal(5);
  });

  it("hold: a recovery is open in its time only, and never once vetoed", () => {
    const { proved, refuted } = proveAll(source, ["RecoveryProof"]);
    expect(refuted).to.deep.equal([]);
    expect(proved.length).to.equal(8);
  }).timeout(300_000);

  for (const [line, from, name, claims, claim] of [
    [
      "if (standing.mark == Mark.Revoked) return IPartyRegistry.Status.Revoked;",
      "contracts/libraries/PartyStanding.sol",
      ...(["StandingProof", "accreditedMeansInForce", "mark != PartyStanding.Mark.Revoked"] as const),
    ],
    [
      "if (times.vetoedAt != 0) return;",
      "contracts/VaultRecovery.sol",
      ...(["RecoveryProof", "vetoIsForGood", "vetoedAfter == vetoedAt"] as const),
    ],
  ] as const) {
    it(`do not hold without \`${line}\``, () => {
      const { refuted } = proveAll(without(line, from, claims), [name]);
      expect(refuted.map((each) => each.claim)).to.include(claim);
    });
  }
});
