import { expect } from "chai";
import { CODE, sampleBundle } from "../../../scripts/vectors/evidence-sample.ts";
import { writeConsent } from "../../../scripts/vectors/samples.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import type { Bundle } from "../../../src/evidence/bundle.ts";
import { decodeBundle, encodeBundle } from "../../../src/evidence/format.ts";
import { verifyEvidence } from "../../../src/evidence/verify.ts";
import { cidOf } from "../../../src/ipfs/cid.ts";

describe("a bundle whose checkpoint stands on pages", () => {
  const bundle = sampleBundle([writeConsent], "headers", 4095);
  const pages = [...bundle.blocks].filter(([, block]) =>
    Buffer.from(block.subarray(0, 15)).equals(Buffer.from("medseal/page/1\n")),
  );
  const isPage = (digest: string): boolean => pages.some(([page]) => page === digest);
  const verified = (blocks: Bundle["blocks"]): ReturnType<typeof verifyEvidence> =>
    verifyEvidence(decodeBundle(encodeBundle({ ...bundle, blocks })), CODE);

  it("verifies", async () => {
    expect(pages).to.have.length(2);
    expect(await verified(bundle.blocks)).to.include({ ok: true, headers: 2, unshown: 0 });
  });

  it("names every page that is missing or altered, and no other block", async () => {
    const without = new Map([...bundle.blocks].filter(([digest]) => !isPage(digest)));
    const { missing, findings } = await verified(without);
    expect(findings).to.deep.equal([]);
    for (const [, page] of pages) expect(missing.join()).to.include(`page ${cidOf(sha256(page))}`);
    // With the pages the entries of both batches are gone.
    expect(missing).to.have.length(4);

    const altered = new Map(bundle.blocks);
    for (const [digest, page] of pages) altered.set(digest, page.with(40, page[40]! ^ 1));
    const report = await verified(altered);
    expect(report.findings.map(({ kind, object }) => `${kind} ${object}`)).to.deep.equal([
      "altered page",
      "altered page",
    ]);
    expect(report.findings.map(({ cid }) => cid).sort()).to.deep.equal(
      pages.map(([, page]) => cidOf(sha256(page))).sort(),
    );
  });
});
