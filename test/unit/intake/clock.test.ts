import { expect } from "chai";
import fc from "fast-check";
import { clockFor, isTimed, type TimeKind } from "../../../src/intake/clock.ts";
import { addFixed, fixedPoint, isDecimal } from "../../../src/intake/decimal.ts";
import { LIMITS } from "../../../src/intake/limits.ts";
import { compareInstants } from "../../../src/intake/order.ts";
import { parseInstant, type Instant } from "../../../src/observation/instant.ts";
import type { IntakeOptions } from "../../../src/intake/types.ts";

/** The time that the clock makes of a text, or the code of its refusal. */
function read(kind: TimeKind, options: IntakeOptions, text: string): string {
  const outcome = clockFor(kind, "file", options, LIMITS).read(text);
  return isTimed(outcome) ? outcome.time : outcome.code;
}

describe("clocks", () => {
  const berlin = { zone: "Europe/Berlin" };
  const cases: [kind: TimeKind, options: IntakeOptions, text: string, expected: string][] = [
    ["seconds", { start: "2026-03-01T08:00:00+01:00" }, "0", "2026-03-01T08:00:00+01:00"],
    ["seconds", { start: "2026-03-01T08:00:00+01:00" }, "0.10", "2026-03-01T08:00:00.10+01:00"],
    ["seconds", { start: "2026-03-01T23:59:59.9Z" }, "0.1", "2026-03-02T00:00:00.0Z"],
    ["seconds", { start: "2026-03-01T08:00:00.5Z" }, "0.008", "2026-03-01T08:00:00.508Z"],
    ["seconds", { start: "2026-03-01T08:00:00Z" }, "-0.5", "2026-03-01T07:59:59.5Z"],
    ["seconds", { start: "2026-03-01T08:00:00Z" }, "1e+05", "2026-03-02T11:46:40Z"],
    ["seconds", { start: "2026-03-01T08:00:00Z" }, "1.5e-3", "2026-03-01T08:00:00.0015Z"],
    ["seconds", { start: "2026-03-01T08:00:00Z" }, "0.1234567891", "ERR_TIME"],
    ["seconds", { start: "2026-03-01T08:00:00Z" }, "1e99", "ERR_TIME"],
    ["seconds", { start: "2026-03-01T08:00:00Z" }, "1e25", "ERR_TIME"],
    ["seconds", { start: "2026-03-01T08:00:00Z" }, "08:00", "ERR_TIME"],
    ["seconds", { start: "2026-03-01T08:00:00Z" }, "", "ERR_TIME_ABSENT"],
    ["seconds", { start: "1970-01-01T00:00:00Z" }, "-1e-9", "ERR_TIME_BEFORE_1970"],
    ["seconds", { start: "9999-12-31T23:59:59-01:00" }, "0", "ERR_TIME"],
    ["local", berlin, "2026-01-01 00:00:00", "2026-01-01T00:00:00+01:00"],
    ["local", berlin, "2026-07-01T12:00:00.250", "2026-07-01T12:00:00.250+02:00"],
    ["local", berlin, "2026-03-29 01:59:59", "2026-03-29T01:59:59+01:00"],
    ["local", berlin, "2026-03-29 02:00:00", "ERR_TIME_NONEXISTENT"],
    ["local", berlin, "2026-03-29 02:59:59", "ERR_TIME_NONEXISTENT"],
    ["local", berlin, "2026-03-29 03:00:00", "2026-03-29T03:00:00+02:00"],
    ["local", berlin, "2026-10-25 01:59:59", "2026-10-25T01:59:59+02:00"],
    ["local", berlin, "2026-10-25 02:00:00", "ERR_TIME_AMBIGUOUS"],
    ["local", berlin, "2026-10-25 02:59:59", "ERR_TIME_AMBIGUOUS"],
    ["local", berlin, "2026-10-25 03:00:00", "2026-10-25T03:00:00+01:00"],
    ["local", berlin, "2026-02-29 00:00:00", "ERR_TIME"],
    ["local", berlin, "2026-01-01", "ERR_TIME"],
    ["local", berlin, "1970-01-01 00:59:59", "ERR_TIME_BEFORE_1970"],
    ["local", { zone: "UTC" }, "2026-01-01 00:00:00", "2026-01-01T00:00:00+00:00"],
    ["local", { zone: "Asia/Kathmandu" }, "2026-01-01 00:00:00", "2026-01-01T00:00:00+05:45"],
    ["local", { zone: "Australia/Lord_Howe" }, "2026-04-05 01:45:00", "ERR_TIME_AMBIGUOUS"],
    ["local", { zone: "Pacific/Apia" }, "2011-12-30 12:00:00", "ERR_TIME_NONEXISTENT"],
    ["local", { zone: "Africa/Monrovia" }, "1971-01-01 00:00:00", "ERR_TIME"],
    ["instant", {}, "2026-01-01T00:00:00.10-05:00", "2026-01-01T00:00:00.10-05:00"],
    ["instant", {}, "2026-01-01 00:00:00", "ERR_TIME"],
    ["instant", {}, "2026-01-01T00:00:60Z", "ERR_TIME"],
  ];
  for (const [kind, options, text, expected] of cases) {
    it(`${kind} ${JSON.stringify(Object.values(options))} ${JSON.stringify(text)} is ${expected}`, () => {
      expect(read(kind, options, text)).to.equal(expected);
    });
  }

  const unit = fc.tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.integer({ min: 0, max: 9 }));
  const textOf = ([scaled, places]: [bigint, number]): string => {
    const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(places + 1, "0");
    const whole = digits.slice(0, digits.length - places);
    return `${scaled < 0n ? "-" : ""}${whole}${places > 0 ? `.${digits.slice(-places)}` : ""}`;
  };

  it("adds decimals exactly, keeping the longer fraction", () => {
    fc.assert(
      fc.property(unit, unit, (a, b) => {
        const [left, right] = [fixedPoint(textOf(a), 64), fixedPoint(textOf(b), 64)];
        if (!left || !right) throw new Error("not read");
        const places = Math.max(a[1], b[1]);
        const sum = addFixed(left, right);
        expect(sum.digits.length).to.equal(places);
        const scaled = sum.whole * 10n ** BigInt(places) + BigInt(sum.digits || "0");
        expect(scaled).to.equal(a[0] * 10n ** BigInt(places - a[1]) + b[0] * 10n ** BigInt(places - b[1]));
      }),
    );
  });

  it("accepts as decimals exactly what JSON accepts as numbers", () => {
    const isJsonNumber = (text: string): boolean => {
      try {
        return typeof JSON.parse(text) === "number" && text.trim() === text;
      } catch {
        return false;
      }
    };
    const soup = fc.string({ unit: fc.constantFrom(..."0123456789.-+eE x"), maxLength: 12 });
    fc.assert(
      fc.property(
        fc.oneof(soup, fc.double().map(String), unit.map(textOf)),
        (text) => isDecimal(text, 64) === isJsonNumber(text),
      ),
      {
        numRuns: 2000,
      },
    );
  });

  it("finds local times again: an instant's wall clock gives that instant, or is refused", () => {
    const zones = fc.constantFrom(
      "Europe/Berlin",
      "America/New_York",
      "Australia/Lord_Howe",
      "Asia/Kathmandu",
      "America/Sao_Paulo",
    );
    const seconds = fc.integer({ min: 100_000_000, max: 2_000_000_000 });
    fc.assert(
      fc.property(zones, seconds, (zone, at) => {
        const wall = new Intl.DateTimeFormat("sv-SE", {
          timeZone: zone,
          dateStyle: "short",
          timeStyle: "medium",
        }).format(at * 1000);
        const found = clockFor("local", "file", { zone }, LIMITS).read(wall);
        if (isTimed(found)) expect(found.instant.seconds).to.equal(at);
        else expect(found.code).to.equal("ERR_TIME_AMBIGUOUS");
      }),
      { numRuns: 300 },
    );
  });

  it("orders instants by the moment, not by their text", () => {
    const instant = (text: string): Instant => parseInstant(text) as Instant;
    expect(compareInstants(instant("2026-01-01T00:00:00.5Z"), instant("2026-01-01T01:00:00.50+01:00"))).to.equal(0);
    expect(compareInstants(instant("2026-01-01T00:00:00.09Z"), instant("2026-01-01T00:00:00.1Z"))).to.equal(-1);
    expect(compareInstants(instant("2026-01-01T00:00:01Z"), instant("2026-01-01T00:00:00.9Z"))).to.be.greaterThan(0);
  });
});
