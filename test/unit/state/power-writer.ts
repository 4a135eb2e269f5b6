/** Commits rows until it is killed, and says how many it has. With `careless` it does not wait for the disk. */
import { DatabaseSync } from "node:sqlite";
import { twinRows } from "../../../src/state/twin.ts";

const [file = "", how] = process.argv.slice(2);
const name = (i: number): Uint8Array => new Uint8Array([i >> 16, i >> 8, i]);

if (how === "careless") {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE IF NOT EXISTS row (name INTEGER)");
  const put = database.prepare("INSERT INTO row VALUES (?)");
  for (let i = 0; ; i++) {
    put.run(i);
    process.stdout.write(`${i + 1}\n`);
    await new Promise(setImmediate);
  }
} else {
  const rows = twinRows(file);
  for (let i = rows.load("row").length; ; i++) {
    await rows.apply([{ table: "row", name: name(i), value: new Uint8Array(200 + (i % 800)).fill(i) }]);
    process.stdout.write(`${i + 1}\n`);
    await new Promise(setImmediate);
  }
}
