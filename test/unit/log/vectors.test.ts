import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { json, type Case } from "../../../scripts/vectors/suite.ts";
import { MedSealError } from "../../../src/errors.ts";
import { READERS, revive } from "./vector-readers.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "vectors");

interface VectorFile {
  readonly format: string;
  readonly cases: readonly Case[];
}

const parse = <T>(file: string): T => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as T;
const manifest = parse<{ files: { file: string; format: string; cases: number }[] }>("manifest.json");

/** The content as JSON, or the code of the refusal; any other exception passes through. */
async function answer(read: (inputs: Record<string, unknown>) => unknown, at: Case): Promise<unknown> {
  const { name: _name, expected: _expected, error: _error, ...inputs } = at as Record<string, unknown>;
  try {
    return { expected: json(await read(revive("", inputs) as Record<string, unknown>)) };
  } catch (error) {
    if (error instanceof MedSealError) return { error: error.code };
    throw error;
  }
}

describe("vectors of the formats", () => {
  it("are all listed in the manifest, each with a reader", () => {
    const files = readdirSync(FOLDER).filter((file) => file !== "manifest.json");
    expect(manifest.files.map(({ file }) => file).sort()).to.deep.equal(files.sort());
    expect(manifest.files.map(({ format }) => format).sort()).to.deep.equal(Object.keys(READERS).sort());
  });

  it("take less than 1.2 MB", () => {
    const size = readdirSync(FOLDER).reduce((sum, file) => sum + readFileSync(join(FOLDER, file)).length, 0);
    expect(size).to.be.lessThan(1_200_000);
  });

  for (const { file, format, cases: count } of manifest.files) {
    it(`${format}: every example opens to what it says, or is refused as it says`, async () => {
      const { cases } = parse<VectorFile>(file);
      expect(cases.length).to.equal(count);
      const read = READERS[format];
      if (!read) throw new Error(`no reader of ${format}`);
      for (const at of cases) {
        const wanted = "error" in at ? { error: at["error"] } : { expected: at["expected"] };
        expect(await answer(read, at), at.name).to.deep.equal(wanted);
      }
    });
  }
});
