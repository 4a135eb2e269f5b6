import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { dice } from "../unit/log/mutate.ts";
import { HOUR, START, wardOf, World } from "./world.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "a quarter past eight";

describe("commands cut off, and two at once", function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    world = await World.open(true, { inTurn: true });
    await wardOf(world);
  });
  after(() => world.close());

  it("two with one identity: both take effect", async () => {
    await world.run("keys new Roy");
    await world.run("keys card --as Roy --out Roy.card");
    const window = "2026-03-01T08:01:00Z..2026-03-01T08:04:00Z";
    const asked = [1, 2, 3].map(
      (n) =>
        `consent grant --to Lee --stream oxygen --data ${window} --until ${n}d --out at-once-${n}.grant --yes --as Ann`,
    );
    const ran = await Promise.all(
      [...asked, "contacts add Roy.card --as Ann --yes"].map((line) => world.start(line).done),
    );
    expect(ran.map(({ exit, err }) => (exit === 0 ? "" : err))).to.deep.equal(["", "", "", ""]);
    const { consents } = (await world.json("consent list --as Ann")) as { consents: { id: string }[] };
    expect(consents).to.have.length(5);
    const { contacts } = (await world.json("contacts list --as Ann")) as { contacts: { name: string }[] };
    expect(contacts.map(({ name }) => name)).to.include("Roy");
  });

  it("two identities of one name: one is made", async () => {
    const ran = await Promise.all([world.start("keys new Twin").done, world.start("keys new Twin").done]);
    expect(ran.map(({ exit }) => exit).sort()).to.deep.equal([0, 2]);
    await world.run("whoami --as Twin");
  });

  it("an ingest that is interrupted or killed, again and again: every reading once", async () => {
    const roll = dice(SEED);
    console.log(`      seed ${SEED}`);
    const rows = Array.from({ length: 1200 }, (_, i) => `${i},${60 + (i % 31)}`);
    await writeFile(world.path("long.csv"), ["Time [s], HR", ...rows, ""].join("\n"));
    await world.run("stream open pulse --code 8889-8 --unit /min --epoch 1min --as Ann");
    await world.run(
      `gateway authorize --to Gateway --stream pulse --data ${HOUR} --until 7d --out pulse.grant --yes --as Ann`,
    );
    await world.run(
      "consent grant --to Lee --stream pulse --data 2026-03-01T08:00:00Z..2026-03-01T08:20:00Z --until 7d --out pulse-lee.grant --yes --as Ann",
    );
    await world.run("relay pulse.grant pulse-lee.grant --wait --as Relayer");
    await world.run("gateway lease --to Gateway --out pulse.lease --as Ann");
    await world.run("gateway accept pulse.lease --out pulse.receipt --as Gateway");
    await world.run("gateway confirm pulse.receipt --as Ann");
    await writeFile(world.path("long.csv"), (await readFile(world.path("long.csv"), "utf8")).replace("HR", "PULSE"));
    const line = `ingest long.csv --start ${START} --as Gateway`;
    const ends: (string | number)[] = [];
    for (let i = 0; i < 2; i++) {
      const running = world.start(line);
      await pause(500 + roll(1500));
      running.kill(i % 2 === 0 ? "SIGINT" : "SIGKILL");
      const { exit, err } = await running.done;
      ends.push(exit);
      if (exit === 130) expect(err).to.match(/interrupted/);
    }
    console.log(`      ended with ${ends.join(", ")}`);
    await world.run(line);
    const { consents } = (await world.json("consent list --as Ann")) as { consents: { id: string; name: string }[] };
    const { id } = consents.findLast(({ name }) => name === "Lee")!;
    await world.run(`release --to Lee --id ${id} --out pulse.mail --as Ann`);
    await world.run("inbox --file pulse.mail --as Lee");
    const lines = (await world.run("read --stream pulse --as Lee")).trim().split("\r\n").slice(1);
    expect(lines.map((text) => text.split(",")[5])).to.deep.equal(rows.map((row) => row.split(",")[1]));
    expect((await world.try("verify --stream pulse --as Lee")).exit).to.equal(0);
    expect((await world.try("verify --gateway Gateway --as Lee")).exit).to.equal(0);
  });

  it("a world that is killed comes back with chain and store", async () => {
    const before = (await world.json("consent list --as Ann")) as object;
    const file = world.path("home/.world/world.json");
    for (const parts of [["pid"], ["pid", "anvil"], ["anvil"]] as const) {
      const running = JSON.parse(await readFile(file, "utf8")) as Record<string, number>;
      for (const part of parts) process.kill(running[part] as number, "SIGKILL");
      await pause(600);
      const up = await world.start("up --background").done;
      expect(up.exit, up.err).to.equal(0);
      expect(await world.json("consent list --as Ann"), parts.join(" and ")).to.deep.equal(before);
      const { exit, err } = await world.try("verify --gateway Gateway --as Lee");
      expect(exit, err).to.equal(0);
    }
  });

  it("a full disk: a clear error, and nothing half done", async function () {
    await mkdir(world.path("small"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=96k", "tmpfs", world.path("small")], { stdio: "ignore" });
    } catch {
      console.log("      left out: a small disk cannot be mounted without root");
      this.skip();
    }
    try {
      const env = { MEDSEAL_HOME: world.path("small/home") };
      // Room for a few identities, so that the disk fills up in the middle of one.
      await mkdir(world.path("small/home"), { mode: 0o700 });
      await writeFile(world.path("small/ballast"), new Uint8Array(60_000 + dice(SEED)(8000)));
      const made: number[] = [];
      let full: { exit: number | string; err: string } | undefined;
      for (let n = 0; full === undefined && n < 60; n++) {
        const ran = await world.try(`keys new name-${n}`, env);
        if (ran.exit === 0) made.push(n);
        else full = ran;
      }
      expect(full?.exit, full?.err).to.equal(4);
      expect(full?.err).to.match(/disk is full/);
      for (const n of made) expect((await world.try(`whoami --as name-${n}`, env)).exit, `name-${n}`).to.equal(0);
    } finally {
      execFileSync("umount", ["-l", world.path("small")]);
    }
  });
});
