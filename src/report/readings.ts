import type { Finding } from "../auditor/findings.ts";
import { actionNames } from "../consent/actions.ts";
import { consentId, type Consent } from "../consent/consent.ts";
import { LOINC, MDC } from "../intake/units-of-codes.ts";
import type { Code } from "../observation/observation.ts";
import { alertChart, alertLines, alertTable, SILENCE_WORDS, type AlertLine, type AlertRecord } from "./alert-line.ts";
import { chart, GAP_WORDS } from "./chart.ts";
import { facts, html, named, NOTHING, row, table, type Content, type Markup } from "./html.ts";
import { page } from "./page.ts";
import { figuresOf, type Figures, type Series } from "./series.ts";
import { joined, type Span } from "./span.ts";
import { length, timesIn, type Times } from "./zone.ts";

/** What a page shows of one stream. */
export interface StreamSection {
  readonly name: string;
  readonly consent: Consent;
  /** Names of the gateways that wrote it, as far as the viewer knows them. */
  readonly gateways: readonly string[];
  readonly window: Span;
  /** Epochs of which a header opened. */
  readonly covered: readonly Span[];
  readonly series: readonly Series[];
  readonly findings: readonly Finding[];
  /** The newest epoch of the window is not declared complete yet. */
  readonly unfinished: boolean;
}

export interface ReadingsReport {
  readonly patient: string;
  readonly viewer: string;
  /** Unix seconds. */
  readonly made: number;
  /** IANA name of the reader's zone. */
  readonly zone: string;
  readonly place: { readonly chainId: number; readonly recordAnchor: string };
  readonly streams: readonly StreamSection[];
  /** Of the stream of alerts; undefined when the viewer may not read one. */
  readonly alerts?: AlertRecord;
}

/** Readings as a page of its own: charts, figures, what is missing, what could not be verified, and by which consent. */
export function readingsPage(report: ReadingsReport): string {
  const { patient, viewer, made, zone, place, streams } = report;
  const times = timesIn(zone);
  const shown = shownOf(report);
  const lines = alertLines(report.alerts?.events ?? [], times).filter(
    ({ openedAt, endedAt = Infinity }) => openedAt < shown.to && endedAt > shown.from,
  );
  const body = html`<header>
      <h1>Readings of ${named(patient)}</h1>
      <p class="soft">
        For ${named(viewer)}. Made ${times.both(made)}.
        ${zone === "UTC" ? "Times are in UTC." : html`Times are those of ${zone}; UTC stands beside them.`}
      </p>
    </header>
    <main>
      ${verdict(streams, report.alerts)} ${figures(streams, times)} ${alertSection(report.alerts, lines, shown, times)}
      ${streams.map((stream, i) => streamSection(stream, `s${i + 1}`, { shown, times, lines }))}
    </main>
    <footer>
      <p>
        Every reading was checked against the root that its device or gateway signed, the checkpoint that was anchored
        on chain ${place.chainId} in <span class="cid">${place.recordAnchor}</span>, and the consent under which it was
        written. What could not be checked so is marked, and is not in the figures.
      </p>
      <p>This page holds health data: keep it as you keep such. MedSeal is not a certified medical device.</p>
    </footer>`;
  return page(`Readings of ${patient}`, body);
}

/** From the first to the last thing there is to see: a window may be granted for years. */
function shownOf({ streams, made }: ReadingsReport): Span {
  const all = streams.flatMap(({ covered, findings, window }) =>
    [...covered, ...findings.flatMap(({ span }) => span ?? [])].map(({ from, to }) => ({
      from: Math.max(from, window.from),
      to: Math.min(to, window.to),
    })),
  );
  const whole = joined(all);
  const [first, last] = [whole[0], whole.at(-1)];
  if (first !== undefined && last !== undefined) return { from: first.from, to: last.to };
  const from = Math.min(...streams.map(({ window }) => window.from));
  return { from, to: Math.max(from + 1, Math.min(made, ...streams.map(({ window }) => window.to))) };
}

const spansOf = ({ findings }: StreamSection): Span[] => joined(findings.flatMap(({ span }) => span ?? []));

