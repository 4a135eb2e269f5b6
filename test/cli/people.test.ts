import { writeFile } from "node:fs/promises";
import { expect } from "chai";
import { sharedChain } from "./shared-chain.ts";
import { HOUR, START, World } from "./world.ts";

/** Two patients whose data one gateway records, and somebody who calls themselves like one of them. */
describe("who is who on the command line", function () {
  this.timeout(300_000);
  let world: World;
  const stranger = { MEDSEAL_HOME: "" };

  before(async () => {
    world = await World.open(await sharedChain(), { inTurn: true });
    stranger.MEDSEAL_HOME = world.path("elsewhere");
    for (const [name, value] of [
      ["ann", 61],
      ["ben", 88],
    ] as const)
      await writeFile(
        world.path(`${name}.csv`),
        `Time [s], HR\n${Array.from({ length: 90 }, (_, i) => `${i},${value}\n`).join("")}`,
      );
    for (const name of ["Ann", "Ben", "Gateway", "Lee"]) {
      await world.identity(name);
      await world.run(`keys card --as ${name} --out ${name}.card`);
    }
    for (const patient of ["Ann", "Ben"]) {
      for (const card of ["Gateway", "Lee"]) await world.run(`contacts add ${card}.card --as ${patient} --yes`);
      for (const who of ["Gateway", "Lee"]) await world.run(`contacts add ${patient}.card --as ${who} --yes`);
    }
    await world.run("contacts add Gateway.card --as Lee --yes");
    await world.run("fund --as Gateway");
    for (const patient of ["Ann", "Ben"])
      await world.run(`stream open heart-rate --code 8867-4 --unit /min --epoch 1min --as ${patient}`);
    for (const patient of ["Ann", "Ben"]) await lend(patient, patient);
  });
  after(() => world.close());

  /** Authorizes the gateway, grants Lee an hour and hands over lease and receipt. */
  async function lend(patient: string, files: string, env: Record<string, string> = {}): Promise<void> {
    const say = async (line: string): Promise<void> => {
      const { exit, err } = await world.try(line, env);
      expect(exit, `${line}: ${err}`).to.equal(0);
    };
    await say(`gateway authorize --to Gateway --data ${HOUR} --until 7d --out ${files}.w --yes --as ${patient}`);
    await say(`consent grant --to Lee --data ${HOUR} --until 7d --out ${files}.r --yes --as ${patient}`);
    await world.run(`relay ${files}.w ${files}.r --wait --as Gateway`);
    await say(`gateway lease --to Gateway --out ${files}.lease --as ${patient}`);
    const accepted = await world.try(`gateway accept ${files}.lease --out ${files}.receipt --as Gateway`);
    if (accepted.exit !== 0) throw new Error(accepted.err);
    await say(`gateway confirm ${files}.receipt --as ${patient}`);
    await say(`release --to Lee --out ${files}.mail --as ${patient}`);
  }

  it("never guesses whose recording it is", async () => {
    const { exit, err } = await world.try(`ingest ann.csv --start ${START} --as Gateway`);
    expect(exit).to.equal(2);
    expect(err).to.match(/several patients have leases[^]*--patient "Ann" \| "Ben"|--patient "Ben" \| "Ann"/);
    expect((await world.try(`ingest ann.csv --patient Eve --start ${START} --as Gateway`)).err).to.match(
      /no lease of "Eve"/,
    );
  });

  it("keeps each patient's readings in their own record", async () => {
    for (const name of ["Ann", "Ben"])
      await world.run(`ingest ${name.toLowerCase()}.csv --patient ${name} --start ${START} --as Gateway`);
    for (const name of ["Ann", "Ben"]) await world.run(`inbox --file ${name}.mail --as Lee`);
    const both = await world.try("read --stream heart-rate --as Lee");
    expect(both.exit).to.equal(2);
    expect(both.err).to.match(/several patients have released a stream of this name/);
    for (const [name, value] of [
      ["Ann", "61"],
      ["Ben", "88"],
    ] as const) {
      const lines = (await world.run(`read --stream heart-rate --patient ${name} --as Lee`))
        .trim()
        .split("\r\n")
        .slice(1);
      expect(lines).to.have.length(90);
      expect(new Set(lines.map((line) => line.split(",")[5]))).to.deep.equal(new Set([value]));
    }
  });

  it("does not take a stranger for the patient whose name they use", async () => {
    const elsewhere = async (line: string): Promise<void> => {
      const { exit, err } = await world.try(line, stranger);
      expect(exit, err).to.equal(0);
    };
    await world.identity("Ben", stranger);
    for (const card of ["Gateway", "Lee"]) await elsewhere(`contacts add ${card}.card --yes`);
    await elsewhere("stream open heart-rate --code 8867-4 --unit /min --epoch 1min");
    const failed = await lend("Ben", "false", stranger).then(() => "", String);
    expect(failed).to.match(/from nobody you know; they call themselves "Ben"/);
    const before = (await world.json("whoami --as Lee")) as object;
    await elsewhere("consent revoke --to Gateway --out false.end --yes");
    await world.run("relay false.end --wait --as Gateway");
    await elsewhere("release --to Lee --out false.mail");
    const looked = (await world.json("inbox --file false.mail --as Lee")) as { fresh: object[]; refused: string[] };
    expect(looked.fresh).to.deep.equal([]);
    expect(looked.refused[0]).to.match(/from nobody you know; they call themselves "Ben"[^]*add their card/);
    expect(await world.json("whoami --as Lee")).to.deep.equal(before);
  });

  it("writes on under a second leave to the same gateway, and releases", async () => {
    const later = "2026-03-01T09:00:00Z..2026-03-01T10:00:00Z";
    await world.run(`gateway authorize --to Gateway --data ${later} --until 7d --out more.w --yes --as Ann`);
    await world.run(
      `consent grant --to Lee --data 2026-03-01T08:00:00Z..2026-03-01T10:00:00Z --until 7d --out more.r --yes --as Ann`,
    );
    await world.run("relay more.w more.r --wait --as Gateway");
    await world.run("gateway lease --to Gateway --out more.lease --as Ann");
    await world.run("gateway accept more.lease --out more.receipt --as Gateway");
    await world.run("gateway confirm more.receipt --as Ann");
    await world.run("ingest ben.csv --patient Ann --start 2026-03-01T09:00:00Z --as Gateway");
    const { err } = await world.try("release --to Lee --out more.mail --as Ann");
    expect(err).to.match(/several consents are meant[^]*add --id/);
    const { consents } = (await world.json("consent list --as Ann")) as { consents: { id: string; name: string }[] };
    const newest = consents.filter(({ name }) => name === "Lee").at(-1)!.id;
    await world.run(`release --to Lee --id ${newest} --out more.mail --as Ann`);
    await world.run("inbox --file more.mail --as Lee");
    const lines = (await world.run("read --stream heart-rate --patient Ann --as Lee")).trim().split("\r\n").slice(1);
    expect(lines.map((line) => line.split(",")[5])).to.deep.equal([
      ...Array<string>(90).fill("61"),
      ...Array<string>(90).fill("88"),
    ]);
  });

  it("loses no revocation that could not be written, and ends another one only by its id", async () => {
    const consents = async (): Promise<{ id: string; name: string; state: string }[]> =>
      ((await world.json("consent list --as Ann")) as { consents: { id: string; name: string; state: string }[] })
        .consents;
    const before = await consents();
    const nowhere = await world.try("consent revoke --to Lee --out nowhere/x.end --yes --as Ann");
    expect(nowhere.exit).to.equal(2);
    expect(await consents()).to.deep.equal(before);
    const [first] = before.filter(({ name }) => name === "Lee");
    const cut = await world.try(`consent revoke --id ${first!.id} --out nowhere/x.end --yes --as Ann`);
    expect(cut.err).to.match(/cannot be created/);
    expect(await consents()).to.deep.equal(before);
    await world.run(`consent revoke --id ${first!.id} --out lee.end --yes --as Ann`);
    // The file was lost: it is signed again.
    await world.run(`consent revoke --id ${first!.id} --out lee-again.end --yes --as Ann`);
    await world.run("consent revoke-all --out all --yes --as Ann");
    await world.run("relay all-1 all-2 all-3 all-4 --wait --as Gateway");
    expect((await consents()).map(({ state }) => state)).to.deep.equal(Array(4).fill("ended: you revoked everything"));
  });
});
