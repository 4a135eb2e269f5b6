import { expect } from "chai";
import fc from "fast-check";
import { ENDED, type AlertEvent, type Watch } from "../../../src/alerts/alert.ts";
import { Monitor } from "../../../src/alerts/monitor.ts";
import type { Rule } from "../../../src/alerts/rule.ts";
import { Timeline } from "../../../src/alerts/timeline.ts";
import { BEGIN, NEWS2_SCALE_1, SECOND, ruleOf, say, value } from "./samples.ts";

const MINUTE = 60 * SECOND;
const at = (seconds: number): number => BEGIN + seconds * SECOND;
const watch = (rule: Rule, lateness = 60 * MINUTE): Watch => ({
  rule,
  responders: ["nurse", "doctor"],
  answerWithin: 5 * MINUTE,
  lateness,
});
const HIGH = ruleOf("threshold", { trigger: { hysteresis: 5n, raiseAfter: 5 * SECOND, clearAfter: 10 * SECOND } });
const SILENT = ruleOf("absence");

/** What happened, without when: `opened`, `notified nurse`, … */
const told = (events: readonly AlertEvent[]): readonly string[] =>
  events.map((event) => ("to" in event ? `${event.kind} ${event.to}` : event.kind));

/** One reading a second from `from` on, the clock ticking beside it. */
function feed(monitor: Monitor, rule: Rule, from: number, values: readonly number[]): readonly AlertEvent[] {
  return values.flatMap((one, i) => [
    ...monitor.tick(at(from + i)),
    ...monitor.observe(rule.name, value(at(from + i), one), at(from + i)),
  ]);
}
const steady = (one: number, seconds: number): readonly number[] => Array.from({ length: seconds }, () => one);
const idOf = (monitor: Monitor, which = 0): string => monitor.alerts[which]?.id ?? "none";

