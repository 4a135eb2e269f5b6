import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { parallel } from "../../src/ipfs/parallel.ts";
import type { Notice } from "../../src/monitor/notice.ts";
import { noticeSignature } from "../../src/monitor/receiver.ts";
import { TestBroker } from "../unit/monitor/broker.ts";
import { certifiedServer } from "../unit/monitor/certificates.ts";
import { sharedChain } from "./shared-chain.ts";
import { HOUR, noticesIn, START, World, type Ran } from "./world.ts";

/** Holds the clock of a recording while somebody answers. */
const AWAITED = new URL("awaited.ts", import.meta.url).href;
const SECRET = "shared with the hospital";
const BROKER = { secret: "shared with the ward", user: { name: "monitor", password: "opens the broker" } };
const GRANTED = "2026-03-01T08:00:00Z..2026-03-01T08:20:00Z";
const NIGHT = "07:00-09:00";

/** Ann with heart rate and alerts, a gateway, a monitor, Dr Lee who answers and reads both. */
async function ward(world: World): Promise<void> {
  const fast = (second: number): boolean => (second >= 200 && second < 290) || (second >= 500 && second < 560);
  const rows = Array.from({ length: 900 }, (_, i) => `${i},${(fast(i) ? 140 : 70) + (i % 3)}`);
  await writeFile(world.path("recording.csv"), ["Time [s], HR", ...rows, ""].join("\n"));
  const names = ["Ann", "Gateway", "Monitor", "Lee", "Kim"];
  const each = (all: readonly string[], line: (name: string) => string): Promise<unknown> =>
    parallel(all, 3, (name) => world.run(line(name)));
  await parallel([...names, "Relayer"], 3, (name) => world.identity(name));
  await each(names, (name) => `keys card --as ${name} --out ${name}.card`);
  for (const name of ["Gateway", "Monitor", "Lee", "Kim"]) await world.run(`contacts add ${name}.card --as Ann --yes`);
  for (const name of ["Gateway", "Monitor"]) await world.run(`contacts add ${name}.card --as Lee --yes`);
  await each(["Gateway", "Monitor", "Lee"], (name) => `contacts add Ann.card --as ${name} --yes`);
  await world.run("contacts add Monitor.card --as Kim --yes");
  for (const name of ["Gateway", "Monitor", "Relayer"]) await world.run(`fund --as ${name}`);
  await world.run("stream open heart-rate --code 8867-4 --unit /min --epoch 1min --as Ann");
  await world.run("stream open alerts --alerts --as Ann");
  for (const [to, stream] of [
    ["Gateway", "heart-rate"],
    ["Monitor", "alerts"],
  ] as const) {
    await world.run(
      `gateway authorize --to ${to} --stream ${stream} --data ${HOUR} --until 7d --out ${to}.grant --yes --as Ann`,
    );
    await world.run(
      `consent grant --to Lee --stream ${stream} --data ${GRANTED} --until 7d --out lee-${stream}.grant --yes --as Ann`,
    );
  }
  await world.run("relay Gateway.grant Monitor.grant lee-heart-rate.grant lee-alerts.grant --wait --as Relayer");
  for (const to of ["Gateway", "Monitor"]) await lease(world, to);
  const { consents } = (await world.json("consent list --as Ann")) as {
    consents: { id: string; name: string; actions: string[] }[];
  };
  for (const { id } of consents.filter(({ name }) => name === "Lee")) {
    await world.run(`release --to Lee --id ${id.slice(2, 14)} --out ${id.slice(2, 8)}.mail --as Ann`);
    await world.run(`inbox --file ${id.slice(2, 8)}.mail --as Lee`);
  }
  await world.run(
    "rules define fast-heart --code 8867-4 --unit /min --at-least 130 --hysteresis 5 --raise-after 10s --clear-after 20s",
  );
  await world.run(
    "plan --to Monitor --rule fast-heart --responder Kim --responder Lee --answer-within 1min --out ann.plan --yes --as Ann",
  );
  await world.run(`ingest recording.csv --start ${START} --as Gateway`);
  await mkdir(world.path("answers"));
  const { name, password } = BROKER.user;
  await writeFile(world.path("hook.secret"), `${SECRET}\n`, { mode: 0o600 });
  await writeFile(world.path("mqtt.secret"), `${BROKER.secret}\n`, { mode: 0o600 });
  await writeFile(world.path("mqtt.user"), `${name}\n${password}\n`, { mode: 0o600 });
}

