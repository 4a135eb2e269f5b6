import type { CID } from "multiformats/cid";
import type { Command } from "./call.ts";

/** The layout of the folder, as `repo/version` and `repo/stat` name it. */
const REPO = "medseal-repo@1";

/** `repo/gc`: takes away what no pin holds, a line a block. */
export const gc: Command = async ({ helia, lock }) => {
  const removed = await lock.alone(async () => {
    const removed: CID[] = [];
    await helia.gc({
      onProgress: (event) => {
        if (event.type === "helia:gc:deleted") removed.push(event.detail);
      },
    });
    return removed;
  });
  async function* lines(): AsyncGenerator<unknown> {
    for (const cid of removed) yield await Promise.resolve({ Key: { "/": cid.toString() } });
  }
  return { lines: lines() };
};

export const stat: Command = async ({ blocks, folder }) => {
  let count = 0;
  let size = 0;
  for await (const { cid } of blocks.getAll()) {
    count++;
    size += (await blocks.size(cid)) ?? 0;
  }
  return { json: { NumObjects: count, RepoSize: size, RepoPath: folder, Version: REPO, StorageMax: 0 } };
};

export const version: Command = () => Promise.resolve({ json: { Version: REPO } });
