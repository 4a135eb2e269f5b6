import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Disk, shim } from "../../../scripts/crash/power.ts";

export interface Forgetful {
  readonly folder: string;
  readonly disk: Disk;
}

/** A new folder before each test of the suite, on a disk that forgets what was not synced; without a shim the tests are left out. */
export function forgetfulDisk(ready: (made: Forgetful) => void): void {
  let folder: string | undefined;
  before(function () {
    const made = shim();
    if (!("missing" in made)) return;
    console.log(`      left out: ${made.missing}`);
    this.skip();
  });
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), "medseal-power-")), "disk");
    await mkdir(folder);
    ready({ folder, disk: await Disk.of(folder) });
  });
  afterEach(async () => {
    if (folder) await rm(join(folder, ".."), { recursive: true, force: true });
  });
}
