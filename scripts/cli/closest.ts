/** The candidate that a typing error away from `word` is, if there is one. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const near = candidates
    .map((candidate) => ({ candidate, distance: distance(word, candidate) }))
    .filter(({ candidate, distance: far }) => far <= Math.max(1, Math.floor(candidate.length / 3)));
  return near.sort((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** Letters left out, added, exchanged, or swapped with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchanged = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const best = Math.min(exchanged, (row[j] as number) + 1, (next[j - 1] as number) + 1);
      next.push(swapped ? Math.min(best, (above[j - 2] as number) + 1) : best);
    }
    [above, row] = [row, next];
  }
  return row[b.length] as number;
}