/** What a patient lets somebody write, and whose consents they have to heed. */
async function lease(world: World, to: string, patient = "Ann"): Promise<void> {
  await rm(world.path(`${to}.lease`), { force: true });
  await rm(world.path(`${to}.receipt`), { force: true });
  await world.run(`gateway lease --to ${to} --out ${to}.lease --as ${patient}`);
  await world.run(`gateway accept ${to}.lease --out ${to}.receipt --as ${to}`);
  await world.run(`gateway confirm ${to}.receipt --as ${patient}`);
}

/** Another patient of Dr Lee's, whose stream measures what Ann's does. */
async function otherPatient(world: World): Promise<void> {
  await world.identity("Bea");
  await world.run("keys card --as Bea --out Bea.card");
  for (const name of ["Gateway", "Lee"]) {
    await world.run(`contacts add ${name}.card --as Bea --yes`);
    await world.run(`contacts add Bea.card --as ${name} --yes`);
  }
  await world.run("stream open pulse --code 8867-4 --unit /min --epoch 1min --as Bea");
  await world.run(`gateway authorize --to Gateway --data ${HOUR} --until 7d --out bea.grant --yes --as Bea`);
  await world.run(`consent grant --to Lee --data ${GRANTED} --until 7d --out lee-bea.grant --yes --as Bea`);
  await world.run("relay bea.grant lee-bea.grant --wait --as Relayer");
  await lease(world, "Gateway", "Bea");
  await world.run("release --to Lee --out bea.mail --as Bea");
  await world.run("inbox --file bea.mail --as Lee");
}

const hexOf = (text: string): string => Buffer.from(text).toString("hex");

interface Audit {
  readonly ok: boolean;
  readonly coverage: number;
  readonly episodes: number;
  readonly findings: readonly { kind: string; object: string; alert?: string }[];
}

