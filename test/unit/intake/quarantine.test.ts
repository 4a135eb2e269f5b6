import { expect } from "chai";
import { readFile, stat, symlink } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import { openIntake } from "../../../src/intake/intake.ts";
import { exportQuarantine } from "../../../src/intake/quarantine.ts";
import type { QuarantinedRow } from "../../../src/intake/types.ts";
import { failure, folder } from "./support.ts";

const row = (text: string): QuarantinedRow => ({
  kind: "quarantined",
  at: { file: "ward.csv", line: 3, column: "HR" },
  code: "ERR_NUMBER",
  reason: '"HR" holds no number',
  text,
});

describe("the quarantine file", () => {
  const files = folder();

  it("holds the rows as they stood, one JSON object a line, for its owner's eyes", async () => {
    const file = files.path("quarantine.ndjson");
    expect(await exportQuarantine([row('=1+1,"x"'), row("\u0000,2")], file)).to.equal(2);
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).to.deep.equal(
      ['=1+1,"x"', "\u0000,2"].map((text) => ({
        file: "ward.csv",
        line: 3,
        column: "HR",
        path: "",
        code: "ERR_NUMBER",
        reason: '"HR" holds no number',
        text,
      })),
    );
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
  });

  it("as CSV begins no cell like a formula", async () => {
    const file = files.path("quarantine.csv");
    const formulas = ["=1+1", "+1", "-1,2", "@x", "\t=1", '  =cmd|"x"', 'plain, "quoted"\nline', "1,2"];
    await exportQuarantine(formulas.map(row), file);
    const cells = parse<{ text: string }>(await readFile(file, "utf8"), { columns: true });
    expect(cells.map(({ text }) => text)).to.deep.equal(formulas.map((text, i) => (i < 6 ? `'${text}` : text)));
    expect(cells.map(({ text }) => /^\s*[=+\-@]/.test(text))).not.to.include(true);
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
  });

  it("takes the rows of an intake and passes over the observations", async () => {
    const input = await files.write(
      "in.csv",
      "time,HR LOINC 8867-4 [/min]\n2026-03-01T08:00:00Z,72\n2026-03-01T08:00:01Z,x\n",
    );
    const file = files.path("of-intake.ndjson");
    expect(await exportQuarantine((await openIntake(input)).rows(), file)).to.equal(1);
    expect(await readFile(file, "utf8")).to.contain("2026-03-01T08:00:01Z,x");
  });

  it("overwrites nothing and follows no link", async () => {
    const file = await files.write("there.ndjson", "precious");
    await symlink(files.path("elsewhere"), files.path("link.ndjson"));
    for (const path of [file, files.path("link.ndjson"), files.path("no/such/folder")]) {
      expect((await failure(exportQuarantine([row("x")], path))).code).to.equal("ERR_USAGE");
    }
    expect(await readFile(file, "utf8")).to.equal("precious");
    expect((await failure(stat(files.path("elsewhere")))).message).to.match(/ENOENT/);
  });
});
