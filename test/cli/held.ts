import fs, { existsSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

// For `node --import`: who opens a file beside which lies one of the same name and `.held` waits until that is gone, as on a disk that hangs;
// `.reached` tells that somebody waits.
const open = fs.openSync;
const turn = new Int32Array(new SharedArrayBuffer(4));
fs.openSync = (path, ...rest) => {
  const held = `${String(path)}.held`;
  if (existsSync(held)) writeFileSync(`${String(path)}.reached`, "");
  while (existsSync(held)) Atomics.wait(turn, 0, 0, 20);
  return open(path, ...rest);
};
syncBuiltinESMExports();
