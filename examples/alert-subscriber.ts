// Subscribes to the alerts of a monitor and prints those that are genuine, one JSON object a line: docs/alerts.md.
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { connect } from "mqtt";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    topic: { type: "string", default: "medseal/alerts" },
    secret: { type: "string" },
    credentials: { type: "string" },
    ca: { type: "string" },
    name: { type: "string", default: "alert-subscriber" },
  },
});
const [url] = positionals;
if (url === undefined || values.secret === undefined) {
  console.error(
    "usage: node examples/alert-subscriber.ts URL --secret FILE [--credentials FILE] [--ca FILE] [--topic TOPIC] [--name NAME]",
  );
  process.exit(2);
}

const linesOf = (file: string): string[] => readFileSync(file, "utf8").split(/\r?\n/);
const [secret = ""] = linesOf(values.secret);
if (secret.length < 16) {
  console.error("the first line of the secret's file has fewer than 16 characters: anybody could sign with it");
  process.exit(2);
}
const [username, password] = values.credentials === undefined ? [] : linesOf(values.credentials);

/** Seconds for which an id is remembered; what is older is refused, so that nothing comes twice. */
const MEMORY = 86_400;
const seen = new Map<string, number>();

/** @returns the notice, or undefined for one that came before. @throws Error for what is not genuine. */
function open(message: Buffer): object | undefined {
  const { time, signature, body } = JSON.parse(message.toString()) as Record<string, string | undefined>;
  const ours = Buffer.from(`sha256=${createHmac("sha256", secret).update(`${time}.${body}`).digest("hex")}`);
  const theirs = Buffer.from(signature ?? "");
  if (theirs.length !== ours.length || !timingSafeEqual(theirs, ours)) throw new Error("not signed with the secret");
  const now = Date.now() / 1000;
  if (Number(time) < now - MEMORY) throw new Error("older than what is remembered");
  const notice = JSON.parse(body ?? "") as { id: string };
  for (const [id, at] of seen) if (at < now - MEMORY) seen.delete(id);
  if (seen.has(notice.id)) return undefined;
  seen.set(notice.id, now);
  return notice;
}

// A session that lasts: the broker keeps at QoS 1 what comes while nobody listens.
const client = connect(url, {
  ...{ clientId: values.name, clean: false },
  ...(username === undefined ? {} : { username }),
  ...(password === undefined ? {} : { password }),
  ...(values.ca === undefined ? {} : { ca: readFileSync(values.ca) }),
});
client.on("error", ({ message }) => console.error(message));
client.on("connect", () =>
  client.subscribe(values.topic, { qos: 1 }, (error) => console.error(error ? error.message : "subscribed")),
);
client.on("message", (_topic, message) => {
  try {
    const notice = open(message);
    if (notice !== undefined) console.log(JSON.stringify(notice));
  } catch (error) {
    console.error(`refused: ${(error as Error).message}`);
  }
});
process.once("SIGTERM", () => client.end());
