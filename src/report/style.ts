/** One style for screen and paper. What is wrong never shows by colour alone. */
export const STYLE = `
:root { color-scheme: light; --ink: #1b2430; --soft: #55606e; --line: #d5dae1; --paper: #fff; --wash: #f5f7f9;
  --trace: #0b5cad; --bad: #a8201a; --bad-wash: #fdeceb; --warn: #8a5a00; --warn-wash: #fff5e0; --good: #1d6b39; --good-wash: #e9f6ed; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, "Segoe UI", "Liberation Sans", Helvetica, Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
h3 { font-size: 1.05rem; margin: 1.25rem 0 .25rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; max-width: 46rem; }
.soft { color: var(--soft); }
.verdict { margin: 1rem 0; padding: .75rem 1rem; border-left: .4rem solid var(--soft); background: var(--wash); max-width: none; }
.verdict p { max-width: none; }
.verdict strong { font-size: 1.1rem; }
.verdict.good { border-color: var(--good); background: var(--good-wash); }
.verdict.bad { border-color: var(--bad); background: var(--bad-wash); }
.verdict.warn { border-color: var(--warn); background: var(--warn-wash); }
dl { margin: .75rem 0; display: grid; gap: .2rem 1.5rem; }
dl > div { display: grid; grid-template-columns: 10rem minmax(0, 1fr); gap: 1rem; }
dt { color: var(--soft); }
dt::first-letter { text-transform: uppercase; }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: .75rem 0; }
figcaption { color: var(--soft); font-size: .9rem; max-width: none; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 13px system-ui, "Segoe UI", "Liberation Sans", Helvetica, Arial, sans-serif; fill: var(--ink); }
svg text.soft { fill: var(--soft); }
svg text.light { fill: var(--paper); }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); }
tbody th { font-weight: 400; }
thead th { color: var(--soft); font-weight: 600; border-bottom-color: var(--soft); }
.cid { font-family: ui-monospace, "Liberation Mono", Menlo, monospace; font-size: .85em; overflow-wrap: anywhere; }
.found { display: block; min-width: 15rem; overflow-wrap: anywhere; }
td ul { margin: 0; padding-left: 1.1rem; }
.level { font-weight: 700; white-space: nowrap; }
.level.tampering { color: var(--bad); }
.level.loss { color: var(--warn); }
ul { padding-left: 1.2rem; }
footer { margin-top: 2.5rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: .9rem; color: var(--soft); }
@media (max-width: 40rem) { body { padding: 1rem; } dl > div { grid-template-columns: 1fr; gap: 0; } .wide { overflow-x: auto; } .wide svg { min-width: 40rem; } }
@page { margin: 15mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  svg, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, h3, caption { break-after: avoid; }
  figure, tr, .verdict, dl > div { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
}
`;
