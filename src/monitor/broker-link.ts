import { setTimeout as pause } from "node:timers/promises";
import type { MqttClient } from "mqtt";
import type { Told } from "./delivery.ts";
import { DeliveryFailedError } from "./errors.ts";
import { Pauses, type Wait } from "./pauses.ts";

/** A connection that holds. */
export interface Line {
  readonly client: MqttClient;
  readonly ended: AbortSignal;
}

/** Milliseconds for a broker to close what was said goodbye to. */
const GOODBYE = 1000;

/** The connection to a broker, taken up anew at growing pauses whenever it has ended, whether there is a notice or not. */
export class BrokerLink {
  readonly #open: (signal: AbortSignal) => Promise<MqttClient>;
  readonly #pauses: Pauses;
  readonly #stop = new AbortController();
  #told: Told | undefined;
  #running: Promise<void> | undefined;
  #line = Promise.withResolvers<Line>();

  /** @param open - Connects once. */
  constructor(open: (signal: AbortSignal) => Promise<MqttClient>, wait?: Wait) {
    this.#open = open;
    this.#pauses = new Pauses(wait);
  }

  start(told?: Told): void {
    this.#told ??= told;
    this.#running ??= this.#run();
  }

  /** Waits until it holds. @throws the reason of the signal. */
  up(signal: AbortSignal): Promise<Line> {
    this.start();
    return orAborted(this.#line.promise, signal);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let isDown = false; !signal.aborted; await this.#pauses.pass(signal)) {
      try {
        const client = await this.#open(signal);
        if (isDown) this.#told?.works();
        isDown = false;
        await this.#hold(client, signal);
      } catch (error) {
        if (signal.aborted) return;
        isDown = true;
        this.#told?.failed(error);
      }
    }
  }

  /** @throws DeliveryFailedError when it ends by itself. */
  async #hold(client: MqttClient, signal: AbortSignal): Promise<void> {
    const since = performance.now();
    const ended = new AbortController();
    const closed = new Promise<void>((done) =>
      client.once("close", () => {
        this.#line = Promise.withResolvers();
        ended.abort();
        done();
      }),
    );
    this.#line.resolve({ client, ended: ended.signal });
    await orAborted(closed, signal).catch(() => undefined);
    this.#pauses.held(performance.now() - since);
    if (!signal.aborted) throw new DeliveryFailedError("the connection to the broker has ended");
    client.end();
    await Promise.race([closed, pause(GOODBYE, undefined, { ref: false })]);
    client.stream.destroy();
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, failed) => {
    const stop = (): void => failed(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    void promise.finally(() => signal.removeEventListener("abort", stop)).then(done, failed);
  });
}
