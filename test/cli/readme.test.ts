import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";

const root = resolve(import.meta.dirname, "../..");
const data = resolve(process.env["MEDSEAL_DATA"] ?? resolve(root, "../shared/data"));

describe("the README's tour", function () {
  this.timeout(300_000);

  it("prints what the README shows", function (done) {
    if (!existsSync(data)) {
      console.log(`      left out: the recordings are not in ${data}; MEDSEAL_DATA names another place`);
      this.skip();
    }
    execFile(process.execPath, [resolve(root, "scripts/readme.ts"), "--here", "--json"], (_error, out, differences) => {
      console.log(`      ${out.trim()}`);
      const { commands, differ } = JSON.parse(out) as { commands: number; differ: number };
      expect(commands).to.be.greaterThan(35);
      expect(differ, differences).to.equal(0);
      done();
    });
  });
});