function verdict(streams: readonly StreamSection[], alerts: AlertRecord | undefined): Markup {
  const findings = [...streams.flatMap((stream) => stream.findings), ...(alerts?.findings ?? [])];
  const readings = streams.flatMap(({ series }) => series).reduce((sum, { points }) => sum + points.length, 0);
  const said = `${readings.toLocaleString("en")} ${readings === 1 ? "reading" : "readings"} of ${streams.length} ${streams.length === 1 ? "stream" : "streams"}`;
  if (findings.length > 0)
    return html`<div class="verdict bad" role="note">
      <p>
        <strong>Not all of this can be relied on.</strong> ${said}; ${findings.length}
        ${findings.length === 1 ? "thing is" : "things are"} wrong with the record, listed below. What they touch is
        cross-hatched and left out of the figures.
      </p>
    </div>`;
  if (readings === 0)
    return html`<div class="verdict warn" role="note">
      <p><strong>There are no readings in this window.</strong></p>
    </div>`;
  const open = streams.some(({ unfinished }) => unfinished);
  return html`<div class="verdict good" role="note">
    <p>
      <strong>All verified.</strong> ${said}: in order, written with leave, as signed and as
      anchored.${open ? " The newest of them are not declared complete yet: more may come." : ""}
    </p>
  </div>`;
}

function figures(streams: readonly StreamSection[], times: Times): Markup {
  const rows = streams.flatMap((stream) =>
    stream.series.map((series) => {
      const { readings, unverified, missing, lowest, highest, mean } = figuresOf(series, spansOf(stream));
      const unit = series.channel.unit;
      const at = (point: Figures["lowest"]): Content =>
        point === undefined ? "–" : html`${point.text}<br /><span class="soft">${times.both(point.at)}</span>`;
      const bad =
        unverified > 0 ? html`<br /><strong>${unverified.toLocaleString("en")} not verified</strong>` : NOTHING;
      const absent =
        missing > 0 ? html`<br /><span class="soft">${missing.toLocaleString("en")} marked missing</span>` : NOTHING;
      return row([
        html`${named(stream.name)}<br /><span class="soft">${codeOf(series)}</span>`,
        unit || "none",
        [readings.toLocaleString("en"), bad, absent],
        at(lowest),
        mean ?? "–",
        at(highest),
      ]);
    }),
  );
  return html`<h2 id="figures">Figures</h2>
    ${table("Verified readings of each channel", ["Channel", "Unit", "Readings", "Lowest", "Mean", "Highest"], rows)}`;
}

interface Drawn {
  readonly shown: Span;
  readonly times: Times;
  readonly lines: readonly AlertLine[];
}

function alertSection(record: AlertRecord | undefined, lines: readonly AlertLine[], shown: Span, times: Times): Markup {
  const head = html`<h2 id="alerts">Alerts</h2>`;
  if (record === undefined)
    return html`${head}
      <p>No alert stream is shown here: whether there were alerts, this page does not say.</p>`;
  const overlaps = ({ from, to }: Span): boolean => to > shown.from && from < shown.to;
  const unevaluated = record.unevaluated.filter(overlaps);
  const silences = record.silences.filter(overlaps);
  const none = lines.length === 0 ? html`<p>The alert stream has no alert in this time.</p>` : NOTHING;
  const doubt =
    unevaluated.length === 0
      ? NOTHING
      : html`<p>
          <strong>Not all of this time was watched over:</strong> where it is hatched nobody says that every rule was
          evaluated, or what they say is not verified. No alert there does not mean that none was called for.
        </p>`;
  const wrong =
    record.findings.length === 0
      ? NOTHING
      : html`<h3>What is wrong with the record of alerts</h3>
          <ul>
            ${record.findings.map(({ kind, text }) => html`<li><strong>${kind}</strong>: <span class="found">${text}</span></li>`)}
          </ul>`;
  if (lines.length + unevaluated.length + silences.length === 0) return html`${head} ${none} ${wrong}`;
  const quiet = table(
    "Without data to judge",
    ["Rule", "Why", "When"],
    silences.map(({ rule, why, from, to }) => row([named(rule), SILENCE_WORDS[why], times.span(from, to)])),
  );
  return html`${head} ${none} ${doubt}
    <figure class="wide">
      ${alertChart(lines, record, shown, times)}
      <figcaption>
        A bar from the beginning of an alert to its end; a diamond where somebody acknowledged it. Below: times in which
        a rule had no data, and why. Hatched: not evaluated.
      </figcaption>
    </figure>
    ${lines.length > 0 ? alertTable(lines, times) : NOTHING} ${silences.length > 0 ? quiet : NOTHING} ${wrong}`;
}

