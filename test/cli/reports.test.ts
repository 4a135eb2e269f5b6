import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { FileBlockstore } from "../../src/ipfs/blocks.ts";
import { parseCid } from "../../src/ipfs/cid.ts";
import { fhirProblem } from "../unit/auditor/fhir-shape.ts";
import { wardOf, World } from "./world.ts";

interface AuditJson {
  readonly ok: boolean;
  readonly findings: readonly { level: string; kind: string; cid: string; span?: object }[];
}
interface DisclosuresJson {
  readonly disclosures: readonly { act: string; to?: string; reason: string }[];
  readonly differences: readonly { kind: string }[];
  readonly note: string;
}

describe("reports, audits and disclosures", function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    world = await World.open(true, { inTurn: true });
    await wardOf(world);
  });
  after(() => world.close());

  it("draw what was released, in a page that only its owner may read", async () => {
    await world.run("report --patient Ann --zone Europe/Berlin --html ann.html --as Lee");
    const page = await readFile(world.path("ann.html"), "utf8");
    expect((await stat(world.path("ann.html"))).mode & 0o077).to.equal(0);
    expect(page)
      .to.include("Readings of <bdi>Ann</bdi>")
      .and.include("All verified.")
      .and.include("180 readings of 1 stream");
    expect(page).to.include("09:01:00 to 09:04:00 +01:00 (08:01:00 to 08:04:00 UTC)").and.include("Gateway");
    for (const [line, exit] of [
      ["report --stream oxygen --html x.html --as Lee", 3],
      ["report --stream heart-rate --html ann.html --as Lee", 2],
      ["report --html x.html --as Lee", 2],
      ["report --stream heart-rate --zone Mars --html x.html --as Lee", 2],
      ["report --stream heart-rate --purpose HRESCH --html x.html --as Lee", 3],
    ] as const)
      expect((await world.try(line)).exit, line).to.equal(exit);
  });

  it("find nothing in what is whole, and name the block that was altered, as page, JSON and FHIR", async () => {
    const clean = (await world.json("audit --gateway Gateway --html clean.html --as Lee")) as AuditJson;
    expect(clean).to.deep.include({ ok: true, findings: [] });
    expect(await readFile(world.path("clean.html"), "utf8")).to.include("Nothing was found");
    const bundle = JSON.parse(await world.run("audit --stream heart-rate --fhir --as Lee")) as {
      entry: { resource: { resourceType: string } }[];
    };
    for (const { resource } of bundle.entry) expect(fhirProblem(resource)).to.equal(undefined);

    const first = (await world.run("read --stream heart-rate --format ndjson --as Lee")).split("\n")[0] ?? "";
    const { tag } = (JSON.parse(first) as { proof: { entry: { tag: string } } }).proof.entry;
    const { batch } = (await world.json(`verify --gateway Gateway --batch ${tag} --as Lee`)) as { batch: string };
    const blocks = new FileBlockstore(join(world.path("home"), ".world", "ipfs", "blocks"));
    const file = blocks.path(parseCid(batch));
    const whole = await readFile(file);
    await writeFile(file, whole.with(100, (whole[100] as number) ^ 1));
    try {
      for (const [subject, page] of [
        ["--gateway Gateway", "archive.html"],
        ["--stream heart-rate", "window.html"],
      ] as const) {
        const ran = await world.try(`audit ${subject} --html ${page} --json --as Lee`);
        expect(ran.exit, ran.err).to.equal(1);
        const { findings } = JSON.parse(ran.out) as AuditJson;
        expect(findings.map(({ level, kind, cid }) => [level, kind, cid])).to.deep.equal([
          ["tampering", "altered", batch],
        ]);
        expect(await readFile(world.path(page), "utf8")).to.include(batch);
      }
      const drawn = await world.try("report --stream heart-rate --html damaged.html --as Lee");
      expect(drawn.exit, drawn.err).to.equal(1);
      const page = await readFile(world.path("damaged.html"), "utf8");
      expect(page)
        .to.include("Not all of this can be relied on")
        .and.include("120 readings of 1 stream")
        .and.include(batch);
      expect(page).to.include("not verified: what is there cannot be shown to be what was signed");
    } finally {
      await writeFile(file, whole);
    }
  });

  it("give no report of what does not answer", async () => {
    const away = { MEDSEAL_IPFS: "http://127.0.0.1:9" };
    for (const line of [
      "audit --gateway Gateway --html away.html --as Lee",
      "report --stream heart-rate --html away.html --as Lee",
    ]) {
      expect((await world.try(line, away)).exit, line).to.equal(4);
      expect(await stat(world.path("away.html")).catch(() => "absent")).to.equal("absent");
    }
  });

  it("list disclosures in plain words, without a difference; an auditor finds the same", async () => {
    const own = (await world.json("disclosures --as Ann")) as DisclosuresJson;
    expect(own.disclosures.map(({ act, to, reason }) => [act, to, reason])).to.deep.equal([
      ["leased", "Gateway", ""],
      ["released", "Lee", ""],
    ]);
    expect(own.differences).to.deep.equal([]);
    const said = await world.run("disclosures --out ann.disclosures --as Ann");
    expect(said)
      .to.match(/gave Lee keys\n {2}READ for TREAT; data 2026-03-01T08:01:00Z/)
      .and.match(/2 receipts, difference 0/);
    expect(said).to.include("reads blocks straight from IPFS leaves no trace");
    const carried = (await world.json("disclosures --as Gateway")) as DisclosuresJson;
    expect(carried.disclosures.map(({ act }) => act)).to.deep.equal(["carried"]);

    const audited = (await world.json("disclosures --file ann.disclosures --of Ann --as Lee")) as DisclosuresJson;
    expect(audited.differences).to.deep.equal([]);
    // Of another holder, and with a line left out.
    const other = await world.try("disclosures --file ann.disclosures --of Gateway --json --as Lee");
    expect(other.exit).to.equal(1);
    const accounting = JSON.parse(await readFile(world.path("ann.disclosures"), "utf8")) as { receipts: object[] };
    await writeFile(
      world.path("cut"),
      JSON.stringify({ ...accounting, receipts: accounting.receipts.toSpliced(0, 1) }),
    );
    const cut = await world.try("disclosures --file cut --of Ann --json --as Lee");
    expect(cut.exit).to.equal(1);
    expect((JSON.parse(cut.out) as DisclosuresJson).differences.map(({ kind }) => kind)).to.deep.equal([
      "broken",
      "no-receipt",
    ]);
  });

  it("have a receipt of a refusal after a revocation, and still no difference", async () => {
    await world.run("consent revoke --to Lee --out lee.end --yes --as Ann");
    await world.run("relay lee.end --wait --as Relayer");
    expect((await world.try("release --to Lee --out again.mail --as Ann")).exit).to.equal(2);
    const { disclosures, differences } = (await world.json("disclosures --as Ann")) as DisclosuresJson;
    expect(disclosures.map(({ act }) => act)).to.deep.equal(["leased", "released", "denied"]);
    expect(differences).to.deep.equal([]);
  });
});
