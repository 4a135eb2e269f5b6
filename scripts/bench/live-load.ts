import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";

/** What sources send, and how fast. */
export interface Load {
  readonly port: number;
  readonly credential: string;
  readonly devices: readonly string[];
  /** Code and unit of each reading of a message. */
  readonly channels: readonly (readonly [code: string, unit: string])[];
  readonly messagesPerSecond: number;
  readonly seconds: number;
}

/** Milliseconds from handing a message to the socket to its `stored`, in the order of the answers. */
export interface Answered {
  readonly milliseconds: readonly number[];
  /** Answers that were not `stored`. */
  readonly other: number;
}

/** Milliseconds between two rounds of sending. */
const TICK = 2;

/**
 * Sends messages evenly, device by device, over a connection each: open loop, so that a slow answer slows nothing down and hides nothing.
 * The clock of a message starts before it is written, so that the way through the socket counts as well.
 */
export async function streamLoad(load: Load): Promise<Answered> {
  const { devices, messagesPerSecond, seconds } = load;
  const milliseconds: number[] = [];
  let other = 0;
  const sources = await Promise.all(
    devices.map((device) =>
      Source.open(load, device, (took, level) => {
        if (level === "stored") milliseconds.push(took);
        else other += 1;
      }),
    ),
  );
  const began = performance.now();
  const total = messagesPerSecond * seconds;
  for (let sent = 0; sent < total; await pause(TICK)) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * messagesPerSecond));
    for (; sent < due; sent++) (sources[sent % sources.length] as Source).send();
  }
  for (const end = performance.now() + 30_000; sources.some(({ open }) => open > 0); await pause(20))
    if (performance.now() > end) throw new Error("messages are left without an answer");
  for (const source of sources) source.close();
  return { milliseconds, other };
}

/** One device, as its software would be. */
class Source {
  readonly #socket: Socket;
  readonly #device: string;
  readonly #channels: Load["channels"];
  readonly #sent = new Map<number, number>();
  #counter: number;

  private constructor(socket: Socket, device: string, counter: number, channels: Load["channels"]) {
    this.#socket = socket;
    this.#device = device;
    this.#counter = counter;
    this.#channels = channels;
  }

  static async open(
    { port, credential, channels }: Load,
    device: string,
    answered: (took: number, level: string) => void,
  ): Promise<Source> {
    const socket = connect(port, "127.0.0.1").setNoDelay();
    await once(socket, "connect");
    let rest = "";
    return new Promise((ready, failed) => {
      let source: Source | undefined;
      socket.once("close", () => failed(new Error("the gateway has closed the connection")));
      socket.on("error", failed);
      socket.setEncoding("utf8").on("data", (text: string) => {
        const lines = `${rest}${text}`.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const told = JSON.parse(line) as { devices?: Known[]; counter?: number; level?: string };
          if (source) source.#told(told, answered);
          else {
            const highest = told.devices?.find((one) => one.device === device)?.highest ?? -1;
            source = new Source(socket, device, highest + 1, channels);
            ready(source);
          }
        }
      });
      socket.write(`${JSON.stringify({ feed: "medseal-feed/1", credential })}\n`);
    });
  }

  /** Messages without an answer. */
  get open(): number {
    return this.#sent.size;
  }

  send(): void {
    const counter = this.#counter++;
    const effective = new Date().toISOString();
    const readings = this.#channels.map(([code, unit], i) => ({
      code,
      unit,
      value: 60 + ((counter + i) % 40),
      effective,
    }));
    const line = `${JSON.stringify({ device: this.#device, counter, readings })}\n`;
    this.#sent.set(counter, performance.now());
    this.#socket.write(line);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** What is told of counters from one to another is of later levels. */
  #told(
    { counter, level = "" }: { counter?: number; level?: string },
    answered: (took: number, level: string) => void,
  ): void {
    const began = counter === undefined ? undefined : this.#sent.get(counter);
    if (counter === undefined || began === undefined) return;
    this.#sent.delete(counter);
    answered(performance.now() - began, level);
  }
}

interface Known {
  readonly device: string;
  readonly highest: number | null;
}
