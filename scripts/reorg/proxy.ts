import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { keccak256 } from "ethers";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

type Roll = (below: number) => number;
type Json = Record<string, unknown>;

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What becomes of a call that is not answered as it should be. */
const TROUBLES = ["dropped", "dropped after", "delayed", "duplicated", "reordered", "lied"] as const;
export type Trouble = (typeof TROUBLES)[number];

/** Percent of the calls that meet with trouble, and milliseconds of the longest delay. */
const SHARE = 30;
const LONGEST = 40;

/** A node between a client and a chain client, which does 30 % of its calls badly. */
export interface Proxy {
  readonly url: string;
  readonly calls: () => number;
  readonly troubles: Readonly<Record<Trouble, number>>;
  close(): Promise<void>;
}

/** A chain client. @throws what it answers as an error. */
export type Upstream = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** @param roll - Without it, all calls are done well. */
export async function startProxy(upstream: Upstream, roll: Roll | undefined): Promise<Proxy> {
  const troubles = Object.fromEntries(TROUBLES.map((name) => [name, 0])) as Record<Trouble, number>;
  const liar = new Liar(upstream, roll ?? (() => 0));
  let calls = 0;

  async function answer(call: Call): Promise<Json | undefined> {
    calls += 1;
    if (!roll || roll(100) >= SHARE) return liar.truth(call);
    const trouble = TROUBLES[roll(TROUBLES.length)] as Trouble;
    troubles[trouble] += 1;
    switch (trouble) {
      case "dropped":
        return undefined;
      case "dropped after":
        await liar.truth(call);
        return undefined;
      case "delayed":
        await pause(roll(LONGEST));
        return liar.truth(call);
      case "duplicated":
        await liar.truth(call);
        return liar.truth(call);
      case "reordered": {
        // What comes after it is answered first.
        const later = liar.truth(call);
        await pause(roll(LONGEST));
        return later;
      }
      case "lied":
        return liar.lie(call);
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void handle(Buffer.concat(chunks).toString(), response));
  });

  async function handle(text: string, response: ServerResponse): Promise<void> {
    const asked = JSON.parse(text) as Call | Call[];
    const answers = await Promise.all([asked].flat().map(answer)).catch(() => [undefined]);
    if (answers.some((one) => one === undefined)) {
      response.destroy();
      return;
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(Array.isArray(asked) ? answers : answers[0]));
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    troubles,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Wrong answers that look like right ones. */
class Liar {
  readonly #upstream: Upstream;
  readonly #roll: Roll;
  /** By question, what was true before. */
  readonly #past = new Map<string, unknown[]>();

  constructor(upstream: Upstream, roll: Roll) {
    this.#upstream = upstream;
    this.#roll = roll;
  }

  async truth(call: Call): Promise<Json> {
    const about = { jsonrpc: "2.0", id: call.id };
    let result: unknown;
    try {
      result = await this.#upstream(call.method, call.params);
    } catch (error) {
      const { code, message, data } = error as Json;
      return { ...about, error: { code, message, data } };
    }
    const past = this.#past.get(keyOf(call)) ?? [];
    this.#past.set(keyOf(call), [...past, result].slice(-8));
    return { ...about, result };
  }

  async lie(call: Call): Promise<Json> {
    const told = (result: unknown): Json => ({ jsonrpc: "2.0", id: call.id, result });
    switch (call.method) {
      case "eth_sendRawTransaction": {
        // Says that it has it, and throws it away; or has it, and says that it has not.
        if (this.#roll(2) === 0) return told(keccak256(call.params[0] as string));
        await this.truth(call);
        return { jsonrpc: "2.0", id: call.id, error: { code: -32000, message: "internal error" } };
      }
      case "eth_getLogs":
        return told([]);
      case "eth_getTransactionReceipt": {
        const { result } = await this.truth(call);
        if (result === null) return told(falseReceipt(call.params[0] as string));
        const { status } = result as Json;
        return told(this.#roll(2) === 0 ? null : { ...(result as Json), status: status === "0x1" ? "0x0" : "0x1" });
      }
      case "eth_getTransactionCount":
      case "eth_blockNumber":
        return told(this.#stale(call) ?? "0x0");
      case "eth_estimateGas":
        return told("0x5300");
      case "eth_gasPrice":
      case "eth_maxPriorityFeePerGas":
        return told("0xde0b6b3a7640000");
      case "eth_chainId":
        return told("0x1");
      case "eth_call":
        return told(this.#stale(call) ?? `0x${"0".repeat(64)}`);
      default:
        return told(this.#stale(call) ?? null);
    }
  }

  /** What it said to the same question before, such as which block is the latest. */
  #stale(call: Call): unknown {
    const past = this.#past.get(keyOf(call)) ?? [];
    return past[this.#roll(Math.max(1, past.length))];
  }
}

/** A question asked at another block is the same question. */
const keyOf = ({ method, params }: Call): string =>
  method === "eth_getBlockByNumber"
    ? `${method} ${/^0x/.test(String(params[0])) ? "some" : String(params[0])}`
    : `${method} ${JSON.stringify(params.slice(0, 1))}`;

const falseReceipt = (transactionHash: string): Json => ({
  transactionHash,
  status: "0x1",
  blockNumber: "0x1",
  gasUsed: "0x5208",
});