describe("alerts from the command line", function () {
  this.timeout(300_000);
  let world: World;
  let notices: Notice[] = [];
  const posted: Notice[] = [];

  before(async () => {
    world = await World.open(await sharedChain(), { inTurn: true });
    await ward(world);
  });
  after(() => world.close());

  it("a rule is tried on a recording, published, and found by anybody", async () => {
    const tried = (await world.json(`rules test fast-heart recording.csv --start ${START}`)) as { alerts: object[] };
    expect(tried.alerts).to.have.length(2);
    await world.run("rules publish fast-heart --yes --as Relayer");
    const { rules } = (await world.json("rules list --publisher all")) as { rules: { name: string; id: string }[] };
    const { id } = (await world.json("rules show fast-heart")) as { id: string };
    expect(rules.map((rule) => [rule.name, rule.id])).to.deep.equal([["fast-heart", id]]);
  });

  it("a monitor that is killed again and again tells of each alert once, and of each to webhook and broker", async () => {
    const hook = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        const time = request.headers["medseal-time"] as string;
        const signature = noticeSignature(new TextEncoder().encode(SECRET), time, body);
        const isOurs = request.headers["medseal-signature"] === signature;
        if (isOurs) posted.push(JSON.parse(body) as Notice);
        response.writeHead(isOurs ? 204 : 403).end();
      });
    });
    await new Promise<void>((listening) => hook.listen(0, "127.0.0.1", listening));
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    const { authority, server } = await certifiedServer("localhost");
    await writeFile(world.path("ca.pem"), authority);
    const broker = await TestBroker.open({ user: BROKER.user, tls: server });
    const link = "--secret mqtt.secret --credentials mqtt.user --ca ca.pem --topic ward-7/alerts";
    const subscriber = world.program("examples/alert-subscriber.ts", `${broker.url} ${link}`);
    while (!subscriber.said().includes("subscribed")) await pause(50);
    const line = `monitor recording.csv --start ${START} --replay 150 --plan ann.plan --file told.ndjson --webhook ${url} --webhook-secret hook.secret --mqtt ${broker.url} ${link.replaceAll("--", "--mqtt-")} --answers answers --as Monitor`;
    const told = async (): Promise<Notice[]> => {
      return noticesIn(await readFile(world.path("told.ndjson"), "utf8").catch(() => ""));
    };
    const shown: string[] = [];
    const talk: string[] = [];
    const ended: (string | number)[] = [];
    let ran: Ran | undefined;
    let answered = false;
    for (let kills = 0; ran === undefined; kills++) {
      const running = world.start(line, { DEBUG: "mqtt*", NODE_OPTIONS: `--import ${AWAITED}` });
      const end = running.done;
      let over = false;
      void end.then(() => (over = true));
      // Counted from where it watches: starting takes as long as the machine is busy.
      for (let waited = 0; !over && (kills >= 3 || waited <= 5 * kills);) {
        await pause(100);
        if (running.said().includes("Watching over")) waited += 1;
        const first = (await told()).find(({ to }) => to === "Kim");
        if (first === undefined || answered) continue;
        answered = true;
        const at = new Date(first.at + 20_000).toISOString();
        for (const name of ["kim", "stranger"])
          await world.run(`alerts ack ${first.alert} --to Monitor --at ${at} --out answers/${name}.answer --as Kim`);
        await writeFile(world.path("answered"), "");
      }
      if (!over) running.kill("SIGKILL");
      const { exit, out, err } = await end;
      shown.push(...out.split("\n").filter((text) => text.startsWith("ALERT")));
      talk.push(out, err);
      ended.push(exit);
      if (exit !== 0 && exit !== "SIGKILL") throw new Error(err);
      if (exit === 0) ran = { exit, out, err };
    }
    hook.close();
    notices = await told();
    // The broker has all of them, and hands them on.
    while (noticesIn(subscriber.shown()).length < notices.length) await pause(50);
    subscriber.kill("SIGTERM");
    const received = await subscriber.done;
    await broker.close();
    console.log(`      ended with ${ended.join(", ")}`);
    expect(new Set(notices.map(({ id }) => id)).size).to.equal(notices.length);
    expect(new Set(notices.map(({ alert }) => alert)).size).to.equal(2);
    expect(new Set(shown).size).to.equal(shown.length);
    expect(new Set(posted.map(({ id }) => id))).to.deep.equal(new Set(notices.map(({ id }) => id)));
    expect(noticesIn(received.out)).to.have.deep.members(notices);
    expect(received.err).to.equal("subscribed\n");
    expect(new Set(broker.published.map(({ topic }) => topic))).to.deep.equal(new Set(["ward-7/alerts"]));
    for (const secret of [SECRET, BROKER.secret, BROKER.user.password, hexOf(BROKER.user.password)])
      expect(talk.join("").replaceAll(" ", "")).to.not.include(secret.replaceAll(" ", ""));
  });

  it("who may read it sees each alert, works it out again, and audits the time", async () => {
    const { alerts } = (await world.json("alerts list --as Lee")) as { alerts: { alert: string; state: string }[] };
    expect(alerts.map(({ alert }) => alert)).to.deep.equal([...new Set(notices.map(({ alert }) => alert))]);
    const shown = await world.run(`alerts show ${alerts[0]?.alert} --as Lee`);
    expect(shown).to.match(/opened[^]*notified Kim[^]*bafkrei/);
    for (const { alert } of alerts) {
      const verdict = (await world.json(`alerts verify ${alert} --as Lee`)) as object;
      expect(verdict).to.include({ ok: true, called: true, sameReadings: true, settled: true });
    }
    const { exit, out, err } = await world.try("audit alerts --to 2026-03-01T08:17:00Z --as Lee --json");
    expect(err).to.equal("");
    const audit = JSON.parse(out) as Audit;
    expect(audit.episodes).to.equal(2);
    expect(audit.coverage).to.equal(100);
    // The second alert was answered by nobody: that is what the audit is for.
    expect(audit.findings.map(({ kind }) => kind)).to.deep.equal(["unacknowledged"]);
    expect(audit.findings[0]?.object).to.match(/^bafkrei/);
    expect(exit).to.equal(1);
  });

  it("who reads of two patients judges the alerts of one by that one's readings", async () => {
    await otherPatient(world);
    const verdict = (await world.json(`alerts verify ${notices[0]?.alert ?? ""} --as Lee`)) as object;
    expect(verdict).to.include({ ok: true, sameReadings: true });
  });

  it("the page of what Lee may read shows the alerts, who took them up and when, and what nobody evaluated", async () => {
    const page = async (line: string): Promise<string> => {
      const { exit, err } = await world.try(`report --patient Ann --zone UTC ${line} --as Lee`);
      expect(exit, err).to.equal(0);
      return (await readFile(world.path(line.split(" ").at(-1) ?? ""), "utf8")).replace(/\s+/g, " ");
    };
    const whole = await page("--html ann.html");
    expect(whole).to.include("All verified.").and.include("900 readings of 1 stream");
    expect(whole)
      .to.match(/UTC: acknowledged by <bdi>Kim<\/bdi>/)
      .and.match(/asked <bdi>Lee<\/bdi>/);
    expect(whole.match(/: raised<\/li>/g)).to.have.length(2);
    expect(whole).to.not.match(/<h2 id="s\d"><bdi>alerts/);
    const quiet = await page("--from 2026-03-01T08:00:00Z --to 2026-03-01T08:02:00Z --html quiet.html");
    expect(quiet).to.include("The alert stream has no alert in this time");
  });

  it("who may only audit the alerts learns how much is recorded, and what that does not say", async () => {
    await world.identity("Auditor");
    await world.run("keys card --as Auditor --out Auditor.card");
    await world.run("contacts add Auditor.card --as Ann --yes");
    for (const name of ["Ann", "Monitor"]) await world.run(`contacts add ${name}.card --as Auditor --yes`);
    await world.run(
      `consent grant --to Auditor --stream alerts --action AUDIT --data ${GRANTED} --until 7d --out auditor.grant --yes --as Ann`,
    );
    await world.run("contacts add Ann.card --as Kim --yes");
    await world.run(
      `consent grant --to Kim --stream alerts --data ${GRANTED} --until 7d --out kim.grant --yes --as Ann`,
    );
    await world.run("relay auditor.grant kim.grant --wait --as Relayer");
    // Who writes the stream has to know of the consent before it is released: its end must be heeded.
    await lease(world, "Monitor");
    await world.run("release --to Auditor --out auditor.mail --as Ann");
    await world.run("inbox --file auditor.mail --as Auditor");
    await world.run("release --to Kim --out kim.mail --as Ann");
    await world.run("inbox --file kim.mail --as Kim");
    const audit = (await world.json("audit alerts --to 2026-03-01T08:15:00Z --as Auditor")) as object;
    expect(audit).to.deep.include({ ok: true, findings: [], recorded: 100 }).and.include.keys("cannotSay");
    const said = await world.run("audit alerts --to 2026-03-01T08:15:00Z --as Auditor");
    expect(said)
      .to.match(/100 % has a signed and anchored record, \d+ headers; in order/)
      .and.match(/You may audit these alerts, not read them/)
      .and.match(/whether an alert was called for/);
    const list = await world.try("alerts list --as Auditor");
    expect([list.exit, /audit these alerts, not read/.test(list.err)]).to.deep.equal([3, true]);
  });

  it("who may read the alerts, and not what they are of, checks signatures only", async () => {
    const name = notices[0]?.alert ?? "";
    const verdict = (await world.json(`alerts verify ${name} --as Kim`)) as object;
    expect(verdict).to.deep.include({ ok: true, findings: [], called: null, sameReadings: null, settled: null });
    expect(await world.run(`alerts verify ${name} --as Kim`)).to.match(/not known whether the readings call for it/);
    const { exit, out } = await world.try("audit alerts --to 2026-03-01T08:17:00Z --as Kim --json");
    expect(exit).to.equal(1);
    expect(JSON.parse(out)).to.include({ coverage: null, episodes: null });
  });

  it("tried wrong in every way that its help suggests", async () => {
    const name = notices[0]?.alert ?? "";
    const broker = "monitor --mqtt mqtts://broker.example --mqtt-secret mqtt.secret";
    const quiet = `plan --to Monitor --rule fast-heart --responder Lee --out x.plan --yes --as Ann`;
    const tries: readonly (readonly [line: string, exit: number, says: RegExp])[] = [
      ["rules", 2, /rules what\?/],
      ["rules show nothing", 2, /no rule "nothing"/],
      ["rules show fast-hart", 2, /did you mean fast-heart/],
      ["rules define Fast --code 8867-4 --unit /min --at-least 1", 2, /small letters/],
      ["rules define news2-scale-1 --code 8867-4 --unit /min --at-least 1", 2, /comes with MedSeal/],
      ["rules define x --code 8867-4 --unit /min", 2, /one limit/],
      ["rules define x --code 8867-4 --unit /min --at-least 1 --at-most 2", 2, /one limit/],
      ["rules define x --code 8867-4 --unit /min --at-least high", 2, /no number/],
      ["rules define x --unit /min --at-least 1", 2, /--code is missing/],
      ["rules define x --code 8867-4 --unit /min --at-least 1 --count 3", 2, /go together/],
      ["rules define x --code 8867-4 --unit /min --at-least 1 --count 5 --of 3", 1, /threshold must not be above/],
      ["rules define x --code 8867-4 --unit /min --at-least 1 --window 5min", 2, /--window goes with/],
      ["rules define x --file recording.csv", 1, /not JSON/],
      ["rules test fast-heart", 2, /a rule and a recording/],
      ["rules test fast-heart missing.csv", 2, /no such file/],
      ["rules publish fast-heart --yes --as Relayer", 1, /RuleVersionMismatch/],
      ["rules publish fast-heart --as Relayer", 2, /no terminal/],
      ["rules publish fast-heart --yes --as Lee", 1, /cannot pay/],
      ["rules list --publisher 0x12", 2, /no address/],
      ["plan --as Ann --out x.plan", 2, /--to is missing/],
      ["plan --to Nobody --out x.plan --as Ann", 2, /no contact/],
      ["plan --to Gateway --out x.plan --as Ann", 2, /may not write alerts/],
      ["plan --to Monitor --stream alarms --out x.plan --as Ann", 2, /no stream is called "alarms"/],
      ["plan --to Monitor --responder Lee --out x.plan --as Ann", 2, /no rule is named/],
      ["plan --to Monitor --rule fast-heart --out x.plan --as Ann", 2, /nobody is named/],
      ["plan --to Monitor --rule fast-heart --responder Leo --out x.plan --as Ann", 2, /did you mean "Lee"/],
      [`${quiet} --quiet late`, 2, /no quiet hours/],
      [`${quiet} --quiet ${NIGHT}`, 2, /--zone is missing/],
      [`${quiet} --quiet ${NIGHT} --zone Europe/Nowhere`, 1, /time zone/],
      [`${quiet} --routine fast-heart`, 2, /goes with --quiet/],
      [`${quiet} --quiet ${NIGHT} --zone UTC --routine slow-heart`, 2, /no rule of the plan/],
      [`${quiet} --lateness 1min`, 1, /three periods/],
      ["plan --to Monitor --rule fast-heart --responder Lee --out ann.plan --yes --as Ann", 2, /exists already/],
      ["plan show --as Lee", 2, /signed no plan/],
      ["plan show ann.plan --as Lee", 1, /somebody else/],
      ["plan show recording.csv --as Monitor", 1, /malformed/],
      [`${quiet} --replaces ffff`, 2, /no plan of yours/],
      [`${quiet} --on-chain Nobody`, 2, /no contact/],
      [`${quiet} --device 8867-4=0x12 --device-registry 0x12`, 2, /CODE=ID/],
      [`${quiet} --device 8867-4=0x${"11".repeat(32)}`, 2, /go together/],
      [`alerts ack ${name} --notice told.ndjson --to Monitor --out x.answer --as Lee`, 2, /no notice there/],
      ["alerts escalate --gateway Nobody --as Lee", 2, /no contact/],
      ["monitor --as Kim", 2, /no care plan/],
      ["monitor --plan ann.plan --as Gateway", 1, /somebody else/],
      ["monitor --replay 5 --as Monitor", 2, /goes with a recording/],
      ["monitor --listen 127.0.0.1:0 --as Monitor", 2, /go together/],
      ["monitor --listen 10.0.0.1:9312 --feed-credential hook.secret --as Monitor", 2, /no address of this machine/],
      ["monitor --listen 127.0.0.1:0 --feed-credential told.csv --as Monitor", 2, /cannot be read/],
      ["monitor --listen 127.0.0.1:0 --feed-credential recording.csv --as Monitor", 3, /can be read by others/],
      [
        `monitor recording.csv --start ${START} --listen m.sock --feed-credential hook.secret --as Monitor`,
        2,
        /not from both/,
      ],
      ["monitor --listen recording.csv --feed-credential hook.secret --as Monitor", 2, /something else/],
      [`monitor recording.csv --start ${START} --replay fast --as Monitor`, 2, /no speed/],
      ["monitor missing.csv --as Monitor", 2, /no such file/],
      [`monitor recording.csv --start ${START} --patient Bob --as Monitor`, 2, /no plan is of/],
      ["monitor --webhook https://hospital.example/ --as Monitor", 2, /go together/],
      ["monitor --mqtt mqtts://broker.example --as Monitor", 2, /go together/],
      ["monitor --mqtt-topic ward-7 --as Monitor", 2, /--mqtt-topic goes with --mqtt/],
      ["monitor --mqtt mqtt://broker.example --mqtt-secret mqtt.secret --as Monitor", 2, /mqtts address/],
      [`${broker} --mqtt-topic ward/+ --as Monitor`, 2, /no topic/],
      [`${broker} --mqtt-credentials hook.secret --as Monitor`, 2, /two lines/],
      [`${broker} --mqtt-credentials told.csv --as Monitor`, 2, /cannot be read/],
      [`${broker} --mqtt-credentials recording.csv --as Monitor`, 3, /can be read by others/],
      [`${broker} --mqtt-ca recording.csv --as Monitor`, 2, /no certificate/],
      ["monitor --webhook http://hospital.example/ --webhook-secret hook.secret --as Monitor", 2, /https address/],
      ["alerts list --as Relayer", 3, /medseal inbox/],
      ["alerts list --stream heart-rate --as Lee", 1, /not an entry/],
      ["alerts list --plan ffffffff --as Lee", 2, /no such care plan/],
      ["alerts show x --as Lee", 1, /no alert of this name/],
      ["alerts verify x --as Lee", 1, /no alert of this name/],
      ["alerts ack x --to Monitor --out x.answer --as Lee", 2, /no name of an alert/],
      [`alerts ack ${name} --to Monitor --out x.ack --as Lee`, 2, /something.answer/],
      [`alerts ack ${name} --to Nobody --out x.answer --as Lee`, 2, /no contact/],
      [`alerts snooze ${name} --to Monitor --out x.answer --as Lee`, 2, /--for is missing/],
      [`alerts snooze ${name} --for 2d --to Monitor --out x.answer --as Lee`, 2, /a day at most/],
      [`alerts snooze ${name} --for 5min --level high --to Monitor --out x.answer --as Lee`, 2, /no level/],
      [`alerts ack ${name} --at tomorrow --to Monitor --out x.answer --as Lee`, 2, /no instant/],
      ["audit alerts --from 2026-03-01T08:10:00Z --to 2026-03-01T08:01:00Z --as Lee", 2, /--to does not come after/],
      ["audit alrts --as Lee", 2, /did you mean audit alerts/],
    ];
    const ran = await world.tryInTurn(tries.map(([line]) => line));
    for (const [i, [line, exit, says]] of tries.entries()) {
      const { exit: ended, err } = ran[i] as Ran;
      expect(ended, `${line}: ${err}`).to.equal(exit);
      expect(err, line)
        .to.match(says)
        .and.to.match(/^error: /m)
        .and.not.match(/^ +at /m);
    }
  });
});
