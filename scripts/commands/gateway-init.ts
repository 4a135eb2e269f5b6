import { dirname, join } from "node:path";
import { UsageError } from "../../src/errors.ts";
import { parseConfig } from "../../src/feed/config.ts";
import { credentialHash, newCredential } from "../../src/feed/credentials.ts";
import type { Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { CONFIG_OPTION, configPath } from "../cli/gateway-config.ts";
import { count } from "../cli/times.ts";

export const command: Command = {
  summary: "As a gateway: writes a configuration for medseal gateway run, and a credential for each source",
  options: {
    config: CONFIG_OPTION,
    source: {
      type: "string",
      value: "NAME:DEVICE[,DEVICE]",
      multiple: true,
      required: true,
      help: "one that may feed the gateway, and its devices; names stand in logs, so no patient's",
    },
    seal: { type: "string", value: "DURATION", help: "how often what came is sealed; 1min" },
    anchor: { type: "string", value: "DURATION", help: "how often a checkpoint is anchored; 10min" },
    http: { type: "string", value: "ADDRESS", help: "where health and metrics are told; 127.0.0.1:9311" },
    feed: {
      type: "string",
      value: "ADDRESS",
      help: "where sources connect, a socket or a port of this machine; feed.sock",
    },
    trial: { type: "boolean", help: "allows cadences below a minute, on a chain to try things on" },
  },
  examples: [
    ["gateway init --source bed-7:monitor-7,pump-2 --as ward-gateway", "its credential is in bed-7.credential"],
    ["gateway init --source home:patch-1 --anchor 1h --as home", "a checkpoint an hour"],
  ],
  async run(call) {
    const path = await configPath(call);
    await checkNew(path);
    const sources = call.texts("source").map((text) => {
      const [name = "", devices = ""] = text.split(":");
      if (devices === "")
        throw new UsageError("a source has no devices", { hint: "write --source bed-7:monitor-7,pump-2" });
      return { name, devices: devices.split(","), credential: newCredential() };
    });
    const config = {
      format: "medseal-gateway/1",
      feed: call.text("feed") ?? "feed.sock",
      http: call.text("http") ?? "127.0.0.1:9311",
      spool: "spool",
      cadence: { seal: call.text("seal") ?? "1min", anchor: call.text("anchor") ?? "10min" },
      ...(call.flag("trial") ? { trial: true } : {}),
      entries: 64,
      sources: sources.map(({ name, devices, credential }) => ({
        name,
        credential: credentialHash(credential),
        devices,
      })),
    };
    const text = `${JSON.stringify(config, null, 2)}\n`;
    parseConfig(text);
    const files = sources.map(({ name, credential }) => ({
      file: join(dirname(path), `${name}.credential`),
      credential,
    }));
    for (const { file } of files) await checkNew(file);
    for (const { file, credential } of files) await writeNew(file, `${credential}\n`);
    await writeNew(path, text);
    call.io.result(
      { config: path, credentials: files.map(({ file }) => file) },
      `The configuration is in ${path}; docs/gateway.md says what else may stand there.`,
      ...files.map(({ file }) => `Hand ${file} to the source, and to nobody else.`),
      `${count(sources.length, "source")}. Next: medseal gateway check, medseal gateway run`,
    );
  },
};
