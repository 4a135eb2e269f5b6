import { concat, keccak256, toBeHex, ZeroAddress, ZeroHash } from "ethers";
import { change, mapped, put, putHistory, standingAt, type Change, type Outcome, type Slots } from "./outcome.ts";

/** As the interface counts them. */
export const DEVICE_STATUS = { unknown: 0, active: 1, suspended: 2, retired: 3 } as const;
const { unknown, active, suspended, retired } = DEVICE_STATUS;

export interface Enrolled {
  readonly key: { readonly x: string; readonly y: string };
  readonly modelId: string;
  readonly serial: string;
}

interface Device extends Enrolled {
  readonly enrolledAt: number;
  readonly changes: Change<number>[];
  custodian: string;
  offeredTo: string;
}

/** Reference model of DeviceRegistry: a device is what it was enrolled with, who answers for it, and what it was from when on. */
export class DeviceModel {
  readonly devices = new Map<string, Device>();
  readonly recallHeads = new Map<string, string>();
  readonly #may: (caller: string, method: string) => boolean;

  /** @param may - Whether the caller has the role that the authority asks for this function. */
  constructor(may: (caller: string, method: string) => boolean) {
    this.#may = may;
  }

  statusAt(id: string, time: number, now: number): number {
    const device = this.devices.get(id);
    if (device === undefined || time < device.enrolledAt || time > now) return unknown;
    return standingAt(device.changes, time) ?? active;
  }

  enroll(by: string, id: string, terms: Enrolled & { custodian: string }, proven: boolean, now: number): Outcome {
    if (!this.#may(by, "enroll")) return "AccessManagedUnauthorized";
    if (terms.modelId === ZeroHash) return "DeviceModelMissing";
    if (terms.serial === ZeroHash) return "DeviceSerialMissing";
    if (terms.custodian === ZeroAddress) return "DeviceCustodianMissing";
    return this.#enroll(id, terms, proven, now);
  }

  suspend(by: string, id: string, now: number): Outcome {
    if (!this.#mayOrAnswersFor(by, "suspend", id)) return "AccessManagedUnauthorized";
    if (this.statusAt(id, now, now) !== active) return "DeviceNotActive";
    change(this.#at(id).changes, now, suspended);
    return [["DeviceSuspended", id]];
  }

  resume(by: string, id: string, now: number): Outcome {
    if (!this.#may(by, "resume")) return "AccessManagedUnauthorized";
    if (this.statusAt(id, now, now) !== suspended) return "DeviceNotSuspended";
    change(this.#at(id).changes, now, active);
    return [["DeviceResumed", id]];
  }

  retire(by: string, id: string, now: number): Outcome {
    if (!this.#mayOrAnswersFor(by, "retire", id)) return "AccessManagedUnauthorized";
    if (!this.#isInService(id, now)) return "DeviceNotInService";
    change(this.#at(id).changes, now, retired);
    return [["DeviceRetired", id]];
  }

  rotate(by: string, id: string, nextId: string, key: Enrolled["key"], proven: boolean, now: number): Outcome {
    if (!this.#may(by, "rotate")) return "AccessManagedUnauthorized";
    if (!this.#isInService(id, now)) return "DeviceNotInService";
    const { modelId, serial, custodian } = this.#at(id);
    const wasSuspended = this.statusAt(id, now, now) === suspended;
    const enrolled = this.#enroll(nextId, { key, modelId, serial, custodian }, proven, now);
    if (typeof enrolled === "string") return enrolled;
    if (wasSuspended) change(this.#at(nextId).changes, now, suspended);
    change(this.#at(id).changes, now, retired);
    const kept = wasSuspended ? ([["DeviceSuspended", nextId]] as const) : [];
    return [...enrolled, ...kept, ["DeviceRetired", id], ["DeviceRotated", id, nextId]];
  }

  recall(by: string, modelId: string, from: number, to: number, anchoredFrom: number, now: number): Outcome {
    if (!this.#may(by, "recall")) return "AccessManagedUnauthorized";
    if (modelId === ZeroHash) return "DeviceModelMissing";
    if (from > to) return "RecallRangeEmpty";
    if (anchoredFrom > now) return "RecallInFuture";
    const before = this.recallHeads.get(modelId) ?? ZeroHash;
    const head = keccak256(concat([before, toBeHex(from, 4), toBeHex(to, 4), toBeHex(anchoredFrom, 6)]));
    this.recallHeads.set(modelId, head);
    return [["ModelRecalled", modelId, from, to, anchoredFrom, head]];
  }

  offerCustody(by: string, id: string, offeredTo: string, now: number): Outcome {
    if (!this.#isInService(id, now)) return "DeviceNotInService";
    const device = this.#at(id);
    if (device.custodian !== by) return "DeviceCustodyNotHeld";
    device.offeredTo = offeredTo;
    return [["CustodyOffered", id, by, offeredTo]];
  }

  acceptCustody(by: string, id: string, now: number): Outcome {
    if (!this.#may(by, "acceptCustody")) return "AccessManagedUnauthorized";
    if (!this.#isInService(id, now)) return "DeviceNotInService";
    const device = this.#at(id);
    if (device.offeredTo !== by) return "DeviceCustodyNotOffered";
    const from = device.custodian;
    device.custodian = by;
    device.offeredTo = ZeroAddress;
    return [["CustodyAccepted", id, from, by]];
  }

  /** docs/contracts.md, DeviceRegistry, storage. */
  slots(authority: string): Slots {
    const slots: Slots = new Map();
    put(slots, mapped(0), authority);
    for (const [id, { key, modelId, serial, custodian, enrolledAt, offeredTo, changes }] of this.devices) {
      const answers = BigInt(custodian) | (BigInt(enrolledAt) << 160n);
      put(slots, mapped(1, id), key.x, key.y, modelId, serial, answers, offeredTo);
      putHistory(slots, mapped(2, id), changes, BigInt);
    }
    for (const [modelId, head] of this.recallHeads) put(slots, mapped(3, modelId), head);
    return slots;
  }

  #enroll(id: string, terms: Enrolled & { custodian: string }, proven: boolean, now: number): Outcome {
    if (this.devices.has(id)) return "DeviceEnrolledAlready";
    if (!proven) return "DeviceProofInvalid";
    this.devices.set(id, { ...terms, enrolledAt: now, changes: [], offeredTo: ZeroAddress });
    const { x, y } = terms.key;
    return [["DeviceEnrolled", id, terms.modelId, terms.custodian, [x, y], terms.serial]];
  }

  #mayOrAnswersFor(by: string, method: string, id: string): boolean {
    return this.devices.get(id)?.custodian === by || this.#may(by, method);
  }

  #isInService(id: string, now: number): boolean {
    return ([active, suspended] as number[]).includes(this.statusAt(id, now, now));
  }

  #at(id: string): Device {
    const device = this.devices.get(id);
    if (device === undefined) throw new Error(`no device ${id}`);
    return device;
  }
}
