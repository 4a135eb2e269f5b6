import { performance } from "node:perf_hooks";
import { consoleChannel, Deliverer } from "../../src/monitor/delivery.ts";
import { Desk } from "../../src/monitor/desk.ts";
import { parseFeed } from "../../src/monitor/feed.ts";
import { sqliteRows } from "../../src/state/rows.ts";
import { dayPlan, MINUTE, signedDayPlan } from "../deep/alert-day.ts";

/** Milliseconds between two rounds of writing down what was evaluated, and what one may take; as in scripts/cli/watch.ts. */
const STATE = 50;
const SPARE = 5;

// The monitor that is measured: readings on stdin, notices on stdout; its journal and the number of patients are its arguments.
const [file = "", patients = "0"] = process.argv.slice(2);
const desk = new Desk(sqliteRows(file), new Uint8Array(32).fill(7));
const plans = new Map<string, string>();
for (let n = 0; n < Number(patients); n++) {
  const id = n.toString(16).padStart(32, "0");
  const plan = dayPlan(id);
  const watches = plan.watches.map(({ rule, ...watch }) => ({
    ...watch,
    // An alert begins with the reading, so that what is measured is the monitor and not the rule.
    rule: { ...rule, trigger: { ...rule.trigger, raiseAfter: 0 } },
    lateness: 3 * MINUTE,
  }));
  await desk.adopt(await signedDayPlan({ ...plan, patient: `p${n}`, watches }), Date.now());
  plans.set(`p${n}`, id);
}
let last: Promise<unknown> = Promise.resolve();
const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
  const turn = last.then(work, work);
  last = turn.catch(() => undefined);
  return turn;
};
const terminal = consoleChannel(({ patient, rule }) => void process.stdout.write(`${patient} ${rule}\n`));
const deliverer = new Deliverer({ desk, channels: [terminal] }, inTurn);
process.stdout.write("ready\n");

let [rest, stated] = ["", 0];
let busy = performance.eventLoopUtilization();
for await (const piece of process.stdin) {
  const lines = (rest + String(piece)).split("\n");
  rest = lines.pop() ?? "";
  const fed = lines.filter(Boolean).map((line) => {
    const { patient = "", recorded } = parseFeed(line);
    return { plan: plans.get(patient) ?? "", recorded };
  });
  deliverer.send(await inTurn(() => desk.take(fed, Date.now())));
  if (performance.now() < stated + STATE) continue;
  await inTurn(() => desk.state(Date.now(), SPARE));
  stated = performance.now();
}
busy = performance.eventLoopUtilization(busy);
await deliverer.settle(10_000);
process.stdout.write(`busy ${busy.utilization}\n`);
desk.close();
