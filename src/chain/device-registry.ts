import { keccak256 } from "ethers";
import { DeviceRegistry__factory } from "../../typechain-types/factories/DeviceRegistry__factory.ts";
import type { DeviceRecord, Devices, DeviceStatus, Recall } from "../archive/devices.ts";
import { fromHex } from "../bytes/bytes.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { Hex } from "../consent/consent.ts";
import { NodeLiesError } from "./errors.ts";
import { readLogs, type Log } from "./logs.ts";
import { askPlain, checkChain, needBlock, toQuantity, type Rpc } from "./rpc.ts";

const registry = DeviceRegistry__factory.createInterface();
const ENROLLED = registry.getEvent("DeviceEnrolled").topicHash;
const RECALLED = registry.getEvent("ModelRecalled").topicHash;
const STATUS_OF: ReadonlyMap<string, DeviceStatus> = new Map([
  [ENROLLED, "active"],
  [registry.getEvent("DeviceSuspended").topicHash, "suspended"],
  [registry.getEvent("DeviceResumed").topicHash, "active"],
  [registry.getEvent("DeviceRetired").topicHash, "retired"],
]);
const NO_HEAD: Hex = `0x${"00".repeat(32)}`;

/** Where a registry is. */
export interface RegistryPlace {
  readonly chainId: number;
  readonly address: Hex;
  /** A block no later than the one that deployed it. */
  readonly block: number;
}

/**
 * All devices and recalls of a registry, from its events: the node does not learn which of them matters. Grows with `update`.
 */
export class RegistryDevices implements Devices {
  readonly #rpc: Rpc;
  readonly #address: Hex;
  readonly #devices = new Map<string, { modelId: Hex; changes: { time: number; status: DeviceStatus }[] }>();
  readonly #recalls = new Map<string, { head: Hex; notices: Recall[] }>();
  #next: number;

  /** @param first - A block no later than the one that deployed it. */
  constructor(rpc: Rpc, address: Hex, first = 0) {
    this.#rpc = rpc;
    this.#address = address;
    this.#next = first;
  }

  /** Takes in what the chain says up to the latest block. @returns its number. @throws ChainUnavailableError, NodeLiesError. */
  async update(): Promise<number> {
    const { number: latest } = await needBlock(this.#rpc, "latest");
    const times = new Map<number, number>();
    for await (const { to, logs } of readLogs(this.#rpc, this.#address, this.#next, latest)) {
      for (const log of logs) {
        // Before anything is taken in of the block, so that another try does not take it in twice.
        if (STATUS_OF.has(log.topics[0] ?? "") && !times.has(log.block))
          times.set(log.block, await timeOf(this.#rpc, log));
      }
      for (const log of logs) this.#take(log, times.get(log.block) ?? 0);
      this.#next = to + 1;
    }
    return latest;
  }

  #take(log: Log, time: number): void {
    const [topic = "", id = "", model] = log.topics;
    if (topic === RECALLED) {
      const { head, notices } = this.#recalls.get(id) ?? { head: NO_HEAD, notices: [] };
      this.#recalls.set(id, { head: follow(head, log, notices), notices });
      return;
    }
    const status = STATUS_OF.get(topic);
    if (status === undefined) return;
    if (topic === ENROLLED && model !== undefined) this.#devices.set(id, { modelId: model, changes: [] });
    const device = this.#devices.get(id);
    if (!device) throw new NodeLiesError("a device changes that was never enrolled");
    device.changes.push({ time, status });
  }

  /** Holds the notices of each model against its head on chain. @throws NodeLiesError when one was left out or made up; ChainUnavailableError. */
  async checkRecalls(block: number): Promise<void> {
    // Of every model, so that nobody learns from the questions which one matters.
    const models = new Set([...this.#recalls.keys(), ...[...this.#devices.values()].map(({ modelId }) => modelId)]);
    for (const model of models) {
      const data = registry.encodeFunctionData("recallHeadOf", [model]);
      const head = await askPlain(this.#rpc, "eth_call", [{ to: this.#address, data }, toQuantity(block)]);
      if (head !== (this.#recalls.get(model)?.head ?? NO_HEAD))
        throw new NodeLiesError("the recalls it lists do not lead to the model's head");
    }
  }

  recordOf(deviceId: Hex): DeviceRecord | undefined {
    return this.#devices.get(deviceId);
  }

  recallsOf(modelId: Hex): readonly Recall[] {
    return this.#recalls.get(modelId)?.notices ?? [];
  }

  /** When the device ended for good, unix seconds; a rotated one goes on under another id. */
  endOf(deviceId: Hex): number | undefined {
    return this.#devices.get(deviceId)?.changes.find(({ status }) => status === "retired")?.time;
  }
}

/**
 * What a registry says of devices and recalls, held against the chain.
 *
 * @throws NodeLiesError when a notice was left out or made up; ChainUnavailableError.
 */
export async function readDevices(rpc: Rpc, { chainId, address, block }: RegistryPlace): Promise<Devices> {
  await checkChain(rpc, chainId);
  const devices = new RegistryDevices(rpc, address, block);
  await devices.checkRecalls(await devices.update());
  return devices;
}

/** Adds the notice, and gives the head after it as DeviceRegistry does. */
function follow(head: Hex, { data, topics }: Log, notices: Recall[]): Hex {
  const [, from, to, since, claimed] = registry.decodeEventLog("ModelRecalled", data, [...topics]) as unknown as [
    string,
    bigint,
    bigint,
    bigint,
    string,
  ];
  notices.push({ firmwareFrom: Number(from), firmwareTo: Number(to), anchoredFrom: Number(since) });
  const packed = new ByteWriter().fixed(fromHex(head), 32).uint(from, 4).uint(to, 4).uint(since, 6).finish();
  const after = keccak256(packed) as Hex;
  if (after !== claimed) throw new NodeLiesError("a recall does not follow the one before it");
  return after;
}

async function timeOf(rpc: Rpc, { block, blockHash }: Log): Promise<number> {
  const header = await needBlock(rpc, block);
  if (header.hash !== blockHash) throw new NodeLiesError("an event lies in a block that is not part of the chain");
  return header.timestamp;
}