function streamSection(stream: StreamSection, id: string, { shown, times, lines }: Drawn): Markup {
  const { name, consent, window, gateways, series, findings } = stream;
  const unverified = spansOf(stream);
  const charts = series.map((one, i) => {
    const what = `${codeOf(one)}${one.channel.unit === "" ? "" : ` in ${one.channel.unit}`}`;
    const options = {
      id: `${id}-${i + 1}`,
      title: `${name}, ${what}`,
      description: described(one, unverified, times),
      shown,
      times,
      unverified,
      alerts: lines.map(({ mark, openedAt: at }) => ({ mark, at })),
    };
    return html`<h3>${what}</h3>
      <figure class="wide">
        ${chart(one, options)}
        <figcaption>${legend(one, unverified)}</figcaption>
      </figure>
      ${gapList(one, times)}`;
  });
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${named(name)}</h2>
    ${facts([
      ["Window", times.span(window.from, window.to)],
      [
        "Consent",
        html`${actionNames(consent.actions).join(", ")} for ${consent.purpose}, until ${times.both(consent.periodEnd)}`,
      ],
      ["In full", html`<q>${consent.statement}</q>`],
      ["Number", html`<span class="cid">${consentId(consent)}</span>`],
      ["Written by", gateways.map((gateway, i) => html`${i > 0 ? ", " : ""}${named(gateway)}`)],
    ])}
    ${charts.length > 0 ? charts : html`<p><strong>Nothing is recorded in this window.</strong></p>`}
    ${
      findings.length === 0
        ? NOTHING
        : html`<h3>What is wrong with the record</h3>
            <ul>
              ${findings.map(({ kind, text }) => html`<li><strong>${kind}</strong>: <span class="found">${text}</span></li>`)}
            </ul>`
    }
  </section> `;
}

function legend({ gaps, missing }: Series, unverified: readonly Span[]): Content[] {
  return [
    "Line: verified readings. ",
    gaps.some(({ kind }) => kind === "silent" || kind === "unrecorded") ? "Hatched: no readings. " : "",
    unverified.length > 0 ? "Cross-hatched, dotted line: not verified. " : "",
    missing.length > 0 ? "× at the bottom: marked missing by the source. " : "",
  ];
}

const MOST_LISTED = 50;

function gapList({ gaps }: Series, times: Times): Markup {
  if (gaps.length === 0) return NOTHING;
  const rows = gaps
    .slice(0, MOST_LISTED)
    .map(({ from, to, kind }) => row([times.span(from, to), length(to - from), GAP_MEANS[kind]]));
  const more = gaps.length - rows.length;
  return html`${table("Without readings", ["When", "Length", "What that means"], rows)}${more > 0 ? html`<p>… and ${more.toLocaleString("en")} more.</p>` : NOTHING}`;
}

const GAP_MEANS: Readonly<Record<keyof typeof GAP_WORDS, string>> = {
  silent: "nothing measured: the signed record covers this time and holds no reading",
  unrecorded: "no record: there is no signed record of this time, or it was not handed in yet",
  unverified: "not verified: what is there cannot be shown to be what was signed",
};

function described(series: Series, unverified: readonly Span[], times: Times): string {
  const { readings, lowest, highest, mean, missing, unverified: bad } = figuresOf(series, unverified);
  const [first, last] = [series.points[0], series.points.at(-1)];
  if (first === undefined || last === undefined) return "No readings.";
  const range =
    lowest === undefined || highest === undefined ? "" : `, from ${lowest.text} to ${highest.text}, mean ${mean ?? ""}`;
  const rest = [
    series.gaps.length > 0 ? `${series.gaps.length} times without readings` : "",
    missing > 0 ? `${missing} marked missing` : "",
    bad > 0 ? `${bad} not verified` : "",
  ].filter(Boolean);
  return `${readings} readings from ${times.both(first.at)} to ${times.both(last.at)}${range}${rest.length > 0 ? `; ${rest.join(", ")}` : ""}.`;
}

const SYSTEMS: Readonly<Record<string, string>> = { [LOINC]: "LOINC", [MDC]: "MDC" };

const codeName = ({ system, code }: Code): string => `${SYSTEMS[system] ?? system} ${code}`;

const codeOf = ({ channel: { code, component } }: Series): string =>
  component === undefined ? codeName(code) : `${codeName(component)} of ${codeName(code)}`;
