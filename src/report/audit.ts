import { countsOf, reachOf, type Audited } from "../auditor/audited.ts";
import { levelOf, LEVELS, worstFirst, type Level } from "../auditor/severity.ts";
import { consentId } from "../consent/consent.ts";
import { cidOf } from "../ipfs/cid.ts";
import { across, axisHeight, timeAxis, WIDTH } from "./axis.ts";
import { draw, facts, html, named, NOTHING, row, table, type Content, type Markup } from "./html.ts";
import { page } from "./page.ts";
import { timesIn, type Times } from "./zone.ts";

const WORDS: Readonly<Record<Level, string>> = {
  tampering: "Tampering",
  loss: "Loss",
  leave: "Without leave",
  order: "Not closed",
};

const MEANS: Readonly<Record<Level, string>> = {
  tampering: "stored or signed bytes are not what they were",
  loss: "something that was there, or must have been, is not",
  leave: "written, or anchored, outside the consent that lets the gateway write",
  order: "an epoch was not declared complete as it should be",
};

/** Findings that a page lists; the JSON has them all. */
const MOST_LISTED = 1000;

/** What an audit found as a page of its own, the worst first. @param zone - IANA name of the reader's zone. */
export function auditPage(audited: Audited, zone: string): string {
  const times = timesIn(zone);
  const title =
    audited.kind === "archive" ? `Audit of the archive of ${audited.gateway}` : `Audit of ${audited.stream}`;
  const body = html`<header>
      <h1>
        ${audited.kind === "archive" ? html`Audit of an archive` : html`Audit of ${named(audited.stream)} of ${named(audited.patient)}`}
      </h1>
      <p class="soft">By ${named(audited.by ?? "an auditor without an identity")}. Done ${times.both(audited.at)}.</p>
    </header>
    <main>
      ${verdict(audited)} ${findingList(audited, times)}
      <h2>What was checked</h2>
      ${facts([...subject(audited, times), ...countsOf(audited).map(([what, count]) => [what, count.toLocaleString("en")] as const)])}
      <p>${reachOf(audited).blind}</p>
      ${implausible(audited)} ${checkpoints(audited, times)}
    </main>
    <footer>
      <p>
        Checked against RecordAnchor <span class="cid">${audited.recordAnchor}</span> on chain ${audited.chainId}: every
        block against its digest, every checkpoint against its anchor and the one before it. A store or chain that does
        not answer gives no report.
      </p>
    </footer>`;
  return page(title, body);
}

function verdict(audited: Audited): Markup {
  const { findings, ok } = audited.report;
  if (ok)
    return html`<div class="verdict good" role="note">
      <p><strong>Nothing was found.</strong> This shows: ${reachOf(audited).shows}.</p>
    </div>`;
  const parts = LEVELS.map((level) => [level, findings.filter((one) => levelOf(one) === level).length] as const);
  const counts = parts.filter(([, count]) => count > 0);
  return html`<div class="verdict bad" role="note">
    <p><strong>${findings.length.toLocaleString("en")} ${findings.length === 1 ? "finding" : "findings"}.</strong></p>
    <ul>
      ${counts.map(
        ([level, count]) =>
          html`<li>
            <span class="level ${level}">${WORDS[level]}</span>: ${count.toLocaleString("en")} – ${MEANS[level]}
          </li>`,
      )}
    </ul>
  </div>`;
}

function findingList({ report: { findings } }: Audited, times: Times): Markup {
  if (findings.length === 0) return NOTHING;
  const rows = worstFirst(findings)
    .slice(0, MOST_LISTED)
    .map((finding) => {
      const { kind, text, checkpoint, span } = finding;
      const level = levelOf(finding);
      const about: Content = span === undefined ? "–" : times.span(span.from, span.to);
      return row([
        html`<span class="level ${level}">${WORDS[level]}</span><br />${kind}`,
        html`<span class="found">${text}</span>`,
        about,
        checkpoint,
      ]);
    });
  const more = findings.length - rows.length;
  return html`<h2>Findings, worst first</h2>
    ${table("Each names one object and blames no other", ["Level", "What is wrong", "Data of", "Checkpoint"], rows)}${more > 0 ? html`<p>… and ${more.toLocaleString("en")} more; --json lists all.</p>` : NOTHING}`;
}

