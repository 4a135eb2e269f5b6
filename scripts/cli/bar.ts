import type { Io } from "./io.ts";

const WIDTH = 24;
/** Milliseconds between two looks of the bar. */
const EVERY = 100;

/** How far something is, for people: `[######------------------]  25 %  1,024 blocks`. @param share - 0 to 1. */
export function barOf(share: number, text: string): string {
  const done = Math.min(1, Math.max(0, share));
  const full = Math.floor(done * WIDTH);
  const percent = String(Math.floor(done * 100)).padStart(3);
  return `[${"#".repeat(full)}${"-".repeat(WIDTH - full)}] ${percent} %  ${text}`;
}

/** Shows how far something is, on a terminal only and not at every step. */
export function progressBar(io: Pick<Io, "progress">): (share: number, text: string) => void {
  let last = -Infinity;
  return (share, text) => {
    const time = performance.now();
    if (time - last < EVERY) return;
    last = time;
    io.progress(barOf(share, text));
  };
}
