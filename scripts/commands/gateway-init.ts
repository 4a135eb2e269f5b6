import { dirname, join, resolve } from "node:path";
import { UsageError } from "../../src/errors.ts";
import { parseConfig } from "../../src/feed/config.ts";
import { credentialHash, newCredential } from "../../src/feed/credentials.ts";
import { parseListen } from "../../src/feed/listen.ts";
import type { Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { CONFIG_OPTION, configPath } from "../cli/gateway-config.ts";
import { count } from "../cli/times.ts";

/** The file of what the monitor is shown. */
const MONITOR = "monitor.credential";

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
    monitor: {
      type: "string",
      value: "ADDRESS",
      help: "where medseal monitor --listen is, a socket or a port of this machine; it gets what is stored",
    },
    trial: { type: "boolean", help: "allows cadences below a minute, on a chain to try things on" },
  },
  examples: [
    ["gateway init --source bed-7:monitor-7,pump-2 --as ward-gateway", "its credential is in bed-7.credential"],
    ["gateway init --source home:patch-1 --anchor 1h --as home", "a checkpoint an hour"],
    ["gateway init --source bed-7:monitor-7 --monitor monitor.sock --as ward-gateway", "with a monitor beside it"],
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
    const monitor = call.text("monitor");
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
      ...(monitor === undefined ? {} : { monitor: { address: monitor, credential: MONITOR } }),
    };
    const at = monitor === undefined ? undefined : parseListen(monitor);
    const listens = at && "path" in at ? resolve(dirname(path), at.path) : monitor;
    const text = `${JSON.stringify(config, null, 2)}\n`;
    parseConfig(text);
    const files = sources.map(({ name, credential }) => ({
      file: join(dirname(path), `${name}.credential`),
      credential,
    }));
    const secret = monitor === undefined ? [] : [{ file: join(dirname(path), MONITOR), credential: newCredential() }];
    const written = [...files, ...secret];
    if (files.some(({ file }) => secret[0]?.file === file)) throw new UsageError("no source may be called monitor");
    for (const { file } of written) await checkNew(file);
    for (const { file, credential } of written) await writeNew(file, `${credential}\n`);
    await writeNew(path, text);
    call.io.result(
      { config: path, credentials: written.map(({ file }) => file) },
      `The configuration is in ${path}; docs/gateway.md says what else may stand there.`,
      ...files.map(({ file }) => `Hand ${file} to the source, and to nobody else.`),
      ...secret.map(
        ({ file }) => `The monitor takes it, too: medseal monitor --listen ${listens} --feed-credential ${file}`,
      ),
      `${count(sources.length, "source")}. Next: medseal gateway check, medseal gateway run`,
    );
  },
};