/** What is as signed, and still cannot be. */
function implausible(audited: Audited): Markup {
  if (audited.kind !== "window" || !audited.flags?.length) return NOTHING;
  const { flags } = audited;
  const rows = flags
    .slice(0, MOST_LISTED)
    .map(({ kind, time, code, unit, value, batch }) =>
      row([
        time,
        html`${named(code)}:
        ${kind === "unit" ? html`its unit ${named(unit || "1")} does not fit` : html`${value} ${named(unit)}`}`,
        html`<span class="cid">${batch}</span>`,
      ]),
    );
  const more = flags.length - rows.length;
  return html`<h2>Implausible readings</h2>
    <p>As signed and anchored, and outside what a living body can have: a sensor, unit or code is wrong.</p>
    ${table("No finding against anybody", ["Time", "Reading", "Batch"], rows)}${more > 0 ? html`<p>… and ${more.toLocaleString("en")} more; --json lists all.</p>` : NOTHING}`;
}

const subject = (audited: Audited, times: Times): (readonly [string, Content])[] =>
  audited.kind === "archive"
    ? [["Gateway", html`<span class="cid">${audited.gateway}</span>`]]
    : [
        ["Window", times.span(audited.window.from, audited.window.to)],
        ["With keys to", audited.depth],
        ["Consent", html`<q>${audited.consent.statement}</q>`],
        ["Number", html`<span class="cid">${consentId(audited.consent)}</span>`],
        ["Gateways", audited.rested.map(({ gateway }) => html`<span class="cid">${gateway}</span> `)],
      ];

const MOST_DRAWN = 2000;

/** When each checkpoint was anchored, and which of them has findings. */
function checkpoints({ rested, report: { findings } }: Audited, times: Times): Markup {
  const all = rested
    .flatMap(({ gateway, checkpoints }) => checkpoints.map((one) => ({ ...one, gateway })))
    .sort((a, b) => a.time - b.time);
  if (all.length === 0) return html`<p>No checkpoint is anchored.</p>`;
  const anchored = all.map(({ time }) => time);
  const [first, last] = [anchored.reduce((a, b) => Math.min(a, b)), anchored.reduce((a, b) => Math.max(a, b))];
  const span = { from: first, to: Math.max(last, first + 60) };
  const bad = new Set(findings.map(({ gateway, checkpoint }) => `${gateway ?? rested[0]?.gateway}/${checkpoint}`));
  const isBad = ({ gateway, index }: { gateway: string; index: number }): boolean => bad.has(`${gateway}/${index}`);
  const x = across(span);
  const marks = all
    .slice(-MOST_DRAWN)
    .map((one) =>
      isBad(one)
        ? draw`<path d="M${x(one.time)} 8l7 24h-14z" fill="#a8201a" stroke="#fff"><title>${one.index}: findings</title></path>`
        : draw`<rect x="${x(one.time) - 2}" y="14" width="4" height="18" fill="#0b5cad"><title>${one.index}</title></rect>`,
    );
  const rows = all
    .slice(-20)
    .map((one) =>
      row([
        rested.length > 1 ? html`${one.index} of <span class="cid">${one.gateway}</span>` : one.index,
        html`<span class="cid">${cidOf(one.digest)}</span>`,
        times.both(one.time),
        one.block.toLocaleString("en"),
        html`<span class="cid">${one.transaction}</span>`,
        isBad(one) ? "yes" : "none",
      ]),
    );
  const caption = all.length > rows.length ? `The newest ${rows.length} of ${all.length.toLocaleString("en")}` : "All";
  return html`<h2>Checkpoints</h2>
    <figure class="wide">
      <svg viewBox="0 0 ${WIDTH} ${40 + axisHeight(span, times)}" role="img" aria-labelledby="t-anchored d-anchored">
        <title id="t-anchored">Checkpoints by the time they were anchored</title>
        <desc id="d-anchored">
          ${all.length} checkpoints from ${times.both(first)} to ${times.both(last)}; ${bad.size} with findings.
        </desc>
        ${timeAxis(span, times, 8, 40)} ${marks}
      </svg>
      <figcaption>A bar for each checkpoint, by the time of its block; a triangle for one with findings.</figcaption>
    </figure>
    ${table(caption, ["No.", "Checkpoint", "Anchored", "Block", "Transaction", "Findings"], rows)}`;
}
