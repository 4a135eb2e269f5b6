import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parseConfig } from "../../../src/feed/config.ts";
import type { Fields } from "../../../src/feed/log.ts";
import { Service } from "../../../src/feed/service.ts";
import { Sums } from "../../../src/feed/sums.ts";
import { twinRows } from "../../../src/state/twin.ts";

const EXAMPLE = new URL("../../../examples/gateway.json", import.meta.url);

describe("a running gateway", () => {
  it("is not healthy when ends were not looked for in the last ten seconds, whatever the step hangs on", async () => {
    const folder = await mkdtemp(join(tmpdir(), "medseal-service-"));
    const rows = twinRows(join(folder, "journal.sqlite"));
    let time = 1_000;
    const service = new Service({
      config: parseConfig(await readFile(EXAMPLE, "utf8")),
      rows,
      secret: new Uint8Array(32),
      disk: folder,
      log: () => undefined,
      timeOf: (block) => Promise.resolve(block),
      now: () => time,
    });
    time += 10;
    expect(service.health()).to.deep.equal([]);
    time += 1;
    expect(service.health()).to.deep.equal(["heed: not through for 10 seconds"]);
    rows.close();
    await rm(folder, { recursive: true });
  });
});

describe("a sum of what comes often", () => {
  it("is told once for what comes in one go, and the rest together", async () => {
    const told: Fields[] = [];
    const sums = new Sums((sum) => told.push(sum), 3_600_000);
    const go = (count: number, code: string): void => {
      for (let counter = 0; counter < count; counter++) sums.add({ source: "bed-7", code }, 2, { counter });
    };
    go(500, "ERR_UNIT");
    go(1, "ERR_NO_LEASE");
    await new Promise(setImmediate);
    expect(told).to.deep.equal([
      { source: "bed-7", code: "ERR_UNIT", counter: 0, messages: 500, readings: 1000 },
      { source: "bed-7", code: "ERR_NO_LEASE", counter: 0, messages: 1, readings: 2 },
    ]);
    go(300, "ERR_UNIT");
    go(200, "ERR_UNIT");
    await new Promise(setImmediate);
    expect(told, "it rests").to.have.length(2);
    sums.end();
    expect(told.slice(2)).to.deep.equal([
      { source: "bed-7", code: "ERR_UNIT", counter: 0, messages: 500, readings: 1000 },
    ]);
  });
});
