import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hex } from "../../src/bytes/bytes.ts";
import { passphraseStore } from "../../src/state/store.ts";
import type { Vault } from "../../scripts/cli/vault.ts";
import { HOUR, START, World } from "./world.ts";

const PASSPHRASE = "zebra quartz lantern fjord";
const DOCTOR = "Vexworth Hollowbrook";
const PATIENT = "Zyxanna Quillfeather";
/** Readings that stand nowhere else. */
const READINGS = ["71.4242", "68.1357", "83.9753"];

describe("what must stay inside: keys, passphrases, names, readings", function () {
  this.timeout(300_000);
  let world: World;
  const canaries = new Map<string, string>();
  /** Everything said on stderr, what verbs answered that show no readings, and the process list while they ran. */
  const heard: string[] = [];

  before(async () => {
    world = await World.open(true);
    world.env["TMPDIR"] = world.path("tmp");
    await mkdir(world.path("tmp"));
    await writeFile(world.path("pass"), `${PASSPHRASE}\n`, { mode: 0o600 });
    await writeFile(world.path("wrong"), `${PASSPHRASE}s\n`, { mode: 0o600 });
    const rows = Array.from({ length: 180 }, (_, i) => `${i},${READINGS[i % 3]}`);
    await writeFile(world.path("recording.csv"), ["Time [s], HR", ...rows, "180,8x.9x", ""].join("\n"));

    for (const name of [PATIENT, DOCTOR, "Gateway"]) {
      heard.push(await world.run(`keys new "${name}"`));
      await world.cheapen(name);
    }
    for (const [name, card] of [
      [PATIENT, "p"],
      [DOCTOR, "d"],
      ["Gateway", "g"],
    ] as const)
      await say(`keys card --as "${name}" --out ${card}.card`);
    await say(`contacts add d.card --as "${PATIENT}" --yes`);
    await say(`contacts add g.card --as "${PATIENT}" --yes`);
    await say(`contacts add g.card --as "${DOCTOR}" --yes`);
    for (const who of [DOCTOR, "Gateway"]) await say(`contacts add p.card --as "${who}" --yes`);
    await say("fund --as Gateway");
    await say(`stream open heart-rate --code 8867-4 --unit /min --epoch 1min --as "${PATIENT}"`);
    await say(`gateway authorize --to Gateway --data ${HOUR} --until 7d --out gw.grant --yes --as "${PATIENT}"`);
    await say(`consent grant --to "${DOCTOR}" --data ${HOUR} --until 7d --out d.grant --yes --as "${PATIENT}"`);
    await say("relay gw.grant d.grant --wait --as Gateway");
    await say(`gateway lease --to Gateway --out gw.lease --as "${PATIENT}"`);
    await say("gateway accept gw.lease --out gw.receipt --as Gateway");
    await say(`gateway confirm gw.receipt --as "${PATIENT}"`);
    await say(`release --to "${DOCTOR}" --out d.mail --as "${PATIENT}"`);
    await say("gateway post d.mail --as Gateway");
    await say(`ingest recording.csv --start ${START} --quarantine bad.csv --as Gateway`);
    await say(`inbox --gateway Gateway --as "${DOCTOR}"`);
    const { exit, out, err } = await world.try(`read --stream heart-rate --as "${DOCTOR}"`);
    expect(exit, err).to.equal(0);
    expect(out).to.include(READINGS[0]);
    heard.push(err);
    for (const wrong of [
      "whoami --as Gateway --passphrase-file wrong",
      `ingest recording.csv --start ${START} --as "${DOCTOR}"`,
      `read --stream heart --as "${DOCTOR}"`,
    ])
      heard.push((await world.try(wrong)).err);

    for (const folder of ["zyxanna-quillfeather", "vexworth-hollowbrook", "gateway"]) {
      const vault = await passphraseStore<Vault>(
        world.path(`home/${folder}/vault`),
        "medseal/vault/1",
        PASSPHRASE,
      ).load();
      if (!vault) throw new Error("no vault");
      const { hpke, viewSecret, signing, secret, recovery, patient } = vault;
      const roots = patient.streams.flatMap(({ generations }) =>
        generations.flatMap(({ dataRoot, auditRoot }) => [dataRoot, auditRoot]),
      );
      const keys = [hpke.privateKey, viewSecret, signing.privateKey, secret, recovery.privateKey, ...roots];
      for (const [i, key] of keys.entries()) {
        canaries.set(`key ${i} of ${folder} in hex`, hex(key));
        canaries.set(`key ${i} of ${folder} in base64`, Buffer.from(key).toString("base64").replace(/=+$/, ""));
        canaries.set(`key ${i} of ${folder} as it is`, Buffer.from(key).toString("latin1"));
      }
      canaries.set(`the phrase of ${folder}`, patient.phrase);
      canaries.set(`half of the phrase of ${folder}`, patient.phrase.split(" ").slice(0, 6).join(" "));
    }
    canaries.set("the passphrase", PASSPHRASE);
    for (const reading of READINGS) canaries.set(`the reading ${reading}`, reading);
  });
  after(() => world.close());

  async function say(line: string): Promise<void> {
    const running = world.start(line);
    const processes = await commandLine(running.pid);
    const { exit, out, err } = await running.done;
    expect(exit, `${line}: ${err}`).to.equal(0);
    heard.push(processes, out, err);
  }

  it("is not in what the commands said, nor in the process list", () => {
    expect(heard.length).to.be.greaterThan(60);
    for (const [what, canary] of canaries)
      expect(
        heard.some((text) => text.includes(canary)),
        what,
      ).to.equal(false);
  });

  it("is in no file of home, store, chain or temporary folder, but for the quarantine that was asked for", async () => {
    let files = 0;
    const names = new Map([
      ["the doctor's name", DOCTOR],
      ["the patient's name", PATIENT],
    ]);
    for (const path of await filesBelow(world.folder)) {
      const name = path.slice(world.folder.length + 1);
      if (["recording.csv", "pass", "wrong"].includes(name)) continue;
      const text = await readFile(path, "latin1");
      files += 1;
      for (const [what, canary] of canaries) expect(text.includes(canary), `${what} in ${name}`).to.equal(false);
      // A card is for its holder to hand out, with their name.
      if (!name.endsWith(".card"))
        for (const [what, canary] of names) expect(text.includes(canary), `${what} in ${name}`).to.equal(false);
    }
    console.log(`      ${canaries.size} canaries, ${files} files, ${heard.length} texts`);
    expect(files).to.be.greaterThan(100);
  });
});

const commandLine = async (pid: number): Promise<string> => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
