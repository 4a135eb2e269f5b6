import { hex0x } from "../bytes/bytes.ts";
import type { Hex } from "../consent/consent.ts";
import { deviceIdOf } from "../keys/signature.ts";
import type { Header } from "../log/header.ts";

/** What a device is at a time; as DeviceRegistry counts it, but for those that were never enrolled. */
export type DeviceStatus = "active" | "suspended" | "retired";

/** Why what a device signed is not to be relied on, by the time at which it was anchored. */
export type DeviceProblem = "device-not-enrolled" | "device-suspended" | "device-retired" | "device-recalled";

/** One device as a registry knows it. */
export interface DeviceRecord {
  /** Opaque id of its model. */
  readonly modelId: Hex;
  /** By ascending block time, in unix seconds; of several of one time the last counts. */
  readonly changes: readonly { readonly time: number; readonly status: DeviceStatus }[];
}

/** A public notice about a model. */
export interface Recall {
  /** Both included. */
  readonly firmwareFrom: number;
  readonly firmwareTo: number;
  /** Unix seconds: what was anchored then or later is concerned. */
  readonly anchoredFrom: number;
}

/** What a registry says of devices and models. */
export interface Devices {
  /** By device id; undefined when it was never enrolled, as the keys with which gateways sign for files without signatures. */
  recordOf(deviceId: Hex): DeviceRecord | undefined;
  recallsOf(modelId: Hex): readonly Recall[];
}

/** @param time - Of the anchor, unix seconds. @returns undefined before it was enrolled. */
export const statusAt = ({ changes }: DeviceRecord, time: number): DeviceStatus | undefined =>
  changes.findLast((change) => change.time <= time)?.status;

/**
 * What is to be said against the devices whose statements a header holds, each once. A device that is not enrolled is no problem by itself.
 *
 * @param anchoredAt - Block time of the anchor, unix seconds.
 */
export function deviceProblems(
  { chunks }: Pick<Header, "chunks">,
  anchoredAt: number,
  devices: Devices,
): DeviceProblem[] {
  const problems = new Set<DeviceProblem>();
  for (const { statement } of chunks) {
    const record = devices.recordOf(hex0x(deviceIdOf(statement.deviceKey)));
    if (!record) continue;
    const status = statusAt(record, anchoredAt);
    if (status !== "active") problems.add(status === undefined ? "device-not-enrolled" : `device-${status}`);
    const { firmware } = statement;
    const concerns = ({ firmwareFrom, firmwareTo, anchoredFrom }: Recall): boolean =>
      firmwareFrom <= firmware && firmware <= firmwareTo && anchoredFrom <= anchoredAt;
    if (devices.recallsOf(record.modelId).some(concerns)) problems.add("device-recalled");
  }
  return [...problems];
}
