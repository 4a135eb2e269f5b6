import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parallel } from "../../src/ipfs/parallel.ts";
import type { Report } from "../../test/contracts/campaign/report.ts";
import { proveAll } from "../smt/prove.ts";
import { numberOf } from "./chance.ts";

/** What hostile actors did to the contracts, and what the SMTChecker proved of them. */
export interface ContractFigures {
  readonly seed: string;
  readonly calls: number;
  readonly modelSteps: number;
  readonly violations: number;
  /** The first of them, with the seed that leads there. */
  readonly told: readonly string[];
  readonly proved: number;
  readonly unproved: number;
  readonly pass: boolean;
}

const CALLS = 1_000_000;
/** Steps of devices, parties and emergencies beside them. */
const STEPS = 100_000;
/** Calls of one process; it ends with them, and with it whatever its chains kept. */
const SHARE = 10_000;

export async function deepContracts(
  seed: string,
  scale: number,
  tell: (what: string) => void,
): Promise<ContractFigures> {
  const shares = [...sharesOf("consents", CALLS * scale), ...sharesOf("registries", STEPS * scale)];
  const reports: Report[] = [];
  await parallel([...shares.entries()], availableParallelism(), async ([i, { which, calls }]) => {
    reports.push(await share(which, calls, numberOf(`${seed}/${i}`)));
    tell(`${reports.reduce((sum, report) => sum + report.calls, 0).toLocaleString("en")} calls`);
  });
  const { proved, refuted, unproved } = proveAll();
  const told = [...reports.flatMap(({ violations }) => violations), ...refuted.map(({ claim }) => `refuted: ${claim}`)];
  return {
    seed,
    calls: reports.reduce((sum, { calls }) => sum + calls, 0),
    modelSteps: reports.reduce((sum, { modelSteps }) => sum + modelSteps, 0),
    violations: told.length,
    told: told.slice(0, 20),
    proved: proved.length,
    unproved: refuted.length + unproved.length,
    pass: told.length === 0,
  };
}

export const contractsTable = ({
  seed,
  calls,
  modelSteps,
  violations,
  told,
  proved,
  unproved,
}: ContractFigures): string =>
  [
    `seed ${seed}: ${calls.toLocaleString("en")} calls, ${modelSteps.toLocaleString("en")} steps of the models, ${violations} violations`,
    ...told,
    `SMTChecker: ${proved} claims proved, ${unproved} not (npm run -s smt says why)`,
  ].join("\n");

type Which = "consents" | "registries";

function sharesOf(which: Which, calls: number): { readonly which: Which; readonly calls: number }[] {
  const wanted = Math.max(1, Math.round(calls));
  return Array.from({ length: Math.ceil(wanted / SHARE) }, (_, i) => ({
    which,
    calls: Math.min(SHARE, wanted - i * SHARE),
  }));
}

function share(which: Which, calls: number, seed: number): Promise<Report> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "contracts-process.ts"), which, String(calls), String(seed)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (code) => {
      if (code === 0) done(JSON.parse(out.trim().split("\n").at(-1) ?? "") as Report);
      else failed(new Error(`a share of the campaign ended with ${code}, seed ${seed}`));
    });
  });
}
