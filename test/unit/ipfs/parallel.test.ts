import { expect } from "chai";
import { parallel } from "../../../src/ipfs/parallel.ts";
import { StoreLock } from "../../../src/ipfs/lock.ts";
import { failure } from "./support.ts";

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

describe("work in parallel", () => {
  it("keeps the order of the items and never exceeds the limit", async () => {
    let running = 0;
    let most = 0;
    const results = await parallel([5, 1, 4, 2, 3, 0], 2, async (item) => {
      most = Math.max(most, ++running);
      for (let i = 0; i < item; i++) await turn();
      running--;
      return item * 10;
    });
    expect(results).to.deep.equal([50, 10, 40, 20, 30, 0]);
    expect(most).to.equal(2);
  });

  it("starts nothing after a failure, and ends only when nothing runs any more", async () => {
    const started: number[] = [];
    const ended: number[] = [];
    const work = parallel([0, 1, 2, 3], 2, async (item) => {
      started.push(item);
      if (item === 0) throw new RangeError("first");
      for (let i = 0; i < 5; i++) await turn();
      ended.push(item);
    });
    await failure(work, RangeError);
    expect([started, ended]).to.deep.equal([[0, 1], [1]]);
  });
});

describe("lock of the store", () => {
  it("lets shared work go on together and other work alone, first come, first served", async () => {
    const lock = new StoreLock();
    const log: string[] = [];
    const work = (name: string) => async (): Promise<void> => {
      log.push(`+${name}`);
      await turn();
      await turn();
      log.push(`-${name}`);
    };
    await Promise.all([
      ...[lock.shared(work("a")), lock.shared(work("b")), lock.alone(work("C")), lock.shared(work("d"))],
      ...[lock.alone(work("E")), lock.shared(work("f")), lock.shared(work("g"))],
    ]);
    expect(log.join(" ")).to.equal("+a +b -a -b +C -C +d -d +E -E +f +g -f -g");
  });

  it("goes on after work that failed", async () => {
    const lock = new StoreLock();
    const fail = (): Promise<never> => Promise.reject(new RangeError("failed"));
    const failures = [lock.shared(fail), lock.alone(fail)].map((work) => failure(work, RangeError));
    expect(await lock.alone(() => Promise.resolve(1))).to.equal(1);
    await Promise.all(failures);
  });
});
