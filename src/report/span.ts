/** Unix seconds, half-open. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** In order, with those joined that meet or overlap. */
export function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last !== undefined && from <= last.to) all[all.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else all.push({ from, to });
  }
  return all;
}

/** What of a span lies in others, and what outside. @param others - As `joined` gives them. */
export function split({ from, to }: Span, others: readonly Span[]): { inside: Span[]; outside: Span[] } {
  const [inside, outside]: [Span[], Span[]] = [[], []];
  let at = from;
  for (const other of others) {
    const cut = { from: Math.max(other.from, at), to: Math.min(other.to, to) };
    if (cut.from >= cut.to) continue;
    if (cut.from > at) outside.push({ from: at, to: cut.from });
    inside.push(cut);
    at = cut.to;
  }
  if (at < to) outside.push({ from: at, to });
  return { inside, outside };
}

export const within = (spans: readonly Span[], at: number): boolean =>
  spans.some(({ from, to }) => at >= from && at < to);
