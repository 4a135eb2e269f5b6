import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { barOf, progressBar } from "../../scripts/cli/bar.ts";
import { fileOf } from "../../src/ipfs/blocks.ts";
import { digestOf } from "../../src/ipfs/cid.ts";
import { sharedWard } from "./shared-ward.ts";
import type { World } from "./world.ts";

interface Report {
  readonly ok: boolean;
  readonly headers: number;
  readonly batches: number;
  readonly readings: number;
  readonly checkpoints: number;
  readonly objects: number;
  readonly resumed: number;
  readonly findings: readonly { kind: string; object: string; cid: string }[];
}

describe("medseal verify, by what it is asked about", function () {
  this.timeout(300_000);
  let world: World;
  let blocks: string;
  let tag: string;

  before(async () => {
    ({ world } = await sharedWard());
    await world.identity("Auditor");
    await world.run("keys card --as Auditor --out Auditor.card");
    await world.run("contacts add Auditor.card --as Ann --yes");
    for (const name of ["Ann", "Gateway"]) await world.run(`contacts add ${name}.card --as Auditor --yes`);
    const window = "2026-03-01T08:00:00Z..2026-03-01T08:05:00Z";
    await world.run(
      `consent grant --to Auditor --action AUDIT --data ${window} --until 7d --out audit.grant --yes --as Ann`,
    );
    await world.run("relay audit.grant --wait --as Relayer");
    // The gateway is to know whose end it must heed.
    await world.run("gateway lease --to Gateway --out again.lease --as Ann");
    await world.run("gateway accept again.lease --out again.receipt --as Gateway");
    await world.run("gateway confirm again.receipt --as Ann");
    await world.run("release --to Auditor --out audit.mail --as Ann");
    await world.run("inbox --file audit.mail --as Auditor");
    blocks = join(world.folder, "blocks");
    await cp(join(world.path("home"), ".world", "ipfs", "blocks"), blocks, { recursive: true });
    const first = (await world.run("read --stream heart-rate --format ndjson --as Lee")).split("\n")[0] ?? "";
    tag = (JSON.parse(first) as { proof: { entry: { tag: string } } }).proof.entry.tag;
  });

  const verify = (line: string): Promise<unknown> => world.json(`verify ${line}`);

  it("a whole archive: the same from block files as from a node, in one thread and in several, shown as it goes nowhere", async () => {
    const asked = (await verify("--gateway Gateway --as Lee")) as Report;
    expect(asked).to.include({ ok: true, resumed: 0 });
    for (const workers of ["--workers 1", "--workers 3 --anew"]) {
      // In a process of its own, as users have it.
      const ran = await world.start(`verify --gateway Gateway --blocks ${blocks} ${workers} --as Lee --json`).done;
      expect(ran.err, "no progress without a terminal").to.equal("");
      expect(JSON.parse(ran.out)).to.deep.equal(asked);
    }
  });

  it("two histories of an archive: that they are the same as far as both go, and where they part", async () => {
    const audited = (await world.json("audit --gateway Gateway --as Auditor")) as { history: { root: string }[] };
    const { history } = audited;
    const compare = async (other: object): Promise<{ exit: number | string; out: string; err: string }> => {
      await writeFile(join(world.folder, "other.json"), JSON.stringify(other));
      return world.try("verify --gateway Gateway --against other.json --as Lee");
    };
    const same = await compare({ ...audited, history: history.slice(0, -1) });
    expect([same.exit, same.out]).to.satisfy(
      ([exit, out]: [number, string]) => exit === 0 && out.includes(`first ${history.length - 1} checkpoint`),
    );
    const forged = history.with(0, { ...history[0], root: `0x${"11".repeat(32)}` });
    const parted = await compare({ ...audited, history: forged });
    expect(parted.exit).to.equal(1);
    expect(parted.out.match(/^FORKED: checkpoint 0 is /gm)).to.have.length(2);
    expect(await compare({ ...audited, chainId: 1 })).to.include({ exit: 2 });
    expect(await compare({ ...audited, history: [{}] })).to.include({ exit: 2 });
    expect((await world.try("verify --stream heart-rate --against other.json --as Lee")).exit).to.equal(2);
  });

  it("an archive in a window of anchoring: the blocks that were anchored then", async () => {
    const whole = (await verify("--gateway Gateway --as Lee")) as Report;
    const before = (await verify("--gateway Gateway --to 2026-01-01 --as Lee")) as Report;
    expect(before).to.include({ ok: true, checkpoints: whole.checkpoints, objects: whole.checkpoints });
    expect(await verify("--gateway Gateway --from 2026-01-01 --as Lee")).to.deep.equal(whole);
  });

  it("one patient: all that they have released, as deep as that reaches", async () => {
    const read = (await verify("--patient Ann --as Lee")) as {
      streams: (Report & { stream: string; depth: string })[];
    };
    expect(read.streams.map(({ stream, depth, readings }) => [stream, depth, readings])).to.deep.equal([
      ["heart-rate", "read", 180],
    ]);
    const audited = (await verify(`--patient Ann --blocks ${blocks} --as Auditor`)) as typeof read & { ok: boolean };
    expect(audited.ok).to.equal(true);
    expect(
      audited.streams.map(({ stream, depth, headers, readings }) => [stream, depth, headers, readings]),
    ).to.have.deep.members([
      ["heart-rate", "audit", 5, 0],
      ["oxygen", "audit", 5, 0],
    ]);
  });

  it("one stream and one window of it, at both depths", async () => {
    expect(await verify("--stream heart-rate --as Lee")).to.include({
      ok: true,
      headers: 3,
      batches: 3,
      readings: 180,
    });
    const minute = "--from 2026-03-01T08:02:00Z --to 2026-03-01T08:03:00Z";
    expect(await verify(`--stream heart-rate ${minute} --as Lee`)).to.include({ ok: true, headers: 1, readings: 60 });
    expect(await verify(`--stream heart-rate ${minute} --blocks ${blocks} --as Auditor`)).to.include({
      ok: true,
      headers: 1,
      batches: 0,
    });
  });

  it("flags no reading of a living body, and looks only where there are keys to read", async () => {
    const plausible = async (who: string): Promise<unknown> =>
      ((await verify(`--stream heart-rate --plausible --as ${who}`)) as { flags?: unknown }).flags;
    expect(await plausible("Lee")).to.deep.equal([]);
    expect(await plausible("Auditor")).to.equal(undefined);
  });

  it("one batch: without a key, with keys to audit, and with keys to read", async () => {
    expect(await verify(`--gateway Gateway --batch ${tag} --as Lee`)).to.include({ ok: true, tag });
    const [audited, read] = ["Auditor", "Lee"].map((who) => `--stream heart-rate --batch ${tag} --as ${who}`);
    expect(await verify(audited as string)).to.include({ ok: true, headers: 1, batches: 0, unfinished: 0 });
    expect(await verify(read as string)).to.include({ ok: true, headers: 1, batches: 1, readings: 60 });
    const other = await world.try(`verify --stream heart-rate --batch ${tag} --from 2026-03-01T08:02:00Z --as Lee`);
    expect([other.exit, other.err]).to.satisfy(([exit, err]: [number, string]) => exit === 2 && /no batch/.test(err));
  });

  it("one reading: its leaf with keys to read, the headers of its time with keys to audit", async () => {
    const at = "--stream heart-rate --at 2026-03-01T08:02:03Z";
    const { places, ...read } = (await verify(`${at} --as Lee`)) as {
      places: { code: string; leaf: { index: number; count: number } }[];
    };
    expect(read).to.deep.include({ ok: true, depth: "read", findings: [] });
    expect(places.map(({ code, leaf }) => [code, leaf])).to.deep.equal([["8867-4", { index: 3, count: 60 }]]);
    const audited = (await verify(`${at} --as Auditor`)) as { places: { leaf?: object }[] };
    expect(audited).to.include({ ok: true, depth: "audit" });
    expect(audited.places.map(({ leaf }) => leaf)).to.deep.equal([undefined]);
    const none = await world.try(`verify ${at} --code 59408-5 --as Lee`);
    expect([none.exit, none.err]).to.satisfy(([exit, err]: [number, string]) => exit === 2 && /no reading/.test(err));
  });

  it("names an altered batch at every depth that sees it, and at no other place", async () => {
    const { batch } = (await verify(`--gateway Gateway --batch ${tag} --as Lee`)) as { batch: string };
    const file = fileOf(blocks, digestOf(batch));
    const whole = await readFile(file);
    await writeFile(file, whole.with(100, (whole[100] as number) ^ 1));
    const found = async (line: string): Promise<string[]> => {
      const ran = await world.try(`verify ${line} --blocks ${blocks} --json`);
      const { findings } = JSON.parse(ran.out) as Report;
      expect(ran.exit, line).to.equal(findings.length > 0 ? 1 : 0);
      return findings.map(({ kind, cid }) => `${kind} ${cid}`);
    };
    try {
      const wrong = [`altered ${batch}`];
      expect(await found(`--gateway Gateway --batch ${tag} --as Lee`)).to.deep.equal(wrong);
      expect(await found("--stream heart-rate --as Lee")).to.deep.equal(wrong);
      expect(await found("--stream heart-rate --at 2026-03-01T08:01:03Z --as Lee")).to.deep.equal(wrong);
      expect(await found("--stream heart-rate --at 2026-03-01T08:02:03Z --as Lee")).to.deep.equal([]);
      expect(await found("--stream heart-rate --as Auditor"), "without opening it").to.deep.equal(wrong);
      const told = await world.try(`verify --patient Ann --blocks ${blocks} --as Lee`);
      expect(told.out).to.include("1 finding").and.to.include(`ALTERED: heart-rate: batch ${batch}`);
    } finally {
      await writeFile(file, whole);
    }
  });

  it("refuses what it does not understand, and folders without blocks are an outage", async () => {
    for (const [line, exit, says] of [
      ["--gateway Gateway --plausible", 2, /--plausible goes with --stream or --patient/],
      ["--gateway Gateway --workers 0", 2, /--workers is not 1 to/],
      ["--gateway Gateway --from 2026-03-02 --to 2026-03-01", 2, /--to does not come after/],
      ["--stream heart-rate --at noon", 2, /--at is no instant/],
      [`--patient Ann --batch ${tag}`, 2, /--stream says which/],
      ["--stream heart-rate --devices 0x12", 2, /--devices is no address/],
      ["--gateway Gateway --blocks nowhere", 4, /no blocks in this folder/],
    ] as const) {
      const ran = await world.try(`verify ${line} --as Lee`);
      expect(ran.exit, line).to.equal(exit);
      expect(ran.err, line).to.match(says);
    }
  });
});

describe("a progress bar", () => {
  it("shows how far something is, and never more or less than all", () => {
    expect(barOf(0.25, "1,024 blocks")).to.equal("[######------------------]  25 %  1,024 blocks");
    expect(barOf(-1, "")).to.match(/^\[-{24}\] {3}0 %/);
    expect(barOf(1.5, "")).to.match(/^\[#{24}\] 100 %/);
  });

  it("is not drawn at every step", () => {
    const drawn: string[] = [];
    const show = progressBar({ progress: (text) => drawn.push(text) });
    for (let i = 0; i < 1000; i++) show(i / 1000, "");
    expect(drawn.length).to.be.within(1, 20);
  });
});
