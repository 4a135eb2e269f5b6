import { mkdir, readFile, rename } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { ContractFactory, JsonRpcProvider } from "ethers";
import { onChainAlerts } from "../../src/chain/escalation.ts";
import { readDeployment } from "../../src/chain/deployment.ts";
import type { Notice } from "../../src/monitor/notice.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { DeviceRegistry__factory } from "../../typechain-types/factories/DeviceRegistry__factory.ts";
import { newDevice, newTerms, proofOf } from "../contracts/devices.ts";
import { parallel } from "../../src/ipfs/parallel.ts";
import { FeedClient } from "./feed.ts";
import { RunningGateway } from "./running.ts";
import { noticesIn, World, type Running } from "./world.ts";

const AUTHORITY = new URL("../../artifacts/test/contracts/mocks/Authority.sol/Authority.json", import.meta.url);
const DEVICE = "bed-7";

describe("why there is no data, from the command line", function () {
  this.timeout(300_000);
  let world: World;
  let gateway: RunningGateway;
  let client: FeedClient;
  let monitor: Running;
  let rpc: JsonRpcProvider;
  /** The leave to write the breaths, as the plan names it. */
  let breath = "";
  let retire: () => Promise<void>;
  const begin = Math.floor(Date.now() / 1000);
  const iso = (seconds: number): string => new Date(1000 * seconds).toISOString().replace(".000Z", "Z");
  const hours = `${iso(begin - 3600).slice(0, 14)}00:00Z..${iso(begin + 7200).slice(0, 14)}00:00Z`;

  const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
    for (const end = Date.now() + 180_000; !(await done()); await pause(100))
      if (Date.now() > end) throw new Error(`it did not come to that: ${monitor.said()}`);
  };
  const states = (): string[] => [...monitor.said().matchAll(/STATE (.+)/g)].map(([, text]) => text as string);

  before(async () => {
    world = await World.open(true, { inTurn: true });
    const names = ["Ann", "Gateway", "Monitor", "Kim", "Lee"];
    const each = (line: (name: string) => string, all = names): Promise<unknown> =>
      parallel(all, 3, (name) => world.run(line(name)));
    await parallel(names, 3, (name) => world.identity(name));
    await each((name) => `keys card --as ${name} --out ${name}.card`);
    await each((name) => `contacts add Ann.card --as ${name} --yes`, names.slice(1));
    for (const name of names.slice(1)) await world.run(`contacts add ${name}.card --as Ann --yes`);
    await world.run("contacts add Gateway.card --as Lee --yes");
    await world.run("contacts add Monitor.card --as Kim --yes");
    await mkdir(world.path("answers"));
    for (const name of ["Gateway", "Monitor", "Lee"]) await world.run(`fund --as ${name}`);
    await world.run("stream open heart-rate --code 8867-4 --unit /min --epoch 1min --as Ann");
    await world.run("stream open breath --code 9279-1 --unit /min --epoch 1min --as Ann");
    await world.run("stream open alerts --alerts --as Ann");
    for (const [to, stream] of [
      ["Gateway", "heart-rate"],
      ["Gateway", "breath"],
      ["Monitor", "alerts"],
    ] as const)
      await world.run(
        `gateway authorize --to ${to} --stream ${stream} --data ${hours} --until 7d --out ${stream}.grant --yes --as Ann`,
      );
    await world.run(
      `consent grant --to Lee --stream heart-rate --data ${hours} --until 7d --out lee.grant --yes --as Ann`,
    );
    await world.run("relay heart-rate.grant breath.grant alerts.grant lee.grant --wait --as Gateway");
    await world.run("gateway lease --to Monitor --out Monitor.lease --as Ann");
    await world.run("gateway accept Monitor.lease --out Monitor.receipt --as Monitor");
    await world.run("gateway confirm Monitor.receipt --as Ann");
    gateway = await RunningGateway.init(world, { source: `${DEVICE}:${DEVICE}` });
    await gateway.start();
    await world.run("gateway lease --to Gateway --out gw.lease --as Ann");
    await rename(world.path("gw.lease"), gateway.spool("gw.lease"));
    const receipt = gateway.spool("gw.receipt");
    await gateway.until(() =>
      readFile(receipt).then(
        () => true,
        () => false,
      ),
    );
    await world.run(`gateway confirm ${receipt} --as Ann`);
    await world.run("release --to Lee --out lee.release --as Ann");
    await world.run("inbox --file lee.release --as Lee");
    client = await FeedClient.open(gateway.feedPort, await gateway.credential(DEVICE));

    rpc = new JsonRpcProvider(world.env["MEDSEAL_RPC"], undefined, { cacheTimeout: -1, pollingInterval: 100 });
    const [admin, owner] = [await rpc.getSigner(0), await rpc.getSigner(1)];
    const { abi, bytecode } = JSON.parse(await readFile(AUTHORITY, "utf8")) as { abi: []; bytecode: string };
    const authority = await new ContractFactory(abi, bytecode, admin).deploy(admin.address);
    await authority.waitForDeployment();
    const registry = await new DeviceRegistry__factory(admin).deploy(await authority.getAddress());
    await registry.waitForDeployment();
    const at = { chainId: (await rpc.getNetwork()).chainId, registry: (await registry.getAddress()) as Hex };
    const [device, terms] = [newDevice(), newTerms(owner.address)];
    const proof = proofOf(device, terms, at);
    await (await registry.enroll(device.key, terms.modelId, terms.serial, terms.custodian, proof)).wait();
    retire = async () => void (await (await registry.retire(device.id)).wait());

    for (const [name, code, unit, limit] of [
      ["fast-heart", "8867-4", "/min", "--at-least 130"],
      ["fast-breath", "9279-1", "/min", "--at-least 30"],
      ["low-oxygen", "59408-5", "%", "--at-most 88"],
      ["no-warmth", "8310-5", "Cel", "--silent-for 3s"],
    ] as const)
      await world.run(`rules define ${name} --code ${code} --unit ${unit} ${limit}`);
    const rules = "--rule fast-heart --rule fast-breath --rule low-oxygen --rule no-warmth";
    await world.run(
      `plan --to Monitor ${rules} --device 59408-5=${device.id} --device-registry ${at.registry} --responder Kim --on-chain Kim --out ann.plan --yes --as Ann`,
    );
    const { plans } = (await world.json("plan show ann.plan --as Monitor")) as {
      plans: { sources: { channels: { code: string }[]; writes: { id: string }[] }[] }[];
    };
    breath = plans[0]?.sources.find(({ channels: [one] }) => one?.code === "9279-1")?.writes[0]?.id ?? "";
    monitor = world.start(
      "monitor --plan ann.plan --file told.ndjson --answers answers --no-anchor --as Monitor",
      {},
      true,
    );
  });
  after(async () => {
    monitor?.kill("SIGKILL");
    client?.close();
    rpc?.destroy();
    await gateway?.stop();
    await world.close();
  });

  const tell = (code: string, unit: string, decimal: string): void => {
    const channel = { code: { system: "http://loinc.org", code }, unit };
    const line = { channel, time: new Date().toISOString(), value: { kind: "quantity", decimal } };
    monitor.stdin.write(`${JSON.stringify(line)}\n`);
  };

  it("silence, a device that announced it, one that is retired, and a consent that ended look different", async () => {
    await until(() => monitor.said().includes("Watching over"));
    for (const [code, unit] of [
      ["8867-4", "/min"],
      ["9279-1", "/min"],
      ["59408-5", "%"],
      ["8310-5", "Cel"],
    ] as const)
      tell(code, unit, code === "9279-1" ? "15" : "97");
    await until(() => states().includes("no-warmth of Ann: NO DATA"));

    // What the device tells its gateway is recorded, sealed, anchored, read, and heard by the monitor.
    const readings = [
      {
        code: "8867-4",
        unit: "/min",
        value: null,
        absent: "announced-offline",
        effective: iso(Math.floor(Date.now() / 1000)),
      },
    ];
    await client.send({ device: DEVICE, counter: 0, readings });
    await gateway.until(() => Promise.resolve(client.anchored.get(DEVICE)?.has(0) === true));
    const read = await world.run("read --stream heart-rate --format ndjson --as Lee");
    const told = JSON.parse(read) as { value: object; time: string };
    expect(told.value).to.deep.equal({ kind: "missing", reason: "not-performed", source: "announced-offline" });
    monitor.stdin.write(`${JSON.stringify({ ...told, time: new Date().toISOString() })}\n`);
    await until(() => states().includes("fast-heart of Ann: announced offline"));

    await retire();
    await until(() => states().includes("low-oxygen of Ann: device retired"));

    const { consents } = (await world.json("consent list --as Ann")) as { consents: { id: string; name: string }[] };
    expect(consents.map(({ id }) => id)).to.include(breath);
    await world.run(`consent revoke --id ${breath.slice(2, 14)} --out breath.end --yes --as Ann`);
    await world.run("relay breath.end --as Lee");
    await until(() => states().includes("fast-breath of Ann: consent paused"));

    // A value where none may come says nothing; one from the device that was offline brings it back.
    tell("9279-1", "/min", "40");
    tell("8867-4", "/min", "140");
    await until(() => states().includes("fast-heart of Ann: data comes"));

    // Both alerts stand on chain. One is acknowledged there under an address that nobody else has used.
    const { chainId } = await rpc.getNetwork();
    const deployment = await readDeployment(world.env["MEDSEAL_DEPLOYMENTS"] ?? "", Number(chainId));
    const onChain = () => onChainAlerts(rpc, deployment);
    await until(async () => (await onChain()).length === 2);
    let notices: Notice[] = [];
    await until(async () => (notices = noticesIn(await readFile(world.path("told.ndjson"), "utf8"))).length === 2);
    expect(notices.map(({ onChain }) => onChain?.slot).sort()).to.deep.equal([0, 1]);
    const fast = notices.find(({ rule }) => rule === "fast-heart")?.alert ?? "";
    await world.run(`alerts ack ${fast} --notice told.ndjson --to Monitor --out answers/kim.answer --as Kim`);
    await until(async () => (await onChain()).some(({ acknowledgedAt }) => acknowledgedAt !== undefined));
    monitor.stdin.end();
    const { exit, out, err } = await monitor.done;
    expect(exit, err).to.equal(0);
    const alerts = [...out.matchAll(/ALERT to Kim: (\S+)/g)].map(([, rule]) => rule);
    expect(new Set(alerts)).to.deep.equal(new Set(["no-warmth", "fast-heart"]));
    // The other one is escalated by somebody who knows nothing of it, once its time is over.
    expect(await world.json("alerts escalate --as Lee")).to.deep.equal({ overdue: [], escalated: [] });
    await rpc.send("evm_increaseTime", [901]);
    await rpc.send("evm_mine", []);
    const { overdue } = (await world.json("alerts escalate --list --gateway Gateway --as Lee")) as {
      overdue: object[];
    };
    expect(overdue).to.deep.equal([]);
    const { escalated } = (await world.json("alerts escalate --as Lee")) as { escalated: { slot: number }[] };
    expect(escalated).to.have.length(1);
    expect((await onChain()).filter(({ escalatedAt }) => escalatedAt !== undefined)).to.have.length(1);
    expect(await world.run("alerts escalate --as Lee")).to.equal("Nothing is overdue.\n");
    expect(states().filter((one) => one.startsWith("fast-breath"))).to.deep.equal([
      "fast-breath of Ann: data comes",
      "fast-breath of Ann: consent paused",
    ]);
  });
});
