import { draw, NOTHING, type Markup } from "./html.ts";
import type { Span } from "./span.ts";
import type { Times } from "./zone.ts";

/** Units of the drawing; the page scales it. */
export const WIDTH = 960;
export const LEFT = 64;
export const RIGHT = 16;

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
const MOST_TICKS = 9;

/** Where a time lies in the drawing. */
export const across = ({ from, to }: Span): ((at: number) => number) => {
  const scale = (WIDTH - LEFT - RIGHT) / Math.max(to - from, 1e-9);
  return (at) => round(LEFT + (Math.min(Math.max(at, from), to) - from) * scale);
};

export const round = (value: number): number => Math.round(value * 10) / 10;

/** Ticks on round times of the reader's zone, named in it and, where that is another time, in UTC. */
export function timeAxis(span: Span, times: Times, top: number, bottom: number): Markup {
  const x = across(span);
  const step = stepFor(span);
  const ahead = times.ahead(span.from);
  const ticks: number[] = [];
  for (let at = Math.ceil((span.from + ahead) / step) * step - ahead; at <= span.to; at += step) ticks.push(at);
  const zones = [
    { inUtc: false, name: ahead === 0 ? "UTC" : "local" },
    ...(ahead === 0 ? [] : [{ inUtc: true, name: "UTC" }]),
  ];
  const lines = ticks.map(
    (at) => draw`<line x1="${x(at)}" y1="${top}" x2="${x(at)}" y2="${bottom}" stroke="#e6eaef"/>`,
  );
  const rows = zones.map(({ inUtc, name }, i) => {
    const y = bottom + 18 + 17 * i;
    const label = (at: number, place: number): Markup => {
      const before = ticks[place - 1];
      const day = times.day(at, inUtc);
      const isNew = before !== undefined && times.day(before, inUtc) !== day;
      const clock = times.clock(at, step < 60 && !isNew, inUtc);
      const text = step >= 86_400 ? day.slice(5) : isNew ? `${day.slice(5)} ${clock}` : clock;
      return x(at) > WIDTH - 40
        ? NOTHING
        : draw`<text class="soft" x="${x(at)}" y="${y}" text-anchor="middle">${text}</text>`;
    };
    return draw`<text class="soft" x="4" y="${y}">${name}</text>${ticks.map(label)}`;
  });
  return draw`<g>${lines}</g><g>${rows}</g>`;
}

/** Height of the axis below the drawing. */
export const axisHeight = (span: Span, times: Times): number => (times.ahead(span.from) === 0 ? 26 : 43);

function stepFor({ from, to }: Span): number {
  const wanted = (to - from) / MOST_TICKS;
  const days = Math.ceil(wanted / 86_400);
  return STEPS.find((step) => step >= wanted) ?? days * 86_400;
}

/** Round values from at most the lowest to at least the highest: 1, 2 or 5 times a power of ten apart. */
export function valueTicks(lowest: number, highest: number): { readonly at: number; readonly label: string }[] {
  const largest = Math.max(Math.abs(lowest), Math.abs(highest));
  // What is too small to draw counts as nothing.
  const span =
    highest - lowest > 1e-9 ? Math.max(highest - lowest, largest * 1e-6) : largest > 1e-9 ? largest * 0.1 : 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= span / 4) ?? power;
  const [first, last] = [Math.floor(lowest / step), Math.ceil(highest / step)];
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from({ length: Math.max(last, first + 1) - first + 1 }, (_, i) => {
    const at = (first + i) * step;
    return { at, label: digits > 6 || Math.abs(at) >= 1e7 ? at.toExponential(2) : at.toFixed(digits) };
  });
}
