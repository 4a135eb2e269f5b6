import { X509Certificate } from "node:crypto";
import { utf8 } from "../../src/bytes/bytes.ts";
import { visible } from "../../src/bytes/visible.ts";
import { worseWords } from "../../src/alerts/alert.ts";
import { UsageError } from "../../src/errors.ts";
import { consoleChannel, fileChannel, webhookChannel, type Channel } from "../../src/monitor/delivery.ts";
import type { Notice } from "../../src/monitor/notice.ts";
import type { Call, OptionSpec } from "./command.ts";
import { readUserText } from "./files.ts";
import { userPath } from "./io.ts";
import { secretLine, secretLines } from "./secrets.ts";
import { shown } from "./times.ts";

const TOPIC = "medseal/alerts";

/** Where notices go. */
export const CHANNELS: Readonly<Record<string, OptionSpec>> = {
  file: { type: "string", value: "FILE", help: "notices go there, one JSON object a line, each once" },
  webhook: { type: "string", value: "URL", help: "notices are posted there, signed, until they are taken" },
  "webhook-secret": { type: "string", value: "FILE", help: "its first line is shared with who receives them" },
  mqtt: { type: "string", value: "URL", help: "notices are published there, signed, until the broker has them" },
  "mqtt-topic": { type: "string", value: "TOPIC", help: `under which they are; ${TOPIC} without it` },
  "mqtt-secret": { type: "string", value: "FILE", help: "its first line is shared with who subscribes" },
  "mqtt-credentials": { type: "string", value: "FILE", help: "its first line is the user, its second the password" },
  "mqtt-ca": { type: "string", value: "FILE", help: "certificates (PEM) of who vouches for the broker" },
};

/** @throws UsageError, NotPrivateError. */
export async function channelsOf(call: Call): Promise<Channel[]> {
  const channels: Channel[] = [
    consoleChannel((notice) => call.io.line(call.io.json ? JSON.stringify(notice) : visible(lineOf(notice)))),
  ];
  const file = call.text("file");
  const webhook = await signedTo(call, "webhook");
  const mqtt = await signedTo(call, "mqtt");
  if (webhook) channels.push(webhookChannel(webhook.url, webhook.secret));
  if (mqtt) channels.push(await mqttOf(call, mqtt));
  if (file !== undefined) channels.push(fileChannel(userPath(file)));
  return channels;
}

interface Receiver {
  readonly url: string;
  readonly secret: Uint8Array;
}

async function signedTo(call: Call, name: "webhook" | "mqtt"): Promise<Receiver | undefined> {
  const [url, file] = [call.text(name), call.text(`${name}-secret`)];
  if ((url === undefined) !== (file === undefined))
    throw new UsageError(`--${name} and --${name}-secret go together: notices are signed`);
  if (url === undefined || file === undefined) {
    const more = Object.keys(CHANNELS).find((one) => one.startsWith(`${name}-`) && call.text(one) !== undefined);
    if (more !== undefined) throw new UsageError(`--${more} goes with --${name}`);
    return undefined;
  }
  return { url, secret: utf8(await secretLine(file, `the secret of --${name}`)) };
}

async function mqttOf(call: Call, { url, secret }: Receiver): Promise<Channel> {
  const [topic = TOPIC, user, ca] = [call.text("mqtt-topic"), call.text("mqtt-credentials"), call.text("mqtt-ca")];
  const broker = {
    ...{ url, topic },
    ...(user === undefined ? {} : { user: await userOf(user) }),
    ...(ca === undefined ? {} : { ca: await certificatesOf(ca) }),
  };
  // Loaded by who publishes only.
  const { mqttChannel } = await import("../../src/monitor/mqtt.ts");
  return mqttChannel(broker, secret);
}

async function userOf(file: string): Promise<{ name: string; password: string }> {
  const [name = "", password = ""] = await secretLines(file, "the file of the broker's credentials");
  if (name === "" || password === "")
    throw new UsageError("the credentials of the broker are not two lines", { hint: "the user, then the password" });
  return { name, password };
}

async function certificatesOf(file: string): Promise<string> {
  const pem = await readUserText(file);
  try {
    // Looks at the first only, and the connection at all of them.
    new X509Certificate(pem);
  } catch (cause) {
    throw new UsageError(`${file} holds no certificate in PEM`, { cause });
  }
  return pem;
}

/** What a terminal shows of a notice. */
export function lineOf({ kind, alert, patient, rule, level, worse, to, raisedAt }: Notice): string {
  const severe = worse === undefined ? `level ${level}` : worseWords(worse);
  const since = shown(Math.floor(raisedAt / 1000));
  return `ALERT ${kind === "escalated" ? "passed on " : ""}to ${to}: ${rule} of ${patient} since ${since}${level > 0 ? `, ${severe}` : ""}; ${alert}`;
}
