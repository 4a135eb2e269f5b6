import { expect } from "chai";
import { sharedChain } from "./shared-chain.ts";
import { START, World } from "./world.ts";

describe("a clinician asks, a patient answers", () => {
  let world: World;
  before(async () => {
    world = await World.open(await sharedChain(), { inTurn: true });
    for (const name of ["Ann", "Lee"]) {
      await world.identity(name);
      await world.run(`keys card --as ${name} --out ${name}.card`);
    }
    await world.run("contacts add Ann.card --as Lee --yes");
    await world.run("stream open heart-rate --code 8867-4 --unit /min --epoch 1h --as Ann");
    await world.run("stream open oxygen --code 59408-5 --unit % --epoch 1h --as Ann");
    await world.run(
      `consent request --to Ann --stream heart-rate --stream oxygen --data ${START}..2026-03-02T08:00:00Z --until 30d --purpose TREAT --reason "Before <your> visit" --out ann.request --as Lee`,
    );
  });
  after(() => world.close());

  const grant = "consent grant --request ann.request --yes --as Ann";

  it("is not heard by a patient who does not know who asks", async () => {
    const { exit, err } = await world.try(`${grant} --out x.grant`);
    expect(exit).to.equal(2);
    expect(err).to.match(/no contact of yours[^]*contacts add/);
    await world.run("contacts add Lee.card --as Ann --yes");
  });

  it("is told who asks for what and why, and grants it as asked", async () => {
    const { exit, err } = await world.try(`${grant} --out whole.grant`);
    expect(exit, err).to.equal(0);
    expect(err).to.include("Lee asks for heart-rate, oxygen");
    expect(err).to.include('"Before <your> visit"');
    const { consents } = (await world.json("consent list --as Ann")) as {
      consents: { streams: string[]; data: { from: number } }[];
    };
    expect(consents.at(-1)?.streams).to.have.members(["heart-rate", "oxygen"]);
    expect(consents.at(-1)?.data.from).to.equal(Date.parse(START) / 1000);
  });

  it("grants less than was asked for", async () => {
    await world.run(`${grant} --stream oxygen --data ${START}..2026-03-01T10:00:00Z --until 1d --out less.grant`);
    const { consents } = (await world.json("consent list --as Ann")) as {
      consents: { streams: string[]; data: { from: number; to: number }; state: string }[];
    };
    const { streams, data, state } = consents.at(-1)!;
    expect(streams).to.deep.equal(["oxygen"]);
    expect(data.to - data.from).to.equal(7200);
    expect(state).to.match(/not on the chain yet/);
  });

  it("shows what would be signed without signing it, as EIP-712", async () => {
    const typed = JSON.parse(await world.run(`${grant} --dry-run`)) as {
      primaryType: string;
      message: { consent: { statement: string } };
    };
    expect(typed.primaryType).to.equal("Grant");
    expect(typed.message.consent.statement).to.match(/^I, the holder of address 0x/);
    const { consents } = (await world.json("consent list --as Ann")) as { consents: object[] };
    expect(consents).to.have.length(2);
  });
});
