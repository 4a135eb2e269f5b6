import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archiveSuites } from "./vectors/archive.ts";
import { batchSuites } from "./vectors/batch.ts";
import { consentSuites } from "./vectors/consent.ts";
import { disclosureSuites } from "./vectors/disclosure.ts";
import { envelopeSuites } from "./vectors/envelope.ts";
import { evidenceSuites } from "./vectors/evidence.ts";
import { handedSuites } from "./vectors/handed.ts";
import { lateSuites } from "./vectors/late.ts";
import { logSuites } from "./vectors/log.ts";
import { proofSuites } from "./vectors/proof.ts";
import { sealSuites } from "./vectors/seal.ts";
import type { Case, Suite } from "./vectors/suite.ts";

const FOLDER = join(import.meta.dirname, "..", "test", "vectors");
const ZSTD = process.versions.zstd ?? "none";

interface Manifest {
  readonly version: 1;
  /** The version of zstd that made the bytes which depend on it. */
  readonly zstd: string;
  readonly files: readonly { file: string; format: string; section: number; zstd?: true; cases: number }[];
}

/** One case a line: a change shows as the line that changed. */
const text = ({ format, section, cases }: Suite): string =>
  `{"format":${JSON.stringify(format)},"section":${section},"cases":[\n${cases.map((at) => JSON.stringify(ordered(at))).join(",\n")}\n]}\n`;

/** The name first, the answer last. */
function ordered({ name, ...rest }: Case): object {
  const { expected, error, ...inputs } = rest as Record<string, unknown>;
  return { name, ...inputs, ...(error === undefined ? { expected } : { error }) };
}

/** What a suite promises whatever the compressor: its names and answers, without the bytes. */
const answers = (file: string): unknown =>
  (JSON.parse(file) as Suite).cases.map(({ name, ...rest }) => ({ name, error: (rest as { error?: string }).error }));

async function check(files: ReadonlyMap<string, string>, suites: readonly Suite[]): Promise<string[]> {
  const stored = async (file: string): Promise<string> => readFile(join(FOLDER, file), "utf8").catch(() => "");
  const manifest = await stored("manifest.json");
  const sameZstd = manifest !== "" && (JSON.parse(manifest) as Manifest).zstd === ZSTD;
  if (!sameZstd) console.error(`zstd here is ${ZSTD}: bytes that depend on it are not compared`);
  const differing: string[] = [];
  for (const [file, wanted] of files) {
    const found = file === "manifest.json" ? manifest : await stored(file);
    const depends = file === "manifest.json" || suites.some(({ format, zstd }) => zstd && file === `${format}.json`);
    if (found === wanted) continue;
    const loose = depends && !sameZstd && found !== "";
    if (loose && (file === "manifest.json" || JSON.stringify(answers(found)) === JSON.stringify(answers(wanted))))
      continue;
    differing.push(file);
  }
  return differing;
}

const suites = [
  ...logSuites(),
  ...archiveSuites(),
  ...batchSuites(),
  ...proofSuites(),
  ...(await evidenceSuites()),
  ...(await sealSuites()),
  ...(await consentSuites()),
  ...(await envelopeSuites()),
  ...(await disclosureSuites()),
  ...(await handedSuites()),
  ...lateSuites(),
];
const manifest: Manifest = {
  version: 1,
  zstd: ZSTD,
  files: suites.map(({ format, section, zstd, cases }) => ({
    file: `${format}.json`,
    format,
    section,
    ...(zstd && { zstd }),
    cases: cases.length,
  })),
};
const files = new Map(suites.map((suite) => [`${suite.format}.json`, text(suite)]));
files.set("manifest.json", `${JSON.stringify(manifest, null, 2)}\n`);

if (process.argv.includes("--check")) {
  const differing = await check(files, suites);
  for (const file of differing) console.error(`test/vectors/${file} is not what the code gives`);
  if (differing.length > 0) process.exitCode = 1;
  else console.log(`${files.size} files of vectors are what the code gives`);
} else {
  await mkdir(FOLDER, { recursive: true });
  for (const [file, content] of files) await writeFile(join(FOLDER, file), content);
  console.log(`${files.size} files written to test/vectors`);
}
