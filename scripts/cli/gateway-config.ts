import { dirname, join, resolve } from "node:path";
import { UsageError } from "../../src/errors.ts";
import { parseConfig, type GatewayConfig } from "../../src/feed/config.ts";
import { placed } from "../../src/feed/listen.ts";
import { checkPlaces } from "../../src/feed/places.ts";
import type { Call, OptionSpec } from "./command.ts";
import { readUserText } from "./files.ts";
import { checkPrivate, homeFolder, identityOf } from "./home.ts";

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
  const feed = placed(config.feed, from);
  const all = { ...config, feed, spool: from(config.spool), monitor: monitorFrom(config, from) };
  await checkPlaces(all);
  return all;
}

function monitorFrom({ monitor }: GatewayConfig, from: (file: string) => string): GatewayConfig["monitor"] {
  return monitor && { ...monitor, at: placed(monitor.at, from), credential: from(monitor.credential) };
}
