import { DeviceRegistry__factory } from "../../typechain-types/factories/DeviceRegistry__factory.ts";
import type { Hex } from "../consent/consent.ts";
import { readLogs } from "./logs.ts";
import { needBlock, type Rpc } from "./rpc.ts";

const events = DeviceRegistry__factory.createInterface();
/** Both end a device for good; a rotated one goes on under another id. */
const ENDS: readonly string[] = ["DeviceRetired", "DeviceRotated"].map(
  (name) => events.getEvent(name as "DeviceRetired").topicHash,
);

/** When the devices of a registry ended. All of its events are read, so that the node does not learn which is asked for. */
export class DeviceEnds {
  readonly #rpc: Rpc;
  readonly #registry: Hex;
  readonly #ends = new Map<string, number>();
  #next = 0;

  constructor(rpc: Rpc, registry: Hex) {
    this.#rpc = rpc;
    this.#registry = registry;
  }

  /** Takes in what the chain says up to the latest block. @throws ChainUnavailableError, NodeLiesError. */
  async update(): Promise<void> {
    const { number: latest } = await needBlock(this.#rpc, "latest");
    for await (const { logs } of readLogs(this.#rpc, this.#registry, this.#next, latest)) {
      for (const { topics, block } of logs) {
        const [topic = "", device = ""] = topics;
        if (ENDS.includes(topic)) this.#ends.set(device, (await needBlock(this.#rpc, block)).timestamp);
      }
    }
    this.#next = latest + 1;
  }

  /** Unix seconds. */
  endOf(device: Hex): number | undefined {
    return this.#ends.get(device);
  }
}
