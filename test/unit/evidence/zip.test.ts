import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { readZip, writeZip } from "../../../src/evidence/zip.ts";
import { TooLargeError } from "../../../src/log/errors.ts";
import { refusesTruncations, standsMutations } from "../log/mutate.ts";

const entries = (files: ReadonlyMap<string, Uint8Array>): string[][] =>
  [...files].map(([name, content]) => [name, hex(content)]);
const sample = new Map([
  ["evidence.json", utf8("{}\n")],
  ["blocks/bafkreiaaa", new Uint8Array(100).fill(7)],
  ["blocks/bafkreibbb", new Uint8Array(0)],
]);

describe("the archive of a bundle", () => {
  it("comes back as it was, in its order, for any files", () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9./]{0,30}$/);
    const files = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 300 })), {
      selector: ([one]) => one,
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(files, (list) => {
        const map = new Map(list);
        expect(entries(readZip(writeZip(map)))).to.deep.equal(entries(map));
      }),
    );
  });

  it("is one that other programs open", function () {
    if (spawnSync("python3", ["--version"]).status !== 0) {
      console.log("      left out: there is no python3 to open it with");
      this.skip();
    }
    const folder = mkdtempSync(join(tmpdir(), "medseal-zip-"));
    try {
      const file = join(folder, "case.zip");
      writeFileSync(file, writeZip(sample));
      const script =
        "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(*[f'{n} {z.read(n).hex()}' for n in z.namelist()],sep='\\n')";
      const listed = execFileSync("python3", ["-c", script, file], { encoding: "utf8" });
      expect(
        listed
          .trimEnd()
          .split("\n")
          .map((line) => line.trim()),
      ).to.deep.equal(entries(sample).map((line) => line.join(" ").trim()));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is refused when it is cut off, altered, or written in another way", async () => {
    const format = { bytes: writeZip(sample), decode: readZip, encode: writeZip };
    await refusesTruncations(format);
    expect(await standsMutations("zip", format, 3000)).to.be.greaterThan(2000);
  });

  it("takes no more files than the format can count", () => {
    const many = new Map(Array.from({ length: 65_536 }, (_, i) => [`blocks/${i}`, new Uint8Array(0)]));
    expect(() => writeZip(many)).to.throw(TooLargeError);
    many.delete("blocks/0");
    expect(readZip(writeZip(many)).size).to.equal(65_535);
  });
});
