import { appendFileSync, existsSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { fromHex, hex } from "../../src/bytes/bytes.ts";
import { Archive } from "../../src/archive/archive.ts";
import type { ReadBlock } from "../../src/archive/checkpoints.ts";
import type { LookAtBlocks } from "../../src/auditor/checks.ts";
import { Crew } from "../../src/auditor/crew.ts";
import { Notes, resumedCheck, resumedLook } from "../../src/auditor/notes.ts";
import { verifyArchive, type AuditReport } from "../../src/auditor/verify.ts";
import { verifyWindow, type WindowOptions, type WindowReport } from "../../src/auditor/window.ts";
import type { Access } from "../../src/grantee/access.ts";
import type { ReaderDeps } from "../../src/grantee/read.ts";
import { BlockFiles } from "../../src/ipfs/block-files.ts";
import { FileBlockstore, fileOf } from "../../src/ipfs/blocks.ts";
import { anchored, EPOCH_LENGTH, makeSample, START } from "../../scripts/deep/sample.ts";
import { storeOf, type Changes } from "../../scripts/deep/verifiers.ts";
import { failureOf } from "./times.ts";

const EPOCHS = 120;
const NOW = 1_800_000_000;

describe("an audit of block files", () => {
  const sample = makeSample("files", { streams: 1, epochs: EPOCHS, readings: 30, mail: 16 });
  const { history, blocks } = anchored(sample);
  const [keys] = sample.streams as [(typeof sample.streams)[number]];
  const root = mkdtempSync(join(tmpdir(), "medseal-files-"));
  const folder = join(root, "blocks");
  const notesFile = join(root, "verified", "notes");
  const files = new BlockFiles(folder);
  const realNow = Date.now;
  after(() => {
    Date.now = realNow;
    rmSync(root, { recursive: true, force: true });
  });

  /** Some of every kind: altered, cut short, missing, swapped; headers, batches and envelopes. */
  const names = [...blocks.keys()].filter((name) => !history.some(({ digest }) => hex(digest) === name));
  const changes: Changes = new Map(
    names.flatMap((name, i): [string, Uint8Array | undefined][] => {
      const block = blocks.get(name) as Uint8Array;
      if (i % 17 === 3) return [[name, block.with(i, (block[i] as number) ^ 1)]];
      if (i % 29 === 5) return [[name, block.slice(0, i)]];
      if (i % 31 === 7) return [[name, undefined]];
      if (i % 37 === 9) return [[name, blocks.get(names[(i + 5) % names.length] as string)]];
      return [];
    }),
  );

  const put = (name: string, bytes: Uint8Array | undefined): void => {
    if (bytes) writeFileSync(fileOf(folder, fromHex(name)), bytes);
    else rmSync(fileOf(folder, fromHex(name)));
  };
  const damage = (): void => changes.forEach((bytes, name) => put(name, bytes));
  const mend = (): void => changes.forEach((_, name) => put(name, blocks.get(name)));

  before(async () => {
    await new FileBlockstore(folder).open();
    for (const [name, block] of blocks) put(name, block);
  });

  const read: ReadBlock = async (digest) => Promise.resolve(files.read(digest));
  const keyless = (look?: LookAtBlocks): Promise<AuditReport> =>
    verifyArchive(sample.place, history, read, look && { look });
  async function withKeys(check?: WindowOptions["check"], from = read): Promise<WindowReport> {
    const archive = new Archive(sample.place, from);
    await archive.update(history);
    const watch = { intervals: () => [{ from: 0 }] };
    const deps = { archiveOf: () => archive, read: from, watch } as unknown as ReaderDeps;
    const request = { stream: keys.stream.id, from: START, to: START + EPOCHS * EPOCH_LENGTH, purpose: "TREAT" };
    return verifyWindow({ keys: [keys] } as unknown as Access, request, deps, undefined, { check });
  }

  it("finds the same in the same order in one thread, in several, and by asking a store", async () => {
    damage();
    const store = storeOf(blocks, changes);
    const asked = await verifyArchive(sample.place, history, store);
    const askedWithKeys = await withKeys(undefined, store);
    expect(asked.findings.length).to.be.greaterThan(25);
    expect(new Set(asked.findings.map(({ kind }) => kind))).to.include.all.keys("altered", "truncated", "missing");
    expect(askedWithKeys.findings.length).to.be.greaterThan(15);
    for (const count of [1, 2, 3]) {
      const crew = new Crew(files, count, 0);
      try {
        expect(await keyless(crew.look), `${count} threads`).to.deep.equal(asked);
        expect(await withKeys(crew.checkBatch), `${count} threads`).to.deep.equal(askedWithKeys);
      } finally {
        await crew.close();
      }
    }
    mend();
  });

  it("names a batch that does not fit its header in the same words in several threads", async () => {
    const crew = new Crew(files, 2, 0);
    const other = makeSample("another", { streams: 1, epochs: EPOCHS, readings: 30, mail: 0 });
    try {
      const wrong = { ...keys, data: other.streams[0]!.data };
      const archive = new Archive(sample.place, read);
      await archive.update(history);
      const watch = { intervals: () => [{ from: 0 }] };
      const deps = { archiveOf: () => archive, read, watch } as unknown as ReaderDeps;
      const request = { stream: keys.stream.id, from: START, to: START + EPOCHS * EPOCH_LENGTH, purpose: "TREAT" };
      const audit = (check?: WindowOptions["check"]): Promise<WindowReport> =>
        verifyWindow({ keys: [wrong] } as unknown as Access, request, deps, undefined, { check });
      const alone = await audit();
      expect(alone.findings).to.have.length(EPOCHS);
      expect(await audit(crew.checkBatch)).to.deep.equal(alone);
    } finally {
      await crew.close();
    }
  });

  it("is an outage in every thread when the folder is away", async () => {
    const crew = new Crew(files, 2, 0);
    renameSync(folder, `${folder}-away`);
    try {
      const digests = names.map(fromHex);
      for (const by of [crew, new Crew(files, 1)])
        expect(await failureOf(by.look(digests))).to.include({ code: "ERR_STORE_UNAVAILABLE", exit: 4 });
    } finally {
      renameSync(`${folder}-away`, folder);
      await crew.close();
    }
  });

  describe("that was interrupted", () => {
    let looked: string[];
    /** Stops before the given block; in a time in which the files are old. */
    const run = async (stopAt: string | undefined, time = NOW, anew = false): Promise<[AuditReport?, number?]> => {
      looked = [];
      const notes = new Notes(notesFile, time, { anew, long: -1, every: -1 });
      const crew = new Crew(files, 1);
      const look: LookAtBlocks = async (digests) => {
        const before = digests.map(hex);
        const at = stopAt === undefined ? -1 : before.indexOf(stopAt);
        looked.push(...before);
        if (at === -1) return crew.look(digests);
        throw new Error("interrupted");
      };
      try {
        const report = await keyless(inPieces(resumedLook(look, notes, files)));
        notes.end();
        return [report, notes.resumed];
      } catch (error) {
        expect((error as Error).message).to.equal("interrupted");
        return [];
      }
    };
    const inPieces =
      (look: LookAtBlocks): LookAtBlocks =>
      async (digests) => {
        const outcomes: Awaited<ReturnType<LookAtBlocks>> = [];
        for (let i = 0; i < digests.length; i += 10) outcomes.push(...(await look(digests.slice(i, i + 10))));
        return outcomes;
      };
    let last: string;

    before(async () => {
      Date.now = () => realNow() + 60_000;
      await run(undefined);
      last = looked.at(-1) as string;
    });
    after(() => {
      Date.now = realNow;
    });
    beforeEach(() => rmSync(notesFile, { force: true }));

    it("goes on where it stopped, and leaves nothing behind", async () => {
      const whole = await keyless();
      expect(await run(last)).to.deep.equal([]);
      const all = looked.length;
      expect(existsSync(notesFile)).to.equal(true);
      const [report, resumed = 0] = await run(undefined);
      expect(report).to.deep.equal(whole);
      expect(resumed).to.be.greaterThan(0);
      expect(looked.length + resumed).to.equal(whole.objects - history.length);
      expect(looked.length).to.be.lessThan(all);
      expect(existsSync(notesFile)).to.equal(false);
    });

    it("looks again at what was found wrong, and at every file that changed since", async () => {
      damage();
      await run(last);
      const first = [...looked];
      const findings = (await keyless()).findings.length;
      const [again] = await run(undefined);
      expect(again?.findings).to.have.length(findings);
      for (const name of changes.keys()) expect(looked).to.include(name);
      mend();

      await run(last);
      const victim = first[2] as string;
      put(victim, (blocks.get(victim) as Uint8Array).with(0, (blocks.get(victim) as Uint8Array)[0]! ^ 1));
      const [found] = await run(undefined);
      expect(found?.findings.map(({ kind }) => kind)).to.deep.equal(["altered"]);
      put(victim, blocks.get(victim));
    });

    it("begins anew after a day, when asked to, and with notes of something else", async () => {
      for (const [time, anew] of [
        [NOW + 86_401, false],
        [NOW - 1, false],
        [NOW, true],
      ] as const) {
        await run(last);
        expect((await run(undefined, time, anew))[1], `${time} ${anew}`).to.equal(0);
      }
      await run(last);
      writeFileSync(notesFile, "something else, that is as long as a heading and some notes, or longer than that\n");
      expect((await run(undefined))[1]).to.equal(0);
    });

    it("takes no note that was cut off, nor zeros, and goes on behind them", async () => {
      await run(last);
      appendFileSync(notesFile, Buffer.alloc(64 + 7));
      const [report, resumed] = await run(undefined);
      expect(report?.ok).to.equal(true);
      await run(last);
      const kept = resumed as number;
      truncateSync(notesFile, 25 + 32 * kept - 5);
      expect((await run(undefined))[1]).to.equal(kept - 1);
    });

    it("goes on with batches as with blocks", async () => {
      const crew = new Crew(files, 1);
      let [checked, stop] = [0, 70];
      const check: WindowOptions["check"] = async (task) => {
        if (++checked > stop) throw new Error("interrupted");
        await crew.checkBatch(task);
      };
      const audit = async (): Promise<[WindowReport, number]> => {
        const notes = new Notes(notesFile, NOW, { long: -1, every: -1 });
        return [await withKeys(resumedCheck(check, notes, files)), notes.resumed];
      };
      expect(await failureOf(audit())).to.have.property("message", "interrupted");
      [checked, stop] = [0, Infinity];
      const [report, resumed] = await audit();
      expect(report).to.deep.equal(await withKeys());
      expect(resumed).to.be.greaterThan(0);
      expect(checked + resumed).to.equal(EPOCHS);
    });
  });
});
