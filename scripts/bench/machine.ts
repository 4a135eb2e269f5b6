import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/** How busy the machine was while something was measured, so that a figure can be judged. */
export interface Machine {
  readonly cores: number;
  /** Processes that wanted a core, a minute's average, before and after. */
  readonly load: readonly [before: number, after: number];
  /** Share of the cores' time that the host gave to others; undefined where that is not told. */
  readonly stolen: number | undefined;
}

/** Begins to watch. @returns what was seen until it is called. */
export function watchMachine(): () => Machine {
  const [before, since, first] = [loadNow(), performance.now(), stolenSeconds()];
  const cores = availableParallelism();
  return () => {
    const last = stolenSeconds();
    const seconds = (performance.now() - since) / 1000;
    const stolen = first === undefined || last === undefined ? undefined : rounded((last - first) / seconds / cores);
    return { cores, load: [before, loadNow()], stolen };
  };
}

export const machineWords = ({ cores, load, stolen }: Machine): string =>
  `load ${load.join(" before, ")} after, on ${cores} cores${stolen === undefined ? "" : `, of which the host took ${(100 * stolen).toFixed(1)} %`}`;

/** proc(5), `/proc/stat`: the eighth number of the first line, in hundredths of a second. */
function stolenSeconds(): number | undefined {
  try {
    const stolen = readFileSync("/proc/stat", "utf8").split("\n")[0]?.split(/ +/)[8];
    return stolen === undefined ? undefined : Number(stolen) / 100;
  } catch {
    return undefined;
  }
}

const loadNow = (): number => rounded(loadavg()[0] ?? 0);
const rounded = (value: number): number => Math.round(value * 1000) / 1000;
