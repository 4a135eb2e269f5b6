import { expect } from "chai";
import { evaluate } from "../../src/alerts/evaluate.ts";
import { START, type State } from "../../src/alerts/state.ts";
import { BEGIN, NEWS2_SCALE_1, NEWS2_SCALE_2, value } from "../unit/alerts/samples.ts";
import { edges, news2Cases, readNews2, responseByTable, scoresByTable, type Parameters } from "./news2.ts";
import { report } from "./vectors.ts";

const sum = (scores: readonly number[]): number => scores.reduce((total, score) => total + score, 0);

describe("NEWS2, Royal College of Physicians 2017", () => {
  it("scores every edge of every band and one unit beside it as the charts do", function () {
    const news2 = readNews2(this);
    let run = 0;
    for (const { scale, rule, parameters, missing, observations } of news2Cases(news2)) {
      if (missing !== undefined) continue;
      const scores = scoresByTable(news2, scale, parameters);
      const { result } = evaluate(rule, START, observations);
      expect(result, `scale ${scale}: ${parameters.join(", ")}`).to.include({
        measured: true,
        measure: BigInt(sum(scores)),
        level: responseByTable(scores),
        active: responseByTable(scores) >= 2,
      });
      run += 1;
    }
    report("edges", run, 0, "");
  });

  it("gives no score while a parameter is missing, never 0", function () {
    let run = 0;
    for (const { rule, missing, observations } of news2Cases(readNews2(this))) {
      if (missing === undefined) continue;
      const { result } = evaluate(rule, START, observations);
      expect(result.measured, `parameter ${missing}`).to.equal(false);
      expect(result.status).to.be.oneOf(["missing", "waiting"]);
      run += 1;
    }
    expect(run).to.equal(2 * 2 * 7);
  });

  it("scores the whole product of all edges as the charts do", () => {
    const news2 = readNews2(this);
    let run = 0;
    for (const [scale, rule] of [[1, NEWS2_SCALE_1] as const, [2, NEWS2_SCALE_2] as const]) {
      // Of consciousness alert and new confusion: what is below scores the same, as the edges show.
      const ends = edges(news2, scale).with(5, [0, 1]);
      const tables = new Map<string, number>();
      const scoreOf = (i: number, parameters: Parameters): number => {
        const key = `${i} ${parameters[i]} ${parameters[2]}`;
        const known = tables.get(key);
        if (known !== undefined) return known;
        const found = scoresByTable(news2, scale, parameters)[i];
        if (found === undefined) throw new Error(`no score of parameter ${i}`);
        tables.set(key, found);
        return found;
      };
      const visit = (state: State, chosen: readonly number[]): void => {
        const i = chosen.length;
        for (const end of ends[i] ?? []) {
          const { state: next, result } = evaluate(rule, state, [value(BEGIN, end, i, rule.inputs[i]?.digits)]);
          const parameters = [...chosen, end];
          if (i < 6) visit(next, parameters);
          else {
            const scores = parameters.map((_, one) => scoreOf(one, parameters as unknown as Parameters));
            if (Number(result.measure) !== sum(scores) || result.level !== responseByTable(scores)) {
              expect.fail(`scale ${scale}: ${parameters.join(", ")} scores ${result.measure}, level ${result.level}`);
            }
            run += 1;
          }
        }
      };
      visit(START, []);
    }
    report("product of edges", run, 0, "");
  });

  it("rounds values to the chart's precision before it scores them", () => {
    const scored = (input: number, mantissa: number, scale: number): bigint => {
      const healthy = [16, 96, 0, 120, 70, 0, 370].map((one, i) =>
        value(BEGIN, one, i, NEWS2_SCALE_1.inputs[i]?.digits),
      );
      return evaluate(NEWS2_SCALE_1, START, [...healthy, value(BEGIN, mantissa, input, scale)]).result.measure;
    };
    // 38.04 °C is 38.0, 38.05 °C is 38.1; 20.49 breaths are 20, 20.5 are 21; 91.5 % is 92 %.
    expect(scored(6, 3804, 2)).to.equal(0n);
    expect(scored(6, 3805, 2)).to.equal(1n);
    expect(scored(0, 2049, 2)).to.equal(0n);
    expect(scored(0, 205, 1)).to.equal(2n);
    expect(scored(1, 9149, 2)).to.equal(3n);
    expect(scored(1, 915, 1)).to.equal(2n);
    expect(scored(6, 38_049_999, 6)).to.equal(0n);
  });
});
