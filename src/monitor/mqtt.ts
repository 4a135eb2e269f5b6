import { randomBytes } from "node:crypto";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { MqttClient, type IClientOptions } from "mqtt";
import { hex, utf8 } from "../bytes/bytes.ts";
import { UsageError } from "../errors.ts";
import { BrokerLink, type Line } from "./broker-link.ts";
import type { ClosableChannel } from "./delivery.ts";
import { DeliveryFailedError } from "./errors.ts";
import type { Wait } from "./pauses.ts";
import { receiverAddress, signNotice, unixSeconds } from "./receiver.ts";

export interface Broker {
  /** `mqtts://host:port`; `mqtt://` only on this machine. */
  readonly url: string;
  /** The same for every notice, so that no name of a topic says anything of a patient. */
  readonly topic: string;
  readonly user?: { readonly name: string; readonly password: string };
  /** Certificates (PEM) of who vouches for the broker; without it those that Node.js knows. */
  readonly ca?: string;
}

export interface MqttOptions {
  /** Milliseconds to wait for the broker. */
  readonly patience?: number;
  /** Aborted after so many milliseconds: when an acknowledgement is waited for no more. */
  readonly late?: (milliseconds: number) => AbortSignal;
  /** Unix seconds. */
  readonly now?: () => number;
  readonly wait?: Wait;
}

/** Seconds without a word after which the broker is asked whether it is there. */
const KEEPALIVE = 20;

/**
 * Publishes a notice at QoS 1: it is delivered when the broker has acknowledged it. The message is JSON with id, time,
 * signature and body (docs/formats.md, section 28). MQTT 3.1.1, which every broker speaks.
 *
 * @throws UsageError for an address that would show the notice on its way, or a topic that is none.
 */
export function mqttChannel(broker: Broker, secret: Uint8Array, options: MqttOptions = {}): ClosableChannel {
  const { patience = 10_000, late = timeoutAfter, now = unixSeconds, wait } = options;
  const target = addressOf(broker.url);
  const { topic } = broker;
  checkTopic(topic);
  const settings = { ...settingsOf(broker), connectTimeout: patience };
  const link = new BrokerLink((signal) => open(() => socketTo(target, broker.ca), settings, signal), wait);
  return {
    name: `mqtt ${target.protocol}//${target.host} ${topic}`,
    mode: "atLeastOnce",
    start: (told) => link.start(told),
    async deliver(notice, signal) {
      const line = await link.up(signal);
      const message = JSON.stringify(signNotice(secret, notice, now()));
      await publish(line, topic, message, { signal, late: late(patience) });
    },
    close: () => link.close(),
  };
}

const timeoutAfter = (milliseconds: number): AbortSignal => AbortSignal.timeout(milliseconds);

function addressOf(url: string): URL {
  const target = receiverAddress(url, "mqtts", "broker");
  if (target.username !== "" || target.password !== "")
    throw new UsageError("a broker's address holds no credentials", { hint: "they have a file of their own" });
  if (!["", "/"].includes(target.pathname) || target.search !== "" || target.hash !== "")
    throw new UsageError("a broker's address ends with its port");
  return target;
}

/** MQTT 3.1.1, section 4.7. */
function checkTopic(topic: string): void {
  const length = utf8(topic).length;
  if (length === 0 || length > 0xffff || /[+#\p{Cc}]/u.test(topic) || topic.startsWith("$"))
    throw new UsageError("this is no topic to publish to", {
      hint: "no + and #, which stand for several topics, and no $ at its beginning",
    });
}

/** Not by the client's own means: they would go by a proxy that the environment names, and in clear to one elsewhere. */
function socketTo(target: URL, ca: string | undefined): Socket {
  const host = target.hostname.replace(/^\[(.*)\]$/, "$1");
  if (target.protocol === "mqtt:") return connectTcp({ host, port: Number(target.port) || 1883 });
  const servername = isIP(host) ? {} : { servername: host };
  const port = Number(target.port) || 8883;
  return connectTls({ host, port, ...servername, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) });
}

const settingsOf = ({ user }: Broker): IClientOptions => ({
  protocolVersion: 4,
  clean: true,
  keepalive: KEEPALIVE,
  // A try has its own signature, and the journal knows what is due: the client itself repeats and keeps nothing.
  reconnectPeriod: 0,
  ...(user && { username: user.name, password: Buffer.from(user.password) }),
  // No debug log shows a notice, or the password.
  log: () => undefined,
});

/** @throws DeliveryFailedError. */
function open(socket: () => Socket, settings: IClientOptions, signal: AbortSignal): Promise<MqttClient> {
  return new Promise((done, failed) => {
    // MQTT 3.1.1, section 3.1.3.1: 23 letters and digits are an id that every broker takes.
    const client = new MqttClient(socket, { ...settings, clientId: `medseal${hex(randomBytes(8))}` });
    // The client would keep what it did not ask for, however much of it comes.
    client.on("packetreceive", ({ cmd }) => {
      if (!ASKED_FOR.has(cmd)) client.stream.destroy();
    });
    let why: unknown;
    const stop = (): void => void client.end(true);
    const settled = (): void => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    client.on("error", (error) => {
      why ??= error;
      stop();
    });
    client.once("close", () => {
      settled();
      failed(refusalOf(why));
    });
    client.once("connect", () => {
      settled();
      done(client);
    });
  });
}

const ASKED_FOR = new Set(["connack", "puback", "pingresp"]);
const CREDENTIALS = new Set<unknown>([4, 5]);
const IDENTITY = /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS_/;

function refusalOf(cause: unknown): DeliveryFailedError {
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (CREDENTIALS.has(code))
    return new DeliveryFailedError("the broker does not accept the credentials", {
      hint: "look at the file of the credentials, and at what the broker lets this user do",
      cause,
    });
  if (typeof code === "number") return new DeliveryFailedError(`the broker refuses with code ${code}`, { cause });
  if (typeof code === "string" && IDENTITY.test(code))
    return new DeliveryFailedError(`the broker does not show that it is the one (${code})`, {
      hint: "name the certificates of who vouches for it, and its host as its own certificate does",
      cause,
    });
  return new DeliveryFailedError("the broker does not answer", { cause });
}

/** Resolves with the broker's acknowledgement. @throws DeliveryFailedError, or the reason of the signal. */
function publish(
  { client, ended }: Line,
  topic: string,
  message: string,
  { signal, late }: { signal: AbortSignal; late: AbortSignal },
): Promise<void> {
  return new Promise<void>((done, failed) => {
    const over = new AbortController();
    const on = (event: AbortSignal, heard: () => void): void => {
      if (event.aborted) heard();
      else event.addEventListener("abort", heard, { signal: over.signal });
    };
    const end = (error?: Error): void => {
      over.abort();
      if (error === undefined) done();
      else failed(error);
    };
    on(signal, () => end(signal.reason as Error));
    on(ended, () =>
      end(
        new DeliveryFailedError("the connection ended before the broker had acknowledged", {
          hint: "if that comes again: may the user publish to this topic?",
        }),
      ),
    );
    on(late, () => {
      end(new DeliveryFailedError("the broker does not acknowledge"));
      // Another try takes another connection: what this one may still say is not waited for.
      client.end(true);
    });
    if (over.signal.aborted) return;
    const taken = (cause?: unknown): void =>
      end(cause ? new DeliveryFailedError("the broker did not take the notice", { cause }) : undefined);
    try {
      client.publish(topic, message, { qos: 1 }, taken);
    } catch (error) {
      // Of a connection that has just ended.
      taken(error);
    }
  });
}
