import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { Deliverer, consoleChannel, fileChannel } from "../../src/monitor/delivery.ts";
import { Desk } from "../../src/monitor/desk.ts";
import { sqliteRows } from "../../src/state/rows.ts";
import { BEGIN, dayOf, SECOND, signedDayPlan } from "./alert-day.ts";

// A monitor to be killed: folder, seed and seconds of a day are its arguments. Started again, it goes on.
const [folder = "", seed = "0", seconds = "0"] = process.argv.slice(2);
const day = dayOf(Number(seed), Number(seconds));
const signed = await signedDayPlan();
const plan = signed.plan.id;
const desk = new Desk(sqliteRows(join(folder, "monitor.sqlite")), new Uint8Array(32).fill(7));
await desk.adopt(signed, BEGIN);

let last: Promise<unknown> = Promise.resolve();
const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
  const turn = last.then(work, work);
  last = turn.catch(() => undefined);
  return turn;
};
const file = fileChannel(join(folder, "delivered.ndjson"));
const terminal = consoleChannel((notice) => appendFileSync(join(folder, "shown"), `${notice.id}\n`));
const deliverer = new Deliverer({ desk, channels: [terminal, file] }, inTurn);
deliverer.start();
const SOURCE = "the day";
let skip = desk.taken(SOURCE);
for (const [second, readings] of day.seconds.entries()) {
  if (skip >= readings.length) {
    skip -= readings.length;
    continue;
  }
  const now = BEGIN + second * SECOND;
  const fed = readings.slice(skip).map((recorded) => ({ plan, recorded }));
  skip = 0;
  deliverer.send(await inTurn(() => desk.take(fed, now, SOURCE)));
  await inTurn(() => desk.state(now));
}
await deliverer.settle(10_000);
desk.close();
