import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Spool, type SpoolDeps } from "../../../src/feed/spool.ts";
import type { Fields } from "../../../src/feed/log.ts";
import type { Gateway } from "../../../src/gateway/gateway.ts";

const NOBODY = 65_534;

describe("the spool", () => {
  let folder: string;
  let spool: Spool;
  let logged: (Fields & { readonly event: string })[];
  let deps: SpoolDeps;
  const at = (name: string): string => join(folder, name);
  const events = (event: string): Fields[] => logged.filter((one) => one.event === event);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "medseal-spool-"));
    logged = [];
    deps = {
      // Mail without an envelope asks nothing of it.
      gateway: {} as Gateway,
      log: (_level, event, fields = {}) => void logged.push({ event, ...fields }),
      noteSigned: () => undefined,
      known: () => undefined,
      readMail: () => [],
    };
    spool = await Spool.open(folder, deps);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("takes what is a file beside folders, links, pipes and what is no text, which it refuses in the same round", async () => {
    await mkdir(at("a.end"));
    await symlink("/nonexistent", at("b.end"));
    execFileSync("mkfifo", [at("c.end"), at("d.mail")]);
    await writeFile(at("e.end"), new Uint8Array([0xff, 0xfe]));
    await symlink(at("z.mail"), at("f.lease"));
    await writeFile(at("g.end"), "");
    await truncate(at("g.end"), 2 ** 40);
    await writeFile(at("z.mail"), "");
    expect(await spool.take()).to.equal(false);
    expect((await readdir(folder)).sort()).to.deep.equal(["done", "refused"]);
    expect(await readdir(at("done"))).to.deep.equal(["z.mail"]);
    expect(events("spool.refused").map(({ kind, code }) => `${kind} ${code}`)).to.deep.equal([
      "end ERR_NO_FILE",
      "end ERR_NO_FILE",
      "end ERR_NO_FILE",
      "end ERR_SIGNED_MESSAGE",
      "end ERR_FILE_TOO_LARGE",
      "lease ERR_NO_FILE",
      "mail ERR_NO_FILE",
    ]);
  });

  it("gives another name to what is refused under one that lies there already, and writes no receipt into a pipe", async () => {
    for (const name of ["refused/a.end", "a.end"]) await mkdir(at(name));
    await writeFile(at("refused/a.end/x"), "");
    execFileSync("mkfifo", [at("b.receipt")]);
    await writeFile(at("b.lease"), "");
    await spool.take();
    expect(await readdir(folder)).to.have.members(["b.receipt", "done", "refused"]);
    expect(await readdir(at("refused"))).to.have.length(3);
    expect(events("spool.refused")).to.have.length(2);
  });

  it("tells once of a file that it may not read, tries it again, and takes the others", async function () {
    if (process.getuid?.() !== 0) {
      await writeFile(at("a.mail"), "");
      await chmod(at("a.mail"), 0);
    } else {
      // Root reads everything.
      await writeFile(at("a.mail"), "", { mode: 0o600 });
      for (const name of ["", "done", "refused"]) await chown(at(name), NOBODY, NOBODY);
      process.seteuid?.(NOBODY);
    }
    try {
      await writeFile(at("b.mail"), "");
      for (let i = 0; i < 3; i++) await spool.take();
      expect(await readdir(at("done"))).to.deep.equal(["b.mail"]);
      expect(events("spool.waits")).to.deep.equal([{ event: "spool.waits", kind: "mail", reason: "EACCES" }]);
    } finally {
      process.seteuid?.(process.getuid?.() ?? 0);
    }
    await chmod(at("a.mail"), 0o600);
    await spool.take();
    expect(await readdir(at("done"))).to.deep.equal(["a.mail", "b.mail"]);
  });
});
