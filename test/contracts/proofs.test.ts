import { expect } from "chai";
import { proveAll, source } from "../../scripts/smt/prove.ts";

const LEDGER = "contracts/ConsentLedger.sol";

/** The ledger with one line taken out. */
const without = (line: string) => (path: string) => {
  const text = source(path);
  if (path !== LEDGER) return text;
  expect(text).to.contain(line);
  return text.replace(line, "");
};

// the SMTChecker    given the ledger: proves every claim · given one without a rule: does not prove what the rule is for
describe("proofs of the consent ledger", () => {
  it("hold: what has ended is never active, `endedBefore` only rises, a revoked entry never changes", () => {
    const { proved, refuted } = proveAll();
    expect(refuted).to.deep.equal([]);
    expect(proved.length).to.be.at.least(12);
  });

  for (const [line, claim] of [
    ["if (issuedAt <= _endedBefore[grantor]) return;", "endedBefore(grantor) >= ended"],
    ["if (entry.revokedAt != 0) return;", "revokedAfter == revokedAt"],
    [
      "if (entry.revokedAt != 0) return ConsentRevokedAlready.selector;",
      "issuedAfter == issuedAt && grantedAfter == grantedAt",
    ],
    ["&& entry.revokedAt == 0", "revokedAt == 0"],
  ] as const) {
    it(`do not hold of a ledger without \`${line}\``, () => {
      const { refuted } = proveAll(without(line));
      expect(refuted.map((each) => each.claim)).to.include(claim);
    });
  }
});
