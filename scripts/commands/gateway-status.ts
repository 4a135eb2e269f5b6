import { EXIT, MedSealError, UsageError } from "../../src/errors.ts";
import type { GatewayConfig } from "../../src/feed/config.ts";
import type { Fate } from "../../src/feed/levels.ts";
import type { Status } from "../../src/feed/service.ts";
import type { Command } from "../cli/command.ts";
import { CONFIG_OPTION, readConfig } from "../cli/gateway-config.ts";
import { count, utc } from "../cli/times.ts";

export const command: Command = {
  summary: "As a gateway: tells in words what is where, of a running gateway or of one message",
  options: {
    config: CONFIG_OPTION,
    device: { type: "string", value: "NAME", help: "of one message, with its counter" },
    counter: { type: "string", value: "N", help: "of one message, with its device" },
  },
  examples: [
    ["gateway status --as ward-gateway", "all of it"],
    ["gateway status --device monitor-7 --counter 4711 --as ward-gateway", "one message"],
  ],
  async run(call) {
    const config = await readConfig(call);
    const [device, counter] = [call.text("device"), call.text("counter")];
    if ((device === undefined) !== (counter === undefined))
      throw new UsageError("a message is named by its device and its counter");
    if (device === undefined || counter === undefined) {
      const status = (await ask(config, "/status")) as Status;
      return call.io.result(status, ...words(status));
    }
    if (!/^\d{1,16}$/.test(counter)) throw new UsageError("a counter is a whole number", { hint: "--counter 4711" });
    const query = new URLSearchParams({ device, counter });
    const fate = (await ask(config, `/message?${query.toString()}`)) as Fate | undefined;
    if (!fate) throw new NoMessageError("no such message came, or it is forgotten");
    call.io.result(fate, ...wordsOf(fate));
  },
};

class NoMessageError extends MedSealError {
  readonly code = "ERR_NO_SUCH_MESSAGE";
}

/** Nobody answers where the gateway tells how it does. */
class NotRunningError extends MedSealError {
  readonly code = "ERR_NOT_RUNNING";
  override readonly exit = EXIT.unavailable;

  constructor(cause: unknown) {
    super("the gateway does not run", {
      hint: "what it took is in its journal; start it with medseal gateway run",
      cause,
    });
  }
}

/** @returns undefined for what it does not know. @throws NotRunningError. */
async function ask({ http }: GatewayConfig, page: string): Promise<unknown> {
  const host = http.host.includes(":") ? `[${http.host}]` : http.host;
  const response = await fetch(`http://${host}:${http.port}${page}`, { signal: AbortSignal.timeout(10_000) }).catch(
    (cause: unknown) => {
      throw new NotRunningError(cause);
    },
  );
  return response.status === 404 ? undefined : response.json();
}

function words(status: Status): string[] {
  const { since, problems, feed, devices, batches, checkpoints, next, last, monitor } = status;
  const when = (time: number | null): string => (time === null ? "never" : utc(time));
  return [
    `Running since ${utc(since)}; ${problems.length === 0 ? "healthy" : problems.join("; ")}.`,
    `${count(feed.messages, "message")} taken: ${feed.unsealed.toLocaleString("en")} in the journal and not sealed yet (next ${utc(next.seal)}), ` +
      `${feed.underWay.toLocaleString("en")} sealed and not anchored for good, the rest anchored.`,
    `${count(batches.waiting, "batch", "batches")} wait for a checkpoint (next ${utc(next.anchor)}).`,
    `${count(checkpoints.decided, "checkpoint")} made: ${checkpoints.published} stored and read back, ${checkpoints.final} anchored for good.`,
    `Ends of consents were last looked for at ${when(last.heed)}.`,
    ...(monitor ? wordsOfMonitor(monitor) : []),
    ...(feed.quarantined === 0 ? [] : [`${count(feed.quarantined, "message")} in quarantine.`]),
    ...devices.map(({ source, device, highest, received }) =>
      highest === undefined || received === undefined
        ? `  ${source}/${device}: nothing yet`
        : `  ${source}/${device}: up to counter ${highest}, last heard of at ${utc(received)}`,
    ),
  ];
}

function wordsOfMonitor({ connected, behind, since, gaveUp }: NonNullable<Status["monitor"]>): string[] {
  const waits = behind === 0 ? "nothing waits for it" : `${count(behind, "message")} wait for it`;
  const how = `${connected ? "has taken nothing" : "is away"} since ${utc(since ?? 0)}: ${waits}`;
  return [
    `The monitor ${since === undefined ? "has all that was stored" : how}.`,
    ...(gaveUp === 0 ? [] : [`${count(gaveUp, "message")} were given up: the monitor never got them.`]),
  ];
}

function wordsOf({ level, received, sent, skew, quarantined, block, blockTime }: Fate): string[] {
  const where = {
    stored: "in the journal of this machine; not in the archive yet",
    replicated: "sealed, and in the store; its checkpoint is not final yet",
    anchored: "anchored for good",
    quarantined: "in quarantine: nothing of it was sealed",
  }[level];
  return [
    `It is ${where}.`,
    `  received ${utc(received)}${sent === undefined ? "" : `, sent ${sent} by the device's clock`}`,
    ...(skew === undefined
      ? []
      : [`  the device's clock is ${count(Math.abs(skew), "second")} ${skew < 0 ? "behind" : "ahead"}`]),
    ...(block === undefined || blockTime === undefined ? [] : [`  block ${block}, ${utc(blockTime)}`]),
    ...(quarantined === 0 || level === "quarantined" ? [] : [`  ${count(quarantined, "reading")} of it in quarantine`]),
  ];
}
