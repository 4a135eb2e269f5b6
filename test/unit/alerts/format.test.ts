import { expect } from "chai";
import fc from "fast-check";
import { decodeRule, decodeState, encodeRule, encodeState, ruleId } from "../../../src/alerts/abi.ts";
import { RuleInvalidError } from "../../../src/alerts/errors.ts";
import { evaluate } from "../../../src/alerts/evaluate.ts";
import { observationsFor } from "../../../src/alerts/reading.ts";
import { divide, fitDecimal, toDigits } from "../../../src/alerts/rounding.ts";
import { formatRule, parseRule } from "../../../src/alerts/rule-file.ts";
import { INT64_MAX, KINDS } from "../../../src/alerts/rule.ts";
import { START } from "../../../src/alerts/state.ts";
import type { Value } from "../../../src/observation/observation.ts";
import { BEGIN, NEWS2_SCALE_1, NEWS2_SCALE_2, ruleOf, say, value } from "./samples.ts";

const RULES = [...KINDS.map((kind) => ruleOf(kind)), NEWS2_SCALE_1, NEWS2_SCALE_2];

describe("formats of rules", () => {
  it("give back what was written", () => {
    for (const rule of RULES) {
      expect(decodeRule(encodeRule(rule))).to.deep.equal(rule);
      const { state } = evaluate(rule, START, [value(BEGIN, 130), say(BEGIN + 1, "missing")]);
      expect(decodeState(encodeState(state))).to.deep.equal(state);
    }
  });

  it("give every rule an id of its own", () => {
    expect(new Set(RULES.map(ruleId)).size).to.equal(RULES.length);
  });

  it("have one encoding: every changed, missing or added byte is refused or is another content", () => {
    const bytes = encodeRule(ruleOf("score"));
    const expected = decodeRule(bytes);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = bytes.with(at, (bytes[at] as number) ^ change);
        try {
          expect(decodeRule(changed)).to.not.deep.equal(expected);
        } catch (error) {
          if (!["ERR_MALFORMED", "ERR_RULE_INVALID"].includes((error as { code?: string }).code ?? "")) throw error;
        }
      }),
      { numRuns: 1000 },
    );
    for (const other of [bytes.slice(0, -1), Uint8Array.of(...bytes, 0), bytes.slice(0, 5), new Uint8Array()]) {
      expect(() => decodeRule(other))
        .to.throw()
        .with.property("code", "ERR_MALFORMED");
    }
    expect(() => decodeState(bytes))
      .to.throw()
      .with.property("code", "ERR_MALFORMED");
  });

  it("write a rule file that gives the rule back", () => {
    for (const rule of [NEWS2_SCALE_1, NEWS2_SCALE_2, ...KINDS.map((kind) => ruleOf(kind))])
      expect(parseRule(formatRule(rule))).to.deep.equal(rule);
    expect(() => formatRule(ruleOf("threshold", { trigger: { threshold: 2n ** 60n } }))).to.throw(RuleInvalidError);
  });

  it("read a rule file strictly", () => {
    const file = (rule: object, more: object = {}): string =>
      JSON.stringify({ format: "medseal-rule", version: 1, rule, ...more });
    const input = { system: "http://loinc.org", code: "8867-4", unit: "/min", digits: 0, maxAge: 10_000 };
    const trigger = { comparator: "atLeast", threshold: 120 };
    const rule = { name: "test-threshold", version: 1, kind: "threshold", inputs: [input], trigger };
    expect(parseRule(file(rule))).to.deep.equal(ruleOf("threshold"));
    const wrong: string[] = [
      "no JSON",
      "[]",
      file(rule, { version: 2 }),
      file(rule, { more: 1 }),
      file({ ...rule, more: 1 }),
      file({ ...rule, name: undefined }),
      file({ ...rule, name: 1 }),
      file({ ...rule, kind: "guess" }),
      file({ ...rule, inputs: {} }),
      file({ ...rule, inputs: [{ ...input, digits: 0.5 }] }),
      file({ ...rule, trigger: { ...trigger, threshold: "120" } }),
      file({ ...rule, trigger: { ...trigger, threshold: 2 ** 53 } }),
    ];
    for (const text of wrong)
      expect(() => parseRule(text), text)
        .to.throw()
        .with.property("code", "ERR_MALFORMED");
    expect(() => parseRule(file({ ...rule, window: 1 })))
      .to.throw()
      .with.property("code", "ERR_RULE_INVALID");
  });

  it("round half away from zero", () => {
    const rounded = [24, 25, 26, -24, -25, -26].map((one) => divide(BigInt(one), 10n));
    expect(rounded).to.deep.equal([2n, 3n, 3n, -2n, -3n, -3n]);
    expect(toDigits(3805n, 2, 1)).to.equal(381n);
    expect(toDigits(38n, 0, 1)).to.equal(380n);
  });

  it("fit any decimal without changing what it rounds to, and take one too large for the largest", () => {
    const fits = (value: bigint): boolean => BigInt.asIntN(64, value) === value;
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
        fc.nat(60),
        fc.nat(6),
        (mantissa, scale, digits) => {
          const fitted = fitDecimal(mantissa, scale, digits);
          expect(fitted.scale).to.be.at.most(18);
          expect(fits(fitted.mantissa)).to.equal(true);
          const exact = toDigits(mantissa, scale, digits);
          if (fits(exact)) expect(toDigits(fitted.mantissa, fitted.scale, digits)).to.equal(exact);
          else expect(toDigits(fitted.mantissa, fitted.scale, digits) > 0n).to.equal(exact > 0n);
        },
      ),
      {
        numRuns: 2000,
        examples: [
          // Seven places do not fit into 64 bits, and the seventh decides.
          [4007286153947128994500000000000000000000n, 27, 6],
          [-4007286153947128994500000000000000000000n, 27, 6],
          [-1n, 20, 0],
        ],
      },
    );
    expect(fitDecimal(10n ** 30n, 0, 0)).to.deep.equal({ mantissa: INT64_MAX, scale: 0 });
    expect(fitDecimal(-(10n ** 30n), 3, 2)).to.deep.equal({ mantissa: -INT64_MAX - 1n, scale: 0 });
  });

  it("take from a recorded observation what each input looks at", () => {
    const recorded = (one: Value, unit = "mm[Hg]") => ({
      channel: {
        code: { system: "http://loinc.org", code: "85354-9" },
        component: { system: "http://loinc.org", code: "8480-6" },
        unit,
      },
      time: "2026-03-01T01:00:00.1239+01:00",
      status: "final" as const,
      value: one,
    });
    const quantity = (decimal: string): Value => ({ kind: "quantity", decimal, comparator: "" });
    const taken = (one: Value, unit?: string) => observationsFor(NEWS2_SCALE_1, recorded(one, unit));
    const common = { time: BEGIN + 123, input: 3 };
    expect(taken(quantity("120.50"))).to.deep.equal([{ ...common, report: "value", mantissa: 12_050n, scale: 2 }]);
    expect(taken(quantity("-1.5e3"))).to.deep.equal([{ ...common, report: "value", mantissa: -1500n, scale: 0 }]);
    expect(taken(quantity("12E-1"))).to.deep.equal([{ ...common, report: "value", mantissa: 12n, scale: 1 }]);
    const none = { ...common, report: "missing", mantissa: 0n, scale: 0 };
    expect(taken({ kind: "missing", reason: "unknown", source: "NaN" })).to.deep.equal([none]);
    expect(taken(quantity("NaN"))).to.deep.equal([none]);
    expect(taken(quantity("120"), "kPa")).to.deep.equal([]);
  });
});
