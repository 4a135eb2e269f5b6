import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { fromHex, hex, utf8 } from "../../src/bytes/bytes.ts";
import { writeZip } from "../../src/evidence/zip.ts";
import { lacking, openIndependent, runIndependent, type Independent } from "../../scripts/deep/independent.ts";
import { anchored, makeSample, type SampleBatch } from "../../scripts/deep/sample.ts";
import { archiveJson, independently } from "../../scripts/deep/verifiers.ts";
import type { Case } from "../../scripts/vectors/suite.ts";
import { ALL_LATE, world } from "../integration/window-world.ts";

const FOLDER = join(import.meta.dirname, "..", "vectors");
const parse = <T>(file: string): T => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as T;
const { files } = parse<{ files: { file: string; format: string }[] }>("manifest.json");

type BundleCase = Record<"manifest" | "blockHash" | "registryCode" | "anchorCode", string> & {
  readonly blocks: Readonly<Record<string, string>>;
};

describe("a reader written from docs/formats.md alone", () => {
  let by: Independent;

  before(function () {
    const why = lacking();
    if (why !== undefined) {
      console.log(`      skipped: ${why}`);
      this.skip();
    }
    by = openIndependent();
  });

  after(() => by?.close());

  for (const { file, format } of files) {
    it(`${format}: reads and refuses every example as it says`, async () => {
      for (const one of parse<{ cases: Case[] }>(file).cases) {
        const wanted = "error" in one ? { error: one["error"] } : { expected: one["expected"] };
        expect(await by.ask({ vector: { format, case: one } }), one.name).to.deep.equal(wanted);
      }
    });
  }

  it("verifies an archive in a folder, and names what is wrong with it", async () => {
    const sample = makeSample("folder", { streams: 2, epochs: 3, readings: 4, mail: 1 });
    const at = anchored(sample);
    const folder = await mkdtemp(join(tmpdir(), "medseal-independent-"));
    const file = (digest: string): string => join(folder, "blocks", digest);
    await mkdir(join(folder, "blocks"));
    await writeFile(join(folder, "archive.json"), JSON.stringify(archiveJson(sample, at)));
    for (const [digest, block] of at.blocks) await writeFile(file(digest), block);
    const counts = { checkpoints: 2, entries: 6, headers: 6, batches: 6, readings: 24 };
    expect(runIndependent("archive", folder)).to.deep.equal({ findings: [], counts });

    const [gone, changed] = sample.batches as [SampleBatch, SampleBatch];
    await rm(file(hex(gone.entry.batch)));
    await writeFile(file(hex(changed.entry.header)), new Uint8Array(1024));
    const { findings } = runIndependent("archive", folder) as { findings: { kind: string; digest: string }[] };
    expect(findings.map(({ kind, digest }) => `${kind} ${digest}`).sort()).to.deep.equal([
      `altered ${hex(changed.entry.header)}`,
      `missing ${hex(gone.entry.batch)}`,
    ]);
    await rm(folder, { recursive: true });
  });

  it("finds the epoch that a gateway hid by marking all others late, and goes by the release for what is filed", async () => {
    const { sample, entries } = world(ALL_LATE);
    const at = anchored(sample, sample.checkpoints);
    expect(await independently(by, sample, at)).to.deep.equal([`order ${hex(entries[0]!.header)}`]);
    const streams = sample.streams.map((keys) => ({ ...keys, role: "filed" as const }));
    expect(await independently(by, { ...sample, streams }, at)).to.deep.equal([]);
  });

  it("verifies a bundle and a proof in files, and says why it refuses one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "medseal-independent-"));
    const [bundle, proof, other] = [join(folder, "case.zip"), join(folder, "proof.json"), "11".repeat(32)];
    const [whole] = parse<{ cases: (Case & BundleCase)[] }>("evidence.json").cases as [Case & BundleCase];
    const blocks = Object.entries(whole.blocks).map(([cid, block]) => [`blocks/${cid}`, fromHex(block)] as const);
    await writeFile(bundle, writeZip(new Map([["evidence.json", utf8(whole.manifest)], ...blocks])));
    const { blockHash, registryCode, anchorCode } = whole;
    expect(runIndependent("evidence", bundle, blockHash, registryCode, anchorCode)).to.deep.equal(whole["expected"]);
    expect(runIndependent("evidence", bundle, other, registryCode, anchorCode)).to.include({ error: "ERR_EVIDENCE" });

    const [one] = parse<{ cases: (Case & Record<"text" | "blockHash" | "codeHash", string>)[] }>("proof.json").cases;
    await writeFile(proof, one!.text);
    expect(runIndependent("proof", proof, one!.blockHash, one!.codeHash)).to.deep.equal(one!["expected"]);
    expect(runIndependent("proof", proof, other, one!.codeHash)).to.include({ error: "ERR_PROOF" });
    await rm(folder, { recursive: true });
  });

  it("says so of a format that it does not know", async () => {
    const answer = await by.ask({ vector: { format: "no such format", case: {} } });
    expect(answer).to.deep.equal({ unknown: "no such format" });
  });

  it("gives more than 300 cases, good and bad", () => {
    const all = files.flatMap(({ file }) => parse<{ cases: Case[] }>(file).cases);
    expect(all.length).to.be.greaterThan(300);
    expect(all.filter((one) => "error" in one).length).to.be.greaterThan(all.length / 3);
  });
});
