import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isAbsent } from "../files/durable.ts";
import type { GatewayConfig } from "./config.ts";
import { ConfigError } from "./errors.ts";
import { isFreeForSocket } from "./listen.ts";

/** Whether spool and feed can lie where the configuration has them, with paths that count from anywhere. @throws ConfigError. */
export async function checkPlaces({ feed, spool }: Pick<GatewayConfig, "feed" | "spool">): Promise<void> {
  for (const folder of [spool, join(spool, "done"), join(spool, "refused")])
    if ((await found(stat(folder)))?.isDirectory() === false)
      throw new ConfigError("spool", `a folder is expected, and ${folder} is none`);
  if ("path" in feed && !(await isFreeForSocket(feed.path)))
    throw new ConfigError("feed", `a place for a socket is expected, and at ${feed.path} lies something else`);
}

const found = <T>(looked: Promise<T>): Promise<T | undefined> =>
  looked.catch((error: unknown) => {
    // Below what is no folder there is nothing, either; who makes something there says so.
    if (isAbsent(error) || (error instanceof Error && "code" in error && error.code === "ENOTDIR")) return undefined;
    throw error;
  });
