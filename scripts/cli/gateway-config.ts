import { dirname, join, resolve } from "node:path";
import { UsageError } from "../../src/errors.ts";
import { parseConfig, type GatewayConfig } from "../../src/feed/config.ts";
import { checkPlaces } from "../../src/feed/places.ts";
import type { Call, OptionSpec } from "./command.ts";
import { readUserText } from "./files.ts";
import { checkPrivate, homeFolder, identityOf } from "./home.ts";
import { userPath } from "./io.ts";

export const CONFIG_OPTION: OptionSpec = {
  type: "string",
  value: "FILE",
  help: "the configuration; gateway.json in the identity's folder",
};

export const configPath = async (call: Call): Promise<string> => {
  const named = call.text("config");
  return named === undefined ? join(homeFolder(), await identityOf(call), "gateway.json") : resolve(named);
};

/** With paths counted from the configuration's own folder. @throws ConfigError, UsageError, NotPrivateError. */
export async function readConfig(call: Call): Promise<GatewayConfig> {
  const path = await configPath(call);
  await checkPrivate(path, "the configuration");
  const config = parseConfig(
    await readUserText(path).catch((cause: unknown) => {
      throw new UsageError("there is no configuration", { hint: "write one with medseal gateway init", cause });
    }),
  );
  const from = (file: string): string => resolve(dirname(path), file);
  const feed = "path" in config.feed ? { path: from(config.feed.path) } : config.feed;
  const placed = { ...config, feed, spool: from(config.spool), monitor: monitorFrom(config, from) };
  await checkPlaces(placed);
  return placed;
}

function monitorFrom({ monitor }: GatewayConfig, from: (file: string) => string): GatewayConfig["monitor"] {
  if (!monitor) return undefined;
  const at = "path" in monitor.at ? { path: from(monitor.at.path) } : monitor.at;
  return { ...monitor, at, credential: from(monitor.credential) };
}

/** The first line of a file that only its owner may read. @throws UsageError, NotPrivateError. */
export async function readCredential(file: string, what: string): Promise<string> {
  await checkPrivate(userPath(file), what);
  const [credential = ""] = (await readUserText(file)).split(/\r?\n/);
  if (credential.length < 16) throw new UsageError(`${what} has less than 16 characters`);
  return credential;
}
