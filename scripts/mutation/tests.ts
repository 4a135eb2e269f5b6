import { join } from "node:path";
import { pathToFileURL } from "node:url";
import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import Mocha from "mocha";
import { ROOT } from "./compiler.ts";

/** A test file, or one test of it: of Mocha's by its full title, of Solidity's by its function. */
export interface Step {
  readonly file: string;
  readonly test?: string;
}

export const isSolidity = (file: string): boolean => file.endsWith(".sol");

/** Runs a step in this process, which may have run others. @returns what failed first, or `undefined` when all passed. */
export const failureOf = (step: Step): Promise<Step | undefined> =>
  isSolidity(step.file) ? failureOfSolidity(step) : failureOfMocha(step);

const opened: Promise<NetworkConnection>[] = [];
const create = hre.network.create.bind(hre.network);
hre.network.create = ((...args: Parameters<typeof create>) => {
  const connection = create(...args);
  opened.push(connection as Promise<NetworkConnection>);
  return connection;
}) as typeof create;

let loaded = 0;

/** Every run loads the file anew, so that it stands before chains of its own; what the file imports is loaded once. */
async function failureOfMocha({ file, test }: Step): Promise<Step | undefined> {
  const only = test === undefined ? {} : { grep: new RegExp(`^${escaped(test)}$`) };
  // What hangs is ended from outside; on a busy machine a test that only takes long is none of those.
  const mocha = new Mocha({ timeout: 0, bail: true, reporter: class {} as never, ...only });
  const path = join(ROOT, file);
  try {
    mocha.suite.emit("pre-require", globalThis as never, path, mocha);
    await import(`${pathToFileURL(path).href}?${++loaded}`);
    let failed: Step | undefined;
    await new Promise<void>((resolve) => {
      mocha
        .run(() => resolve())
        .on("fail", (at: Mocha.Runnable) => {
          failed ??= at instanceof Mocha.Test ? { file, test: at.fullTitle() } : { file };
        });
    });
    return failed;
  } finally {
    mocha.dispose();
    await Promise.allSettled(opened.splice(0).map(async (connection) => (await connection).close()));
  }
}

interface SuiteResult {
  readonly testResults: readonly { readonly name: string; readonly status: string }[];
}

async function failureOfSolidity({ file, test }: Step): Promise<Step | undefined> {
  const only = test === undefined ? {} : { grep: `^${escaped(test)}\\b` };
  const task = hre.tasks.getTask(["test", "solidity"]);
  const result = (await task.run({ testFiles: [file], noCompile: true, ...only })) as
    | { readonly success: true }
    | { readonly success: false; readonly error: { readonly suiteResults: readonly SuiteResult[] } };
  if (result.success) return undefined;
  const results = result.error.suiteResults.flatMap(({ testResults }) => testResults);
  const failed = results.find(({ status }) => status === "Failure")?.name.replace(/\(.*$/, "");
  return failed === undefined || failed === "setUp" ? { file } : { file, test: failed };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
