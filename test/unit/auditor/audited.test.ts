import { expect } from "chai";
import { reachOf } from "../../../src/auditor/audited.ts";
import { archiveAudit } from "../report/samples.ts";

describe("what an audit of a whole archive has shown", () => {
  const showsWith = (erased: number): string => {
    const audited = archiveAudit();
    if (audited.kind !== "archive") throw new Error("an archive expected");
    return reachOf({ ...audited, report: { ...audited.report, erased } }).shows;
  };

  it("is that nothing was removed, where nothing was declared erased", () => {
    expect(showsWith(0)).to.equal("nothing that was anchored was altered or removed");
  });

  it("never says so of what the gateway declares erased, and says whose word that is", () => {
    expect(showsWith(1)).to.match(/removed but what the gateway itself declares erased$/);
  });
});
