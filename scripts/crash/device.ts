import { setTimeout as pause } from "node:timers/promises";
import type { FeedClient, Sent } from "../../test/cli/feed.ts";

export const DEVICE = "monitor-7";

/** A device that keeps each message until it is acknowledged, and sends it again, byte for byte, when the gateway comes back. */
export class Device {
  readonly #begin: number;
  readonly #roll: (below: number) => number;
  readonly #open = new Map<number, Sent>();
  /** Time and value of each reading that was acknowledged. */
  readonly acknowledged = new Map<string, string>();
  readonly odd: string[] = [];
  /** Every message, as it was sent first. */
  readonly sent: Sent[] = [];
  #next = 0;
  #readings = 0;

  /** @param begin - Unix seconds at which its readings begin. */
  constructor(begin: number, roll: (below: number) => number) {
    this.#begin = begin;
    this.#roll = roll;
  }

  /** Sends what is open, then new messages, until told to stop or cut off. */
  async stream(client: FeedClient, stopped: () => boolean): Promise<void> {
    const sending = [...this.#open.values()].map((message) => this.#send(client, message));
    while (!stopped() && !client.closed) {
      if (this.#open.size < 48) sending.push(this.#send(client, this.#make()));
      await pause(this.#roll(8));
    }
    await Promise.all(sending);
  }

  /** Sends what is open. */
  async finish(client: FeedClient): Promise<void> {
    await Promise.all([...this.#open.values()].map((message) => this.#send(client, message)));
  }

  async #send(client: FeedClient, message: Sent): Promise<void> {
    const { level = "", code = "", quarantined } = await client.send(message);
    if (["gone", "refused"].includes(level)) return;
    if (!["stored", "replicated", "anchored"].includes(level) || quarantined) this.odd.push(`${level} ${code}`);
    for (const { effective, value } of message.readings as Reading[]) this.acknowledged.set(effective, String(value));
    this.#open.delete(message.counter);
  }

  #make(): Sent {
    const counter = this.#next++;
    const readings = Array.from({ length: 1 + this.#roll(4) }, (): Reading => {
      const at = this.#readings++;
      const effective = new Date(this.#begin * 1000 + 20 * at).toISOString();
      return { code: "8867-4", unit: "/min", value: 40 + (at % 160), effective };
    });
    const message = { device: DEVICE, counter, readings };
    this.#open.set(counter, message);
    this.sent.push(message);
    return message;
  }
}

interface Reading {
  readonly code: string;
  readonly unit: string;
  readonly value: number;
  readonly effective: string;
}
