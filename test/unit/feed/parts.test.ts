import { expect } from "chai";
import fc from "fast-check";
import { utf8 } from "../../../src/bytes/bytes.ts";
import { cutLive } from "../../../src/feed/cut.ts";
import { LineSplitter } from "../../../src/feed/lines.ts";
import { isReading, parseMessage, type FeedMessage } from "../../../src/feed/message.ts";
import { Metrics } from "../../../src/feed/metrics.ts";
import type { StreamDescriptor } from "../../../src/log/stream.ts";
import { EPOCH, reading, START } from "../../integration/ward.ts";

describe("lines of a feed", () => {
  it("come out as they were, however they were cut", () => {
    const text = fc.array(fc.stringMatching(/^[a-z]{0,20}$/), { maxLength: 20 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(9)), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const splitter = new LineSplitter(20);
        const found: string[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          for (const line of splitter.push(bytes.subarray(at, at + cut)) ?? []) found.push(line.toString());
          at += cut;
        }
        for (const line of splitter.push(bytes.subarray(at)) ?? []) found.push(line.toString());
        expect(found).to.deep.equal(lines);
      }),
    );
  });

  it("are refused when too long, at once and bit by bit", () => {
    expect(new LineSplitter(4).push(Buffer.from("12345\n"))).to.equal(undefined);
    const splitter = new LineSplitter(4);
    expect(splitter.push(Buffer.from("123"))).to.deep.equal([]);
    expect(splitter.push(Buffer.from("45"))).to.equal(undefined);
  });
});

describe("a message", () => {
  const good = {
    device: "m",
    counter: 1,
    readings: [{ code: "8867-4", unit: "/min", value: 71, effective: "2026-03-01T08:00:00+01:00" }],
  };
  const parsed = (value: unknown): ReturnType<typeof parseMessage> =>
    parseMessage(utf8(typeof value === "string" ? value : JSON.stringify(value)));

  it("keeps every digit and the time as they were written", () => {
    const message = parsed(JSON.stringify(good).replace("71", "7.10e1")) as FeedMessage;
    expect(message.readings[0]).to.deep.include({
      time: "2026-03-01T08:00:00+01:00",
      value: { kind: "quantity", decimal: "7.10e1", comparator: "" },
    });
  });

  it("says which values are absent", () => {
    const message = parsed({
      ...good,
      readings: [{ ...good.readings[0], value: null, absent: "error" }],
    }) as FeedMessage;
    expect(message.readings[0]).to.deep.include({ value: { kind: "missing", reason: "error", source: "" } });
  });

  it("has each channel as it was written, however alike two are written one behind the other", () => {
    const names = [
      ["a", "bc", "m"],
      ["ab", "c", "m"],
      ["a", "b", "cm"],
      ["a", "1 1 b", "m"],
    ] as const;
    const readings = [...names, ...names].map(([system, code, unit]) => ({ ...good.readings[0], system, code, unit }));
    const found = (parsed({ ...good, readings }) as FeedMessage).readings.map((one) => "channel" in one && one.channel);
    expect(found).to.deep.equal([...names, ...names].map(([system, code, unit]) => ({ code: { system, code }, unit })));
    expect(found[0], "so that what is known of a channel is found at once").to.equal(found[4]);
  });

  it("is refused as a whole without device, counter or readings, with a stranger's member, and when it is no JSON", () => {
    const wrong: unknown[] = [
      "",
      "[]",
      "{",
      { ...good, counter: -1 },
      { ...good, counter: 1.5 },
      { ...good, counter: "1" },
    ];
    wrong.push({ ...good, device: "" }, { ...good, readings: [] }, { ...good, more: 1 }, { ...good, sent: "now" });
    wrong.push({ ...good, counter: 2 ** 53 }, '{"device":"m","device":"n","counter":1,"readings":[1]}');
    for (const value of wrong) expect(parsed(value), JSON.stringify(value)).to.have.property("refused");
  });

  it("has its bad readings told one by one, and keeps the good ones", () => {
    const one = good.readings[0];
    const bad = [
      1,
      { ...one, value: "71" },
      { ...one, unit: "%" },
      { ...one, unit: "zzz" },
      { ...one, effective: "2026-02-30T00:00:00Z" },
    ];
    const message = parsed({ ...good, readings: [one, ...bad, { ...one, value: true, more: 1 }] }) as FeedMessage;
    expect(message.readings.map(isReading)).to.deep.equal([true, false, false, false, false, false, false]);
  });
});

describe("a cut of a live stream", () => {
  const stream = {
    epochLength: EPOCH,
    id: new Uint8Array(32),
    name: "s",
    channels: [],
    batchClass: 0,
  } as StreamDescriptor;
  const first = START / EPOCH;
  const seedOf = (): Uint8Array => new Uint8Array(32);
  const atOnce = (): Promise<void> => Promise.resolve();
  const shape = async (
    rows: number[],
    from: number | undefined,
    over: number,
  ): Promise<{ cuts: string[]; from: number }> => {
    const observations = rows.map(reading);
    const { cuts, from: next } = await cutLive(
      { stream, observations, from: from === undefined ? undefined : first + from, over: first + over },
      seedOf,
      atOnce,
    );
    const text = cuts.map(
      ({ epoch, chunk, last }) => `${epoch - first}:${chunk?.observations.length ?? 0}${last ? "!" : ""}`,
    );
    return { cuts: text, from: next - first };
  };

  it("closes what is over, with nothing for idle epochs, and leaves open what is not", async () => {
    expect(await shape([1, 2, 11, 31], undefined, 3)).to.deep.equal({ cuts: ["0:2!", "1:1!", "2:0!", "3:1"], from: 3 });
    expect(await shape([1], undefined, -5)).to.deep.equal({ cuts: ["0:1"], from: -5 });
    expect(await shape([2], 0, 0)).to.deep.equal({ cuts: ["0:1"], from: 0 });
  });

  it("closes an epoch that had readings before with an empty chunk, and says so again with what comes late", async () => {
    expect(await shape([], 0, 2)).to.deep.equal({ cuts: ["0:0!", "1:0!"], from: 2 });
    expect(await shape([1, 25], 2, 2)).to.deep.equal({ cuts: ["0:1!", "2:1"], from: 2 });
  });

  it("never goes back, and closes a long silence bit by bit", async () => {
    expect((await shape([], 5, 3)).from).to.equal(5);
    const { cuts, from } = await shape([], 0, 2500);
    expect([cuts.length, from]).to.deep.equal([1000, 1000]);
  });
});

describe("metrics", () => {
  it("are told in the text format of Prometheus", () => {
    const metrics = new Metrics();
    metrics.family("medseal_x_total", "counter", "What x is.");
    metrics.add("medseal_x_total", { source: "bed-7" }, 2);
    metrics.add("medseal_x_total", { source: "bed-7" });
    expect(metrics.text()).to.equal(
      '# HELP medseal_x_total What x is.\n# TYPE medseal_x_total counter\nmedseal_x_total{source="bed-7"} 3\n',
    );
  });
});
