import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DurableFiles } from "../files/durable.ts";
import type { BoxStore } from "./recovery.ts";

/** Recovery boxes as files in a folder of the patient's choice: a memory stick, a home server. */
export async function folderOfBoxes(folder: string): Promise<BoxStore> {
  await mkdir(folder, { recursive: true });
  const files = new DurableFiles(join(folder, "tmp"));
  await files.open();
  return { put: (name, box) => files.write(join(folder, name), box) };
}
