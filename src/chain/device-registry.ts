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
 * All devices and recalls of a registry, from its events: the node does not learn which of them matters. The notices of each model are checked
 * against its head on chain.
 *
 * @throws NodeLiesError when a notice was left out or made up; ChainUnavailableError.
 */
export async function readDevices(rpc: Rpc, { chainId, address, block: first }: RegistryPlace): Promise<Devices> {
  await checkChain(rpc, chainId);
  const latest = await needBlock(rpc, "latest");
  const devices = new Map<string, { modelId: Hex; changes: { time: number; status: DeviceStatus }[] }>();
  const recalls = new Map<string, { head: Hex; notices: Recall[] }>();
  const times = new Map<number, number>();
  for await (const { logs } of readLogs(rpc, address, first, latest.number)) {
    for (const log of logs) {
      const [topic = "", id = "", model] = log.topics;
      if (topic === RECALLED) {
        const { head, notices } = recalls.get(id) ?? { head: NO_HEAD, notices: [] };
        recalls.set(id, { head: follow(head, log, notices), notices });
        continue;
      }
      const status = STATUS_OF.get(topic);
      if (status === undefined) continue;
      if (topic === ENROLLED && model !== undefined) devices.set(id, { modelId: model, changes: [] });
      const device = devices.get(id);
      if (!device) throw new NodeLiesError("a device changes that was never enrolled");
      if (!times.has(log.block)) times.set(log.block, await timeOf(rpc, log));
      device.changes.push({ time: times.get(log.block) as number, status });
    }
  }
  // Of every model, so that nobody learns from the questions which one matters.
  const models = new Set([...recalls.keys(), ...[...devices.values()].map(({ modelId }) => modelId)]);
  for (const model of models) {
    const data = registry.encodeFunctionData("recallHeadOf", [model]);
    const head = await askPlain(rpc, "eth_call", [{ to: address, data }, toQuantity(latest.number)]);
    if (head !== (recalls.get(model)?.head ?? NO_HEAD))
      throw new NodeLiesError("the recalls it lists do not lead to the model's head");
  }
  return {
    recordOf: (deviceId): DeviceRecord | undefined => devices.get(deviceId),
    recallsOf: (modelId) => recalls.get(modelId)?.notices ?? [],
  };
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
