import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ConfigError } from "../../../src/feed/errors.ts";
import { checkPlaces } from "../../../src/feed/places.ts";

describe("the places of a gateway's configuration", () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const failureOf = (feed: string, spool: string): Promise<unknown> =>
    checkPlaces({ feed: { path: at(feed) }, spool: at(spool) }).then(
      () => undefined,
      (error: unknown) => error,
    );

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "medseal-places-"));
    await writeFile(at("file"), "kept");
    await mkdir(at("folder"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("may be empty, a folder for the spool, and the socket of a process that was killed", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(at("socket"), done));
    expect(await failureOf("nothing", "nothing")).to.equal(undefined);
    expect(await failureOf("socket", "folder")).to.equal(undefined);
    await new Promise((done) => server.close(done));
  });

  it("are refused by member where something else lies", async () => {
    for (const [feed, spool, member] of [
      ["file", "folder", "feed"],
      ["folder", "folder", "feed"],
      ["nothing", "file", "spool"],
    ] as const) {
      const error = await failureOf(feed, spool);
      expect(error).to.be.instanceOf(ConfigError);
      expect(error).to.have.property("message").that.includes(`configuration, ${member}:`);
    }
    await mkdir(at("spool"));
    await writeFile(at("spool/done"), "");
    expect(await failureOf("nothing", "spool")).to.be.instanceOf(ConfigError);
  });
});
