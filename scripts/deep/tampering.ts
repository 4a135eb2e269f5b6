import { compareHistories } from "../../src/auditor/compare.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import { chance } from "./chance.ts";
import type { Independent } from "./independent.ts";
import { anchored, makeSample } from "./sample.ts";
import { tampered, WAYS, type WayName } from "./tamper.ts";
import { everyDepth, inCommon, independently } from "./verifiers.ts";

export interface TamperFigures {
  /** By what was done: cases, and those of which exactly what was done was found. */
  readonly tampered: Record<WayName | "forked", { cases: number; found: number }>;
  /** Findings in archives that nobody touched. */
  falseFindings: number;
  /** Archives, half of them tampered with, of which both verifiers gave a verdict, and on how many it was the same. */
  compared: number;
  agreed: number;
}

/** Each way of tampering, 1,000 times; of these every fifth by both verifiers, before and after. */
export async function tamperWith(
  seed: string,
  scale: number,
  by: Independent | undefined,
  figures: TamperFigures,
  tell: (what: string) => void,
): Promise<void> {
  const cases = Math.max(1, Math.round(1000 * scale));
  for (const name of Object.keys(WAYS) as WayName[]) {
    const from = chance(seed, name);
    const count = (figures.tampered[name] = { cases, found: 0 });
    for (let i = 0; i < cases; i++) {
      const label = `${seed} ${name} ${i}`;
      const { sample, tampered: after } = tampered(label, name, from);
      const whole = anchored(sample);
      const clean = await everyDepth(sample, whole);
      figures.falseFindings += clean.length;
      const findings = await everyDepth(sample, after.at, after.changes);
      const found = findings.map(({ kind, cid }) => `${kind} ${cid}`).sort();
      if (same(found, [...after.expected].sort())) count.found += 1;
      else tell(`${label}: found ${found.join(", ")}; expected ${after.expected.join(", ")}`);
      if (by === undefined || i % 5 > 0) continue;
      for (const [ours, at, changes] of [
        [clean, whole, undefined],
        [findings, after.at, after.changes],
      ] as const) {
        const theirs = await independently(by, sample, at, changes);
        figures.compared += 1;
        if (same(theirs, inCommon(ours))) figures.agreed += 1;
        else tell(`${label}: ours ${inCommon(ours).join(", ")}; theirs ${theirs.join(", ")}`);
      }
    }
  }
}

/** A gateway shows two auditors two histories that part at a random place; each of them is in order for itself. */
export function forkHistories(seed: string, scale: number, figures: TamperFigures): void {
  const cases = Math.max(1, Math.round(1000 * scale));
  const count = (figures.tampered.forked = { cases, found: 0 });
  const from = chance(seed, "forked");
  for (let i = 0; i < cases; i++) {
    const sample = makeSample(`${seed} forked ${i}`, { streams: 2, epochs: 4, readings: 3, mail: 1 });
    const place = from.int(sample.checkpoints.length);
    const left = from.pick(sample.checkpoints[place]!.entries);
    const told = sample.checkpoints.map(({ entries, mail }) => ({
      entries: entries.filter((one) => one !== left),
      mail,
    }));
    const [one, other] = [anchored(sample), anchored(sample, told)];
    figures.falseFindings += compareHistories(one.history, one.history.slice(0, place + 1)).length;
    const found = compareHistories(one.history, other.history).map(({ checkpoint, cid }) => `${checkpoint} ${cid}`);
    const expected = [one, other].map(({ history }) => `${place} ${cidOf(history[place]!.digest)}`);
    if (same(found, expected)) count.found += 1;
  }
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);
