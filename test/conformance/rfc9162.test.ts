import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { verifyConsistency, verifyInclusion } from "../../src/log/merkle.ts";
import { readJson, report, vectorPath } from "./vectors.ts";

interface Case {
  readonly desc: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
}

interface InclusionCase extends Case {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
}

interface ConsistencyCase extends Case {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
}

const base64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const proofOf = ({ proof }: Case): Uint8Array[] => (proof ?? []).map(base64);

const casesIn = <T>(folder: string): [string, T][] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json"))
    .map((file) => [file, readJson<T>(join(folder, file))]);

describe("RFC 9162 proofs", () => {
  it("inclusion: takes the good ones, refuses the others", function () {
    const cases = casesIn<InclusionCase>(vectorPath(this, "rfc9162", "inclusion"));
    for (const [file, test] of cases) {
      const found = verifyInclusion(
        base64(test.leafHash),
        test.leafIdx,
        test.treeSize,
        proofOf(test),
        base64(test.root),
      );
      expect(found, file).to.equal(!test.wantErr);
    }
    expect(cases.some(([, { wantErr }]) => !wantErr)).to.equal(true);
    report("inclusion proofs", cases.length, 0, "");
  });

  it("consistency: takes the good ones, refuses the others", function () {
    const cases = casesIn<ConsistencyCase>(vectorPath(this, "rfc9162", "consistency"));
    for (const [file, test] of cases) {
      const found = verifyConsistency(test.size1, test.size2, base64(test.root1), base64(test.root2), proofOf(test));
      expect(found, file).to.equal(!test.wantErr);
    }
    expect(cases.some(([, { wantErr }]) => !wantErr)).to.equal(true);
    report("consistency proofs", cases.length, 0, "");
  });
});
