import { ENDED, worseWords, type AlertEvent } from "../alerts/alert.ts";
import { across, axisHeight, LEFT, RIGHT, round, timeAxis, WIDTH } from "./axis.ts";
import { draw, html, named, NOTHING, row, table, type Content, type Markup } from "./html.ts";
import type { Silence } from "../monitor/truth.ts";
import { hatch } from "./chart.ts";
import type { Span } from "./span.ts";
import type { Times } from "./zone.ts";

/** What monitors wrote of a patient's alerts. */
export interface AlertRecord {
  /** In the order in which they happened; an alert's id is of it alone. */
  readonly events: readonly AlertEvent[];
  /** Of the time in which somebody was to watch, what nobody says was evaluated, or what is not verified. */
  readonly unevaluated: readonly Span[];
  /** Times for which a rule had nothing to judge. */
  readonly silences: readonly (Span & { readonly rule: string; readonly why: Silence })[];
  /** What is wrong with the record. */
  readonly findings: readonly { readonly kind: string; readonly text: string }[];
}

/** One alert as its events tell it; times in unix seconds. */
export interface AlertLine {
  /** `A1`, `A2`, … in the order of their beginnings. */
  readonly mark: string;
  readonly rule: string;
  readonly openedAt: number;
  readonly endedAt?: number;
  readonly steps: readonly { readonly what: string; readonly who: string; readonly at: number }[];
  readonly acknowledged: readonly { readonly by: string; readonly at: number }[];
  readonly refuted: boolean;
}

type OfAlert = Exclude<AlertEvent, { kind: "tooLate" }>;

const WORDS: Readonly<Record<OfAlert["kind"], string>> = {
  opened: "raised",
  cleared: "its condition ended",
  raisedAgain: "raised again",
  refuted: "a late reading shows that it should not have been",
  notified: "asked",
  escalated: "nobody answered; asked",
  acknowledged: "acknowledged by",
  resolved: "resolved by",
  snoozed: "put off by",
};

/** @param events - Of any number of alerts, in the order in which they happened. */
export function alertLines(events: readonly AlertEvent[], times: Times): AlertLine[] {
  const byAlert = new Map<string, OfAlert[]>();
  for (const event of events) {
    if (event.kind === "tooLate") continue;
    const known = byAlert.get(event.alert);
    if (known) known.push(event);
    else byAlert.set(event.alert, [event]);
  }
  const lines = [...byAlert].map(([id, of]) => lineOf(id, of, times));
  lines.sort((a, b) => a.openedAt - b.openedAt);
  return lines.map((line, i) => ({ ...line, mark: `A${i + 1}` }));
}

function lineOf(id: string, events: readonly OfAlert[], times: Times): Omit<AlertLine, "mark"> {
  const steps = events.map((event) => ({ what: whatOf(event), who: whoOf(event, times), at: event.at / 1000 }));
  const last = events.at(-1);
  return {
    // An id is the rule's name and when the alert began.
    rule: id.slice(0, Math.max(id.lastIndexOf("/"), 0)) || id,
    openedAt: (events[0]?.at ?? 0) / 1000,
    ...(last?.kind === "resolved" ? { endedAt: last.at / 1000 } : {}),
    steps,
    acknowledged: events.flatMap((event) =>
      event.kind === "acknowledged" ? [{ by: event.by, at: event.at / 1000 }] : [],
    ),
    refuted: events.some(({ kind }) => kind === "refuted"),
  };
}

function whatOf(event: OfAlert): string {
  const worse = "worse" in event && event.worse ? `${worseWords(event.worse)}; ` : "";
  return `${worse}${WORDS[event.kind]}`;
}

function whoOf(event: OfAlert, times: Times): string {
  if ("to" in event) return event.to;
  if (event.kind === "snoozed") return `${event.by} until ${times.both(event.until / 1000)}`;
  if ("by" in event) return event.by === ENDED ? `itself, with ${ENDED}` : event.by;
  return "";
}

const ROW = 26;

export const SILENCE_WORDS: Readonly<Record<Silence, string>> = {
  noData: "no data",
  announcedOffline: "announced offline",
  deviceRetired: "device retired",
  consentPaused: "consent paused",
};

/** Each looks different without its colour as well. */
const SILENCE_STYLE: Readonly<Record<Silence, Markup>> = {
  noData: draw`fill="#fff" stroke="#a8201a" stroke-width="2" stroke-dasharray="2 3"`,
  announcedOffline: draw`fill="#e3ecf6" stroke="#0b5cad"`,
  deviceRetired: draw`fill="#55606e" stroke="#1b2430"`,
  consentPaused: draw`fill="#fff" stroke="#8a5a00" stroke-width="2"`,
};

