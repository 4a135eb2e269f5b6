import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { mulberry32 } from "../../../examples/simulate.ts";
import type { Consent, Hex } from "../../../src/consent/consent.ts";
import { Forwarder, type ForwardOptions } from "../../../src/feed/forward.ts";
import { MonitorLink } from "../../../src/feed/monitor-link.ts";
import { FeedJournal, type Row } from "../../../src/feed/state.ts";
import type { GatewayMessage } from "../../../src/monitor/feed.ts";
import { MonitorFeed } from "../../../src/monitor/feed-server.ts";
import { inOrder, Journal } from "../../../src/state/journal.ts";
import { PaperRows } from "../../integration/rig.ts";
import { heartBeat } from "../monitor/plans.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? Date.now());
const KEY = new Uint8Array(32).fill(3);
const CREDENTIAL = "shown by the gateway";
const [ANN, BEA] = ["0xA11", "0xBEA"] as const;
const START = 1_000_000;

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((next) => setTimeout(next, 5));
};

/** The message of a place: Ann's, but for every third, which is Bea's. */
const arrival = (place: number, received: number): Row[number] => ({
  device: "m",
  counter: place,
  groups: [
    { write: place % 3 === 2 ? "0xb" : "0xa", stream: "0x1", observations: [heartBeat(1000 * place, 60 + place)] },
  ],
  seen: { digest: "", place, received, sent: undefined, skew: undefined, quarantined: 0 },
});

const leaves = new Map<string, Pick<Consent, "grantor">>([
  ["0xa", { grantor: ANN }],
  ["0xb", { grantor: BEA }],
]);
const gateway = { leave: (write: Hex) => leaves.get(write) as Consent | undefined };

/** A monitor that forgets nothing of what it has taken, on a port of its own. */
class Ward {
  server!: MonitorFeed;
  port = 0;
  readonly messages: GatewayMessage[] = [];
  readonly turnedAway: string[] = [];
  patients: readonly string[] = [ANN, BEA];
  next = 0;
  slow: Promise<void> = Promise.resolve();

  async listen(): Promise<void> {
    this.server = await MonitorFeed.listen(
      { host: "127.0.0.1", port: this.port },
      {
        credential: CREDENTIAL,
        patients: this.patients,
        taken: () => this.next,
        take: async (_, messages) => {
          await this.slow;
          this.messages.push(...messages);
          this.next = (messages.at(-1)?.place ?? 0) + 1;
        },
        connected: () => undefined,
        turnedAway: (code) => void this.turnedAway.push(code),
      },
    );
    this.port = this.server.port ?? 0;
  }

  get places(): number[] {
    return this.messages.map(({ place }) => place);
  }
}

