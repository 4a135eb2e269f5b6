import { existsSync } from "node:fs";
import { cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { slugOf } from "../../scripts/cli/home.ts";
import { fileOf } from "../../src/ipfs/blocks.ts";
import { DIGEST_SIZE, digestOf } from "../../src/ipfs/cid.ts";
import { sharedWard } from "./shared-ward.ts";
import type { World } from "./world.ts";

const HELD = new URL("held.ts", import.meta.url).href;
/** Milliseconds after which a run writes down what it has checked, and some. */
const NOTING = 2_300;

interface Report {
  readonly ok: boolean;
  readonly resumed: number;
  readonly findings: readonly { kind: string; object: string; cid: string }[];
}

describe("medseal verify, interrupted, and with devices of a registry", function () {
  this.timeout(300_000);
  let world: World;
  let registry: string;
  let recall: () => Promise<void>;
  /** Of each minute that Lee may read. */
  let entries: Entry[];

  before(async () => {
    ({ world, registry, recall } = await sharedWard());
    const lines = (await world.run("read --stream heart-rate --format ndjson --as Lee")).trim().split("\n");
    const [one, two, three] = [0, 60, 120].map((i) => JSON.parse(lines[i] as string) as Shown);
    entries = await Promise.all(
      [one, two, three].map(
        async (shown) =>
          (await world.json(`verify --gateway Gateway --batch ${shown?.proof.entry.tag} --as Lee`)) as Entry,
      ),
    );
  });

  it("names each header that a retired device signed, and those of a recalled one", async () => {
    const found = async (): Promise<string[]> => {
      const ran = await world.try(`verify --stream heart-rate --devices ${registry} --json --as Lee`);
      expect(ran.exit, ran.err).to.equal(1);
      return (JSON.parse(ran.out) as Report).findings.map(({ kind, cid }) => `${kind} ${cid}`);
    };
    const all = (kind: string): string[] => entries.map(({ header }) => `${kind} ${header}`);
    expect(await found()).to.have.members(all("device-retired"));
    await recall();
    expect(await found()).to.have.members([...all("device-retired"), ...all("device-recalled")]);
    expect(await world.run("verify --stream heart-rate --as Lee"), "nobody asked").to.match(/as signed and anchored/);
  });

  async function there(file: string): Promise<void> {
    while (!existsSync(file)) await pause(20);
  }

  /** Until Lee's run has written down what it checked, which is a digest behind a heading. */
  async function noted(): Promise<void> {
    const folder = join(world.path("home"), slugOf("Lee"), "verified");
    const sizes = async (): Promise<number[]> => {
      const names = await readdir(folder).catch(() => []);
      return Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
    };
    while (!(await sizes()).some((size) => size > DIGEST_SIZE)) await pause(50);
  }

  it("goes on where it was killed, checks less, and finds the same", async () => {
    const blocks = join(world.folder, "damaged");
    await cp(join(world.path("home"), ".world", "ipfs", "blocks"), blocks, { recursive: true });
    const [first, second, third] = entries as [Entry, Entry, Entry];
    const fileAt = (cid: string): string => fileOf(blocks, digestOf(cid));
    const altered = await readFile(fileAt(second.batch));
    await writeFile(fileAt(second.batch), altered.with(100, (altered[100] as number) ^ 1));
    // A run is held up at its first header, then one of its threads at the last batch.
    const [begin, end] = [fileAt(first.header), fileAt(third.batch)];
    for (const file of [begin, end]) await writeFile(`${file}.held`, "");
    const line = `verify --stream heart-rate --blocks ${blocks} --workers 3 --as Lee --json`;
    const killed = world.start(line, { NODE_OPTIONS: `--import ${HELD}` });
    await there(`${begin}.reached`);
    await pause(NOTING);
    await rm(`${begin}.held`);
    await there(`${end}.reached`);
    await noted();
    killed.kill("SIGKILL");
    expect((await killed.done).exit).to.equal("SIGKILL");
    await rm(`${end}.held`);

    const report = async (more = ""): Promise<Report> => JSON.parse((await world.try(`${line}${more}`)).out) as Report;
    const { resumed, ...after } = await report();
    expect(resumed, "the first batch").to.equal(1);
    const { resumed: none, ...anew } = await report(" --anew");
    expect(none).to.equal(0);
    expect(after).to.deep.equal(anew);
    expect(after.findings.map(({ kind, cid }) => `${kind} ${cid}`)).to.deep.equal([`altered ${second.batch}`]);
  });

  it("says of a tag that is in no checkpoint that it is not anchored", async () => {
    const tag = "ab".repeat(32);
    for (const line of [`--gateway Gateway --batch ${tag}`, `--stream heart-rate --batch ${tag}`]) {
      const ran = await world.try(`verify ${line} --as Lee`);
      expect(ran.exit, line).to.equal(1);
      expect(ran.err)
        .to.match(/not anchored/)
        .and.to.match(/ERR_UNANCHORED/);
    }
  });
});

interface Entry {
  readonly header: string;
  readonly batch: string;
}

interface Shown {
  readonly proof: { readonly entry: { readonly tag: string } };
}