/** Alerts on the time line: a bar each, from its beginning to its end, with who acknowledged it when. */
export function alertChart(lines: readonly AlertLine[], record: AlertRecord, shown: Span, times: Times): Markup {
  const x = across(shown);
  const overlaps = ({ from, to }: Span): boolean => to > shown.from && from < shown.to;
  const silent = record.silences.filter(overlaps);
  const rules = [...new Set(silent.map(({ rule }) => rule))];
  const unevaluated = record.unevaluated.filter(overlaps);
  const bottom = 8 + ROW * (Math.max(1, lines.length) + rules.length);
  const bars = lines.map(({ mark, rule, openedAt, endedAt, acknowledged }, i) => {
    const top = 8 + ROW * i + 5;
    const [left, right] = [x(openedAt), x(endedAt ?? shown.to)];
    const answered = acknowledged.map(({ by, at }) => {
      if (at < shown.from || at > shown.to) return NOTHING;
      const said = `${by}, ${times.clock(at, true, false)}`;
      const isRoom = x(at) + 14 + 8 * said.length < WIDTH - RIGHT;
      const place = isRoom ? draw`x="${round(x(at) + 12)}"` : draw`x="${round(x(at) - 12)}" text-anchor="end"`;
      return draw`<path d="M${x(at)} ${top - 3}l8 11l-8 11l-8 -11z" fill="#1d6b39" stroke="#fff">
<title>acknowledged by ${by}, ${times.both(at)}</title></path>
<text ${place} y="${top + 13}" paint-order="stroke" stroke="#fff" stroke-width="4">${said}</text>`;
    });
    const width = round(Math.max(right - left, 3));
    const long = `${mark} ${rule}${endedAt === undefined ? ", still open" : ""}`;
    return draw`<rect x="${left}" y="${top}" width="${width}" height="16" rx="2" fill="#f3c9c6" stroke="#a8201a">
<title>${rule}</title></rect>
<text x="${left + 6}" y="${top + 13}" font-weight="bold">${width > 8 * long.length ? long : mark}</text>
${answered}`;
  });
  const pauses = silent.map(({ rule, why, from, to }) => {
    const top = 8 + ROW * (Math.max(1, lines.length) + rules.indexOf(rule)) + 5;
    const [left, right] = [x(from), x(to)];
    const long = `${rule}: ${SILENCE_WORDS[why]}`;
    const label =
      right - left > 8 * long.length ? long : right - left > 8 * SILENCE_WORDS[why].length ? SILENCE_WORDS[why] : "";
    const ink = why === "deviceRetired" ? draw` class="light"` : NOTHING;
    return draw`<rect x="${left}" y="${top}" width="${round(Math.max(right - left, 3))}" height="16" ${SILENCE_STYLE[why]}>
<title>${long}, ${times.span(from, to)}</title></rect>
<text x="${left + 6}" y="${top + 13}"${ink}>${label}</text>`;
  });
  const unwatched = unevaluated.map((span) => {
    const [left, right] = [x(span.from), x(span.to)];
    const width = round(Math.max(right - left, 1.5));
    const label = right - left > 120 ? "not evaluated" : "";
    return draw`<rect x="${left}" y="8" width="${width}" height="${bottom - 8}" fill="url(#gap-alerts)">
<title>not evaluated, ${times.span(span.from, span.to)}</title></rect>
<text x="${round((left + right) / 2)}" y="${bottom - 8}" text-anchor="middle" paint-order="stroke" stroke="#fff" stroke-width="4">${label}</text>`;
  });
  const height = bottom + axisHeight(shown, times);
  const said = lines.map(({ mark, rule, openedAt }) => `${mark}: ${rule}, raised ${times.both(openedAt)}. `);
  return draw`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="t-alerts d-alerts">
<title id="t-alerts">Alerts on the time line</title>
<desc id="d-alerts">${said}${silent.map(({ rule, why, from, to }) => `${rule}: ${SILENCE_WORDS[why]}, ${times.span(from, to)}. `)}</desc>
<defs>${hatch("gap-alerts", "#9aa4b1", "#f2f4f6")}</defs>
${timeAxis(shown, times, 8, bottom)}
${unwatched}
${bars}
${pauses}
<rect x="${LEFT}" y="8" width="${WIDTH - LEFT - RIGHT}" height="${bottom - 8}" fill="none" stroke="#8b95a1"/>
</svg>`;
}

export const alertTable = (lines: readonly AlertLine[], times: Times): Markup =>
  table(
    "What happened to each alert",
    ["Alert", "Rule", "What happened"],
    lines.map(({ mark, rule, steps, endedAt }) => {
      const said = steps.map(
        ({ what, who, at }): Content =>
          html`<li>${times.both(at)}: ${what}${who === "" ? NOTHING : html` ${named(who)}`}</li>`,
      );
      const open = endedAt === undefined ? html`<li><strong>still open</strong></li>` : NOTHING;
      return row([
        mark,
        named(rule),
        html`<ul>
          ${said}${open}
        </ul>`,
      ]);
    }),
  );
