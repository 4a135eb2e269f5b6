import type { Point } from "../observation/points.ts";
import { across, axisHeight, LEFT, RIGHT, round, timeAxis, valueTicks, WIDTH } from "./axis.ts";
import { draw, NOTHING, type Markup } from "./html.ts";
import type { Gap, Series } from "./series.ts";
import { joined, split, within, type Span } from "./span.ts";
import type { Times } from "./zone.ts";

const TOP = 14;
const HEIGHT = 220;
const BOTTOM = TOP + HEIGHT;

export interface ChartOptions {
  /** Names the drawing's parts, so that several stand on one page. */
  readonly id: string;
  readonly title: string;
  /** The same in words, for who does not see it. */
  readonly description: string;
  readonly shown: Span;
  readonly times: Times;
  /** What could not be verified. */
  readonly unverified: readonly Span[];
  /** Beginnings of alerts with their marks. */
  readonly alerts: readonly { readonly mark: string; readonly at: number }[];
}

/** One channel over time: the readings, where there are none and why, and what could not be verified. */
export function chart({ points, missing, gaps }: Series, options: ChartOptions): Markup {
  const { id, title, description, shown, times, alerts } = options;
  const unverified = joined(options.unverified);
  const x = across(shown);
  const seen = points.filter(({ at }) => at >= shown.from && at <= shown.to);
  const ticks = rangeOf(seen);
  const [lowest, highest] = [ticks[0]?.at ?? 0, ticks.at(-1)?.at ?? 1];
  const y = (value: number): number => round(BOTTOM - ((value - lowest) / (highest - lowest)) * HEIGHT);
  const height = BOTTOM + axisHeight(shown, times);
  const trace = (isBad: boolean, others: readonly Span[], style: Markup): Markup => {
    const own = seen.filter(({ at }) => within(unverified, at) === isBad);
    const lifts = joined([...gaps, ...others]);
    return own.length === 0 ? NOTHING : draw`<path d="${path(own, x, y, lifts)}" fill="none" ${style}/>`;
  };
  const area = (span: Span, fill: string, label: string): Markup => {
    const [left, right] = [x(span.from), x(span.to)];
    const wide = right - left > 8 * label.length;
    const width = round(Math.max(right - left, 1.5));
    const middle = round((left + right) / 2);
    const halo = draw`text-anchor="middle" paint-order="stroke" stroke="#fff" stroke-width="4"`;
    return draw`<rect x="${left}" y="${TOP}" width="${width}" height="${HEIGHT}" fill="url(#${fill}-${id})">
<title>${label}, ${times.span(span.from, span.to)}</title></rect>
${wide ? draw`<text x="${middle}" y="${TOP + 16}" ${halo}>${label}</text>` : NOTHING}`;
  };
  const overlaps = ({ from, to }: Span): boolean => to > shown.from && from < shown.to;
  return draw`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="t-${id} d-${id}">
<title id="t-${id}">${title}</title>
<desc id="d-${id}">${description}</desc>
<defs>${hatch(`gap-${id}`, "#9aa4b1", "#f2f4f6")}${hatch(`bad-${id}`, "#c9473f", "#fbe4e2", true)}</defs>
${gaps.filter((gap) => gap.kind !== "unverified" && overlaps(gap)).map((gap) => area(gap, "gap", GAP_WORDS[gap.kind]))}
${unverified.filter(overlaps).map((span) => area(span, "bad", "not verified"))}
<g>${ticks.map(({ at, label }) => line(y(at), label))}</g>
${timeAxis(shown, times, TOP, BOTTOM)}
${trace(false, unverified, VERIFIED)}
${trace(true, split(shown, unverified).outside, UNVERIFIED)}
<g stroke="#8a5a00" stroke-width="1.5">${crosses(missing.filter((at) => at >= shown.from && at <= shown.to).map(x))}</g>
${alerts.filter(({ at }) => at >= shown.from && at <= shown.to).map(({ mark, at }) => alertMark(x(at), mark))}
<rect x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT - RIGHT}" height="${HEIGHT}" fill="none" stroke="#8b95a1"/>
</svg>`;
}

const VERIFIED = draw`class="trace" stroke="#0b5cad" stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round"`;
const UNVERIFIED = draw`class="unverified" stroke="#a8201a" stroke-width="1.6" stroke-dasharray="2 3"`;

const line = (y: number, label: string): Markup =>
  draw`<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" stroke="#e6eaef"/>
<text class="soft" x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${label}</text>`;

const alertMark = (x: number, mark: string): Markup =>
  draw`<path d="M${x} ${TOP}V${BOTTOM}" stroke="#a8201a" stroke-width="1.5" stroke-dasharray="6 3"/>
<text x="${x + 4}" y="${BOTTOM - 16}" font-weight="bold">${mark}</text>`;

export const GAP_WORDS: Readonly<Record<Gap["kind"], string>> = {
  silent: "nothing measured",
  unrecorded: "no record",
  unverified: "not verified",
};

function rangeOf(points: readonly Point[]): ReturnType<typeof valueTicks> {
  let [lowest, highest] = [points[0]?.value ?? 0, points[0]?.value ?? 1];
  for (const { value } of points) [lowest, highest] = [Math.min(lowest, value), Math.max(highest, value)];
  return valueTicks(lowest, highest);
}

/**
 * The line through the points, lifted over what lies between. Where several share a column of the drawing, first, lowest, highest and last stand for all,
 * so that no peak is lost and the page stays small.
 */
function path(
  points: readonly Point[],
  x: (at: number) => number,
  y: (value: number) => number,
  lifts: readonly Span[],
): string {
  const parts: string[] = [];
  let lift = 0;
  let lifted = true;
  for (let i = 0; i < points.length;) {
    const first = points[i] as Point;
    for (; lift < lifts.length && (lifts[lift] as Span).from < first.at; lift++) lifted = true;
    const column = Math.floor(x(first.at));
    const until = lifts[lift]?.from ?? Infinity;
    let [lowest, highest, last] = [first, first, first];
    for (; i < points.length; i++) {
      const next = points[i] as Point;
      if (Math.floor(x(next.at)) !== column || next.at > until) break;
      if (next.value < lowest.value) lowest = next;
      if (next.value > highest.value) highest = next;
      last = next;
    }
    const kept = [...new Set([first, lowest, highest, last])].sort((a, b) => a.at - b.at);
    for (const point of kept) {
      parts.push(`${lifted ? "M" : "L"}${x(point.at)} ${y(point.value)}`);
      // A point alone between two gaps is a dot.
      if (lifted && kept.length === 1) parts.push("h0");
      lifted = false;
    }
  }
  return parts.join("");
}

/** One a column, however many are there. */
const crosses = (places: readonly number[]): Markup[] =>
  [...new Set(places.map(Math.round))].map((at) => draw`<path d="M${at - 3} ${BOTTOM - 9}l6 6m0 -6l-6 6"/>`);

export const hatch = (id: string, ink: string, ground: string, crossed = false): Markup =>
  draw`<pattern id="${id}" width="8" height="8" patternUnits="userSpaceOnUse">
<rect width="8" height="8" fill="${ground}"/>
<path d="M-2 2l4 -4M0 8l8 -8M6 10l4 -4${crossed ? "M-2 6l4 4M0 0l8 8M6 -2l4 4" : ""}" stroke="${ink}"/></pattern>`;
