/** A process that writes until it is killed; each line is a digest, a word before it, that the store acknowledged. */
import { randomBytes } from "node:crypto";
import { hex } from "../../../src/bytes/bytes.ts";
import { openStore } from "../../../src/ipfs/open.ts";

const store = await openStore({ folder: process.argv[2] ?? "" });
const say = (word: string, text: string): void => void process.stdout.write(`${word} ${text}\n`);

async function write(): Promise<never> {
  for (;;) {
    const checkpoint = await store.put(randomBytes(200));
    const blocks = await store.putMany(Array.from({ length: 5 }, (_, i) => randomBytes(10 ** i)));
    for (const digest of [checkpoint, ...blocks]) say("block", hex(digest));
    const pinset = await store.putPinset({ checkpoint, blocks });
    say("pinned", pinset);
    if (randomBytes(1).readUInt8() < 128) continue;
    say("letting", pinset);
    await store.unpin(pinset);
    say("unpinned", pinset);
  }
}

await Promise.all([write(), write(), write()]);
