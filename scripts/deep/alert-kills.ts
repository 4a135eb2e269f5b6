import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mulberry32 } from "../../examples/simulate.ts";
import type { Notice } from "../../src/monitor/notice.ts";
import { dayOf } from "./alert-day.ts";

export interface KillsReport {
  readonly kills: number;
  /** Alerts of episodes of which nobody was told. */
  readonly lost: number;
  /** Notices that were shown, or stand in the file, more than once. */
  readonly shownTwice: number;
  readonly notices: number;
}

/** Seconds of a day, so that it lasts for a few kills. */
const SECONDS = 7200;
/** Milliseconds that a monitor lives, at the most, before it is killed. */
const LIFE = 1500;

/** Kills monitors at random moments until each is through its day, and counts what was told. */
export async function killMonitors(kills: number, seed: number, seconds = SECONDS): Promise<KillsReport> {
  const draw = mulberry32(seed);
  let [killed, lost, shownTwice, notices] = [0, 0, 0, 0];
  for (let run = 0; killed < kills; run++) {
    const folder = await mkdtemp(join(tmpdir(), "medseal-kills-"));
    try {
      const args = [join(import.meta.dirname, "alert-monitor.ts"), folder, String(seed + run), String(seconds)];
      while (!(await live(args, killed < kills ? 150 + draw() * LIFE : undefined))) killed += 1;
      const lines = async (file: string): Promise<string[]> =>
        (await readFile(join(folder, file), "utf8").catch(() => "")).trimEnd().split("\n").filter(Boolean);
      const shown = await lines("shown");
      const delivered = (await lines("delivered.ndjson")).map((line) => JSON.parse(line) as Notice);
      notices += delivered.length;
      shownTwice += shown.length - new Set(shown).size;
      shownTwice += delivered.length - new Set(delivered.map(({ id }) => id)).size;
      // Nobody answers there, so that the first episode of a rule opens an alert, and takes up those that follow.
      const rules = new Set(dayOf(seed + run, seconds).injected.map(({ rule }) => rule));
      lost += [...rules].filter((rule) => !delivered.some((notice) => notice.rule === rule)).length;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { kills: killed, lost, shownTwice, notices };
}

/** @returns whether it came to its end. @throws Error when it failed by itself. */
function live(args: readonly string[], milliseconds: number | undefined): Promise<boolean> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const timer = milliseconds === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), milliseconds);
  return new Promise((done, failed) =>
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0 || signal === "SIGKILL") done(code === 0);
      else failed(new Error(`a monitor ended with ${code ?? signal}`));
    }),
  );
}