describe("what a gateway passes on to a monitor beside it", () => {
  let ward: Ward;
  let rows: PaperRows;
  let journal: FeedJournal;
  let forwarder: Forwarder;
  let stop: AbortController;
  let running: Promise<void>;
  let time: number;
  let told: string[];

  const start = (differs: Partial<ForwardOptions> = {}): void => {
    journal = new FeedJournal(new Journal(rows, KEY));
    stop = new AbortController();
    forwarder = new Forwarder(journal, gateway, () => time, {
      at: { host: "127.0.0.1", port: ward.port },
      credential: CREDENTIAL,
      keep: 3600,
      isTight: () => false,
      events: {
        here: () => void told.push("here"),
        away: (code) => void told.push(code),
        sent: () => undefined,
        gaveUp: (messages) => void told.push(`gave up ${messages}`),
      },
      ...differs,
    });
    running = forwarder.run(stop.signal);
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  /** As a commit of the intake does it. */
  const store = async (messages: number): Promise<void> => {
    await journal.write(
      () => {
        const { rows: number, next } = journal.state.position;
        const row = Array.from({ length: messages }, (_, i) => arrival(next + i, time));
        journal.state.rows.set(inOrder(number), row);
        journal.state.move({ rows: number + 1, next: next + messages });
      },
      () => forwarder.stored(),
    );
  };
  /** As sealing does it: everything is cut, and what is needed no more is dropped. */
  const seal = async (): Promise<number> => {
    await journal.write(() =>
      journal.state.move({ uncutRow: journal.state.position.rows, uncut: journal.state.position.next }),
    );
    const needed = await forwarder.needed();
    await journal.write(() => {
      for (let row = journal.state.position.cleared; row < needed; row++) journal.state.rows.delete(inOrder(row));
      journal.state.move({ cleared: needed });
    });
    return needed;
  };

  beforeEach(async () => {
    [ward, rows, time, told] = [new Ward(), new PaperRows(), START, []];
    await ward.listen();
  });
  afterEach(async () => {
    await end();
    await ward.server.close();
  });

  it("comes in its order, each message once, whoever is cut off or begins anew", async () => {
    console.log(`      seed ${SEED}`);
    const draw = mulberry32(SEED);
    start();
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 20; i++) await store(1 + Math.floor(3 * draw()));
      const way = draw();
      if (way < 0.3) {
        await end();
        rows = new PaperRows(rows.rows);
        start();
      } else if (way < 0.6) {
        await ward.server.close();
        await ward.listen();
      }
      if (draw() < 0.5) await seal();
    }
    const { next } = journal.state.position;
    await until(() => ward.next === next);
    expect(ward.places).to.deep.equal(Array.from({ length: next }, (_, place) => place));
    const [first] = ward.messages;
    expect(first?.patients).to.deep.equal([{ grantor: ANN, readings: [heartBeat(0, 60)] }]);
    await until(() => forwarder.standing.behind === 0);
    expect(await seal()).to.equal(journal.state.position.rows);
  });

  it("is only of those that the monitor watches over; the others hold up nothing", async () => {
    await ward.server.close();
    ward.patients = [BEA];
    await ward.listen();
    start();
    await store(9);
    await store(2);
    await until(() => forwarder.standing.behind === 0);
    expect(ward.messages.flatMap(({ patients }) => patients.map(({ grantor }) => grantor))).to.deep.equal([
      BEA,
      BEA,
      BEA,
    ]);
    expect(ward.places).to.deep.equal([2, 5, 8]);
  });

  it("waits in the journal for a monitor that takes nothing, and is sent again when it is cut off", async () => {
    let go = (): void => undefined;
    ward.slow = new Promise((going) => (go = going));
    start();
    await store(3);
    await until(() => forwarder.standing.connected);
    expect(await seal()).to.equal(0);
    expect(forwarder.standing).to.include({ behind: 3, since: START, gaveUp: 0 });
    await store(2);
    go();
    await until(() => forwarder.standing.behind === 0);
    expect(ward.places).to.deep.equal([0, 1, 2, 3, 4]);
    expect(await seal()).to.equal(2);
    expect(forwarder.standing).to.include({ connected: true, behind: 0, since: undefined });
  });

  it("is given up when it was kept for long enough and sealed, or where the disk has little room; that is told", async () => {
    await ward.server.close();
    let tight = false;
    start({ keep: 60, isTight: () => tight });
    await until(() => told.includes("ERR_MONITOR_AWAY"));
    await store(3);
    time += 61;
    expect(await forwarder.needed(), "not sealed yet").to.equal(0);
    await store(4);
    expect(await seal()).to.equal(1);
    expect(forwarder.standing).to.deep.equal({ connected: false, behind: 4, since: START, gaveUp: 3 });
    tight = true;
    await store(5);
    expect(await seal()).to.equal(3);
    await store(1);
    expect(told.filter((one) => one !== "here")).to.deep.equal(["ERR_MONITOR_AWAY", "gave up 3", "gave up 9"]);
    await ward.listen();
    await until(() => forwarder.standing.behind === 0);
    expect(ward.places).to.deep.equal([12]);
  });

  it("is counted anew when the monitor has taken more than this journal ever had", async () => {
    ward.next = 100;
    start();
    const before = journal.state.monitor.get("");
    await store(2);
    await until(() => journal.state.monitor.get("") !== before && journal.state.monitor.get("") !== undefined);
    ward.next = 0;
    await until(() => ward.next === 2);
    expect(ward.places).to.deep.equal([0, 1]);
  });

  it("is taken of one gateway at a time, that shows the credential and keeps to the protocol", async () => {
    const failure = (credential: string): Promise<unknown> =>
      MonitorLink.open({ at: { host: "127.0.0.1", port: ward.port }, credential, journal: "j" }).then(
        () => undefined,
        (error: { code: string }) => error.code,
      );
    for (const credential of ["", "wrong", CREDENTIAL.slice(1)])
      expect(await failure(credential)).to.equal("ERR_CREDENTIAL");
    start();
    await until(() => forwarder.standing.connected);
    expect(await failure(CREDENTIAL)).to.equal("ERR_BUSY");
    await end();
    const hello = `${JSON.stringify({ feed: "medseal-monitor/1", credential: CREDENTIAL, journal: "j" })}\n`;
    const said = async (text: string): Promise<unknown[]> => {
      const socket: Socket = connect(ward.port, "127.0.0.1");
      let out = "";
      socket.setEncoding("utf8").on("data", (piece: string) => (out += piece));
      socket.on("error", () => undefined);
      socket.write(text);
      await new Promise((closed) => socket.once("close", closed));
      return out
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { code?: string }).code);
    };
    expect(await said("no json\n")).to.deep.equal(["ERR_CREDENTIAL"]);
    expect(await said("x".repeat(5 << 20))).to.deep.equal(["ERR_LINE_TOO_LONG"]);
    expect(await said(hello.replace("monitor/1", "monitor/2"))).to.deep.equal(["ERR_PROTOCOL"]);
    for (const wrong of ["{}", "[]", '{"place":-1,"patients":[]}', '{"place":0,"patients":[{"readings":[]}]}'])
      expect(await said(`${hello}${wrong}\n`), wrong).to.deep.equal([undefined, "ERR_PROTOCOL"]);
    const twice = '{"place":1,"patients":[]}\n';
    expect(await said(`${hello}${twice}${twice}`)).to.deep.equal([undefined, "ERR_PROTOCOL"]);
    expect(ward.messages).to.deep.equal([]);
  });
});