describe("life of an alert", () => {
  it("opens, asks, escalates, is acknowledged, and is over when its condition has ended", () => {
    const monitor = new Monitor([watch(HIGH)]);
    expect(told(feed(monitor, HIGH, 0, [...steady(70, 5), ...steady(130, 10)]))).to.deep.equal([
      "opened",
      "notified nurse",
    ]);
    expect(told(feed(monitor, HIGH, 15, steady(130, 400)))).to.deep.equal(["escalated doctor"]);
    expect(told(monitor.acknowledge(idOf(monitor), "doctor", at(415)))).to.deep.equal(["acknowledged"]);
    expect(told(feed(monitor, HIGH, 416, steady(130, 1000)))).to.deep.equal([]);
    expect(told(feed(monitor, HIGH, 1416, steady(70, 20)))).to.deep.equal(["cleared", "resolved"]);
    expect(monitor.alerts[0]).to.include({ acknowledgedBy: "doctor", resolvedBy: ENDED });
  });

  it("does not vanish unseen: cleared but not acknowledged, it stays and is escalated", () => {
    const monitor = new Monitor([watch(HIGH)]);
    const events = feed(monitor, HIGH, 0, [...steady(130, 10), ...steady(70, 400)]);
    expect(told(events)).to.deep.equal(["opened", "notified nurse", "cleared", "escalated doctor"]);
    expect(told(monitor.acknowledge(idOf(monitor), "nurse", at(500)))).to.deep.equal(["acknowledged", "resolved"]);
  });

  it("takes up a further episode while it is open, and opens another alert after it is over", () => {
    const monitor = new Monitor([watch(HIGH)]);
    const twice = [...steady(130, 10), ...steady(70, 20), ...steady(130, 10), ...steady(70, 20)];
    expect(told(feed(monitor, HIGH, 0, twice))).to.deep.equal([
      "opened",
      "notified nurse",
      "cleared",
      "raisedAgain",
      "cleared",
    ]);
    monitor.acknowledge(idOf(monitor), "nurse", at(60));
    expect(told(feed(monitor, HIGH, 61, steady(130, 10)))).to.deep.equal(["opened", "notified nurse"]);
    expect(monitor.alerts.map(({ raisedAt }) => raisedAt)).to.deep.equal([at(5), at(66)]);
  });

  it("is over when somebody resolves it, and the next episode is another", () => {
    const monitor = new Monitor([watch(HIGH)]);
    feed(monitor, HIGH, 0, steady(130, 10));
    monitor.resolve(idOf(monitor), "doctor", at(10));
    expect(told(feed(monitor, HIGH, 10, [...steady(130, 60), ...steady(70, 20)]))).to.deep.equal([]);
    expect(told(feed(monitor, HIGH, 90, steady(130, 10)))).to.deep.equal(["opened", "notified nurse"]);
    expect(() => monitor.acknowledge(idOf(monitor), "nurse", at(100)))
      .to.throw()
      .with.property("code", "ERR_NO_SUCH_ALERT");
  });

  it("is another one where a condition begins in the moment in which the resolved one ended", () => {
    const rule = ruleOf("score", { trigger: { clearAfter: 5 * SECOND } });
    const monitor = new Monitor([watch(rule)]);
    feed(monitor, rule, 0, steady(130, 5));
    monitor.resolve(idOf(monitor), "doctor", at(5));
    expect(told(monitor.observe(rule.name, value(at(5), 70), at(5)))).to.deep.equal([]);
    expect(told(monitor.observe(rule.name, value(at(10), 130), at(10)))).to.deep.equal(["opened", "notified nurse"]);
    expect(monitor.alerts.map(({ raisedAt }) => raisedAt)).to.deep.equal([at(0), at(10)]);
  });

  it("covers the episode in which it was resolved, and not the one that it began with", () => {
    const monitor = new Monitor([watch(HIGH)]);
    const returned = [...steady(130, 10), ...steady(70, 20), ...steady(130, 20)];
    expect(told(feed(monitor, HIGH, 0, returned))).to.include("raisedAgain");
    monitor.resolve(idOf(monitor), "doctor", at(50));
    expect(told(feed(monitor, HIGH, 50, [...steady(130, 20), ...steady(70, 60)]))).to.deep.equal([]);
    expect(monitor.alerts).to.have.length(1);
  });

  it("is snoozed until its deadline, which no reading moves, and no other alert with it", () => {
    const other = ruleOf("threshold", { name: "other", trigger: { threshold: 128n } });
    const monitor = new Monitor([watch(HIGH), watch(other)]);
    feed(monitor, HIGH, 0, steady(130, 10));
    monitor.snooze(idOf(monitor), "nurse", at(1000), at(10));
    expect(told(feed(monitor, HIGH, 10, steady(130, 989)))).to.deep.equal([]);
    expect(told(monitor.observe("other", value(at(500), 130), at(999)))).to.deep.equal(["opened", "notified nurse"]);
    const after = feed(monitor, HIGH, 999, steady(130, 5)).filter((event) => event.at >= at(1000));
    expect(after.map(({ kind, at: time }) => [kind, time])).to.deep.equal([["notified", at(1000)]]);
  });

  it("is heard in spite of a snooze when it gets more severe", () => {
    const rule = NEWS2_SCALE_1;
    const monitor = new Monitor([watch(rule)]);
    const healthy = [16, 96, 0, 120, 70, 0, 370];
    const observe = (time: number, input: number, one: number) =>
      monitor.observe(rule.name, value(time, one, input, rule.inputs[input]?.digits), time);
    healthy.forEach((one, input) => observe(at(0), input, one));
    expect(told(observe(at(1), 0, 25))).to.deep.equal(["opened", "notified nurse"]);
    monitor.snooze(idOf(monitor), "nurse", at(1000), at(2));
    expect(told(observe(at(3), 0, 26))).to.deep.equal([]);
    expect(told(observe(at(4), 4, 131))).to.deep.equal(["notified nurse"]);
    expect(monitor.alerts[0]).to.include({ level: 3 });
  });

  it("finds silence by the clock alone, once, and takes it back when the readings come late", () => {
    const monitor = new Monitor([watch(SILENT)]);
    monitor.observe(SILENT.name, value(at(0), 70), at(0));
    const ticks = Array.from({ length: 100 }, (_, i) => monitor.tick(at(i))).flat();
    expect(ticks.map(({ kind, at: time }) => [kind, time])).to.deep.equal([
      ["opened", at(30)],
      ["notified", at(30)],
    ]);
    const late = Array.from({ length: 100 }, (_, i) => monitor.observe(SILENT.name, value(at(i), 70), at(100))).flat();
    expect(told(late)).to.deep.equal(["refuted", "cleared"]);
    expect(monitor.alerts[0]).to.include({ refuted: true });
  });

  it("comes back when a late reading shows that its condition had not ended", () => {
    const monitor = new Monitor([watch(HIGH)]);
    feed(monitor, HIGH, 0, steady(130, 10));
    monitor.acknowledge(idOf(monitor), "nurse", at(9));
    expect(told(monitor.observe(HIGH.name, value(at(10), 70), at(10)))).to.deep.equal([]);
    expect(told(monitor.tick(at(20)))).to.deep.equal(["cleared", "resolved"]);
    expect(told(monitor.observe(HIGH.name, value(at(15), 130), at(21)))).to.deep.equal([
      "raisedAgain",
      "notified nurse",
    ]);
    expect(monitor.alerts).to.have.length(1);
  });

  it("leaves no episode without an alert, whatever responders do, and opens none without an episode", () => {
    const act = fc.constantFrom("acknowledge", "resolve", "snooze", "tick", "low", "low", "high", "high", "high");
    fc.assert(
      fc.property(fc.array(fc.record({ act, gap: fc.integer({ min: 1, max: 12 }) }), { maxLength: 150 }), (acts) => {
        const monitor = new Monitor([watch(HIGH)]);
        const timeline = new Timeline(HIGH, 60 * MINUTE);
        const opened: string[] = [];
        let second = 0;
        for (const { act, gap } of acts) {
          second += gap;
          const now = at(second);
          const open = monitor.alerts.find(({ resolvedBy }) => resolvedBy === undefined);
          const events = ((): readonly AlertEvent[] => {
            if (act === "tick") return monitor.tick(now);
            if (act === "low" || act === "high") {
              const reading = value(now, act === "low" ? 70 : 130);
              timeline.add(reading);
              return monitor.observe(HIGH.name, reading, now);
            }
            if (open === undefined) return [];
            if (act === "snooze") return monitor.snooze(open.id, "nurse", now + MINUTE, now);
            return monitor[act](open.id, "nurse", now);
          })();
          for (const event of events) if (event.kind === "opened") opened.push(event.alert);
        }
        monitor.tick(at(second));
        const episodes = timeline.episodesAt(at(second));
        const starts = episodes.map(({ raisedAt }) => `${HIGH.name}/${raisedAt}`);
        expect(new Set(opened).size, "each once").to.equal(opened.length);
        expect(starts, "none without an episode").to.include.members(opened);
        for (const { raisedAt } of episodes) {
          const covered = monitor.alerts.some(
            (alert) => alert.raisedAt <= raisedAt && raisedAt <= (alert.clearedAt ?? Infinity),
          );
          expect(covered, "none lost").to.equal(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("tells a pause from silence", () => {
    const monitor = new Monitor([watch(SILENT)]);
    monitor.observe(SILENT.name, value(at(0), 70), at(0));
    for (const [i, report] of (["consentPaused", "deviceRetired", "announcedOffline"] as const).entries()) {
      const [begin, end] = [at(1000 * i + 1), at(1000 * i + 1000)];
      const events = monitor.observe(SILENT.name, say(begin, report), begin);
      expect(told([...events, ...monitor.tick(end)])).to.deep.equal([]);
      expect(monitor.resultAt(SILENT.name, end).status).to.equal(report);
      monitor.observe(SILENT.name, say(end, "resumed"), end);
    }
  });

  it("says so when a reading comes too late to be judged", () => {
    const monitor = new Monitor([watch(HIGH, MINUTE)]);
    feed(monitor, HIGH, 0, steady(70, 300));
    expect(told(monitor.observe(HIGH.name, value(at(1), 130), at(300)))).to.deep.equal(["tooLate"]);
  });

  it("keeps an open alert beyond the lateness bound and forgets a resolved one", () => {
    const monitor = new Monitor([watch(HIGH, MINUTE)]);
    feed(monitor, HIGH, 0, [...steady(130, 10), ...steady(70, 1000)]);
    expect(monitor.alerts).to.have.length(1);
    expect(monitor.alerts[0]).to.include({ refuted: false });
    monitor.acknowledge(idOf(monitor), "nurse", at(1010));
    const events = feed(monitor, HIGH, 1010, [...steady(130, 10), ...steady(70, 20)]);
    expect(told(events)).to.deep.equal(["opened", "notified nurse", "cleared"]);
    expect(monitor.alerts).to.have.length(1);
  });

  it("opens the same alerts however often the clock ticks and in whatever order the readings come", () => {
    const second = fc.record({ second: fc.nat(300), one: fc.integer({ min: 100, max: 140 }) });
    const anyTicks = fc.array(fc.nat(400), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(second, { minLength: 1, maxLength: 150 }), anyTicks, (readings, ticks) => {
        const last = Math.max(...readings.map(({ second }) => second));
        const inOrder = readings.toSorted((a, b) => a.second - b.second || a.one - b.one);
        const run = (all: typeof readings, looks: readonly number[]) => {
          const monitor = new Monitor([watch(HIGH)]);
          const events = [
            ...all.map(({ second, one }) => ({
              time: second,
              act: () => monitor.observe(HIGH.name, value(at(second), one), at(second)),
            })),
            ...looks.map((time) => ({ time, act: () => monitor.tick(at(time)) })),
          ];
          if (looks.length > 0) events.sort((a, b) => a.time - b.time);
          const seen = [...events.flatMap(({ act }) => act()), ...monitor.tick(at(last))];
          return { monitor, seen };
        };
        const plain = run(inOrder, []);
        const ticked = run(inOrder, [0, ...ticks.filter((tick) => tick <= last)]);
        const ids = ({ monitor }: typeof plain) => monitor.alerts.map(({ id }) => id);
        expect(ids(ticked)).to.deep.equal(ids(plain));
        // In disorder an alert may be opened on what was known; but every one that should be, is, and is asked about once.
        const shuffled = run(readings, []);
        expect(shuffled.monitor.alerts.length).to.be.at.least(plain.monitor.alerts.length);
        for (const { seen } of [plain, ticked, shuffled]) {
          const openings = seen.filter(({ kind }) => kind === "opened").length;
          expect(seen.filter(({ kind }) => kind === "notified").length).to.equal(openings);
        }
      }),
      { numRuns: 200 },
    );
  });
});
