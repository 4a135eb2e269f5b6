import { existsSync, promises, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

// For `node --import`, in the folder of a world: a monitor that looks for answers while its first notice is out waits until `answered` lies
// there, and with it the clock of a recording.
const { readdir } = promises;
const waits = (folder: string): boolean =>
  statSync(join(folder, "../told.ndjson")).size > 0 && !existsSync(join(folder, "../answered"));
promises.readdir = (async (path: string, ...rest: []) => {
  while (path.endsWith("answers") && waits(path)) await pause(20);
  return readdir(path, ...rest);
}) as typeof readdir;
syncBuiltinESMExports();
