import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readUserFile } from "../../scripts/cli/files.ts";
import { UsageError } from "../../src/errors.ts";
import { LARGEST } from "../../src/evidence/zip.ts";

describe("a file that the user names", () => {
  it("may be larger than a piece of mail where it is a bundle of evidence, and no larger than one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "medseal-files-"));
    const file = join(folder, "case.zip");
    await writeFile(file, "");
    const refusal = (largest?: number): Promise<unknown> =>
      readUserFile(file, largest).catch((error: unknown) => error);
    await truncate(file, 65 * 2 ** 20);
    expect(await refusal()).to.be.instanceOf(UsageError);
    expect(((await refusal(LARGEST)) as Uint8Array).length).to.equal(65 * 2 ** 20);
    // Nothing of it is on the disk, and nothing is read.
    await truncate(file, 2 ** 31);
    expect(await refusal(LARGEST)).to.be.instanceOf(UsageError);
    await rm(folder, { recursive: true });
  });
});
