import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { auditBundle } from "../../../src/auditor/fhir.ts";
import type { FindingKind } from "../../../src/auditor/findings.ts";
import { LEVELS, levelOf, worstFirst } from "../../../src/auditor/severity.ts";
import { readJson, report, vectorPath } from "../../conformance/vectors.ts";
import { archiveAudit, FINDINGS, HOSTILE, windowAudit } from "../report/samples.ts";
import { fhirProblem } from "./fhir-shape.ts";

interface Bundle {
  readonly resourceType: string;
  readonly type: string;
  readonly entry: readonly { fullUrl: string; resource: Record<string, unknown> & { resourceType: string } }[];
}

const BUNDLES = {
  "a clean archive": auditBundle(archiveAudit()) as Bundle,
  "an archive with findings": auditBundle(archiveAudit(FINDINGS)) as Bundle,
  "a window": auditBundle(windowAudit(FINDINGS)) as Bundle,
  "hostile names": auditBundle(windowAudit(FINDINGS, HOSTILE, HOSTILE)) as Bundle,
};

describe("an audit in FHIR R4", () => {
  it("is checked against shapes that the published examples have", function () {
    const folder = vectorPath(this, "fhir-r4");
    const files = readdirSync(folder).filter((name) => /^(AuditEvent|Provenance)-/.test(name));
    for (const name of files) expect(fhirProblem(readJson(join(folder, name))), name).to.equal(undefined);
    report("examples of AuditEvent and Provenance", files.length, 0, "");
  });

  for (const [name, bundle] of Object.entries(BUNDLES)) {
    it(`${name}: a Bundle of resources that are well-formed, each under a name of its own`, () => {
      expect(bundle).to.include({ resourceType: "Bundle", type: "collection" });
      for (const { resource } of bundle.entry) expect(fhirProblem(resource), resource.resourceType).to.equal(undefined);
      const names = bundle.entry.map(({ fullUrl }) => fullUrl);
      expect(new Set(names).size).to.equal(names.length);
      for (const one of names)
        expect(one).to.match(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    });
  }

  it("has an event for the audit, one for each finding, worst first, and a Provenance for each checkpoint", () => {
    const resources = BUNDLES["an archive with findings"].entry.map(({ resource }) => resource);
    const events = resources.filter(({ resourceType }) => resourceType === "AuditEvent");
    expect(events.map(({ outcome }) => outcome)).to.deep.equal(["12", "12", "12", "8", "8", "8", "4"]);
    expect(resources.filter(({ resourceType }) => resourceType === "Provenance")).to.have.length(12);
    expect(BUNDLES["a clean archive"].entry[0]?.resource).to.include({ outcome: "0" });
  });

  it("names nothing twice over two runs and everything alike", () => {
    expect(auditBundle(archiveAudit(FINDINGS))).to.deep.equal(BUNDLES["an archive with findings"]);
  });
});

describe("findings, worst first", () => {
  it("keeps the order of checkpoints inside a level", () => {
    const found = worstFirst(FINDINGS);
    expect(found.map((one) => LEVELS.indexOf(levelOf(one)))).to.deep.equal([0, 0, 1, 1, 2, 3]);
    expect(found.map(({ checkpoint }) => checkpoint)).to.deep.equal([5, 9, 2, 5, 3, 0]);
  });

  it("takes what nobody but a liar can bring about for worse than what an accident can", () => {
    const level = (kind: FindingKind): string => levelOf({ kind, object: "batch", cid: "", checkpoint: 0, text: "" });
    expect(level("swapped")).to.equal("tampering");
    expect(level("missing")).to.equal("loss");
    expect(level("epoch-open")).to.equal("order");
  });
});
