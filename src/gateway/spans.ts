/** Epochs, half-open. */
export type Span = readonly [from: number, to: number];

/** Spans, ascending and apart from one another, with one epoch more. */
export function withEpoch(spans: readonly Span[], epoch: number): readonly Span[] {
  // Nearly always the newest one goes on.
  const last = spans.at(-1);
  if (last && epoch >= last[0] && epoch < last[1]) return spans;
  const before = spans.filter(([, to]) => to < epoch);
  const after = spans.filter(([from]) => from > epoch + 1);
  const touched = spans.slice(before.length, spans.length - after.length);
  const from = Math.min(epoch, ...touched.map((span) => span[0]));
  const to = Math.max(epoch + 1, ...touched.map((span) => span[1]));
  return [...before, [from, to], ...after];
}

export const isIn = (spans: readonly Span[], epoch: number): boolean =>
  spans.some(([from, to]) => epoch >= from && epoch < to);

/** The spans between them. */
export const holesOf = (spans: readonly Span[]): Span[] =>
  spans.slice(1).map(([from], i) => [(spans[i] as Span)[1], from]);
