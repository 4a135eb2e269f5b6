import { getBytes, ZeroAddress, ZeroHash } from "ethers";
import type { Hex } from "../../../src/consent/consent.ts";
import { highS, newDevice, proofOf, type Terms, type TestDevice } from "../devices.ts";
import { DeviceModel } from "./deviceModel.ts";
import type { World } from "./world.ts";

const MODELS = 4;
const KEPT = 12;

/** DeviceRegistry, among proofs of others, devices not the caller's, and offers withdrawn and replaced. */
export class DeviceSide {
  readonly model: DeviceModel;
  readonly #world: World;
  readonly #models: readonly string[];
  readonly #devices: TestDevice[] = [];

  constructor(world: World) {
    this.#world = world;
    this.model = new DeviceModel(world.may("DeviceRegistry"));
    this.#models = Array.from({ length: MODELS }, () => world.draw.word());
  }

  async step(): Promise<void> {
    const { draw } = this.#world;
    const device = this.#known();
    const act = draw.act([
      [4, () => this.#enroll()],
      [4, () => this.#suspend(device.id)],
      [4, () => this.#resume(device.id)],
      [2, () => this.#retire(device.id)],
      [2, () => this.#rotate(device)],
      [2, () => this.#recall()],
      [4, () => this.#offer(device.id)],
      [4, () => this.#accept(device.id)],
    ]);
    await act();
    await this.#look(device);
    await this.#look(this.#known());
  }

  whole(): Promise<void> {
    return this.#world.compareStorage("DeviceRegistry", this.model.slots(this.#world.authority));
  }

  async #enroll(): Promise<void> {
    const { draw, now } = this.#world;
    const device = draw.chance(0.85) ? this.#new() : this.#known();
    const terms: Terms = {
      modelId: draw.chance(0.95) ? (draw.of(this.#models) as Hex) : (ZeroHash as Hex),
      serial: (draw.chance(0.95) ? draw.word() : ZeroHash) as Hex,
      custodian: draw.chance(0.95) ? draw.of(this.#custodians()) : ZeroAddress,
    };
    const [proof, proven] = this.#proof(device, terms);
    const by = this.#world.holding("REGISTRAR");
    const { key, id } = device;
    const expected = this.model.enroll(by, id, { key, ...terms }, proven, now);
    await this.#act(by, "enroll", [key, terms.modelId, terms.serial, terms.custodian, proof], expected);
  }

  async #rotate(device: TestDevice): Promise<void> {
    const { draw, now } = this.#world;
    const next = draw.chance(0.9) ? this.#new() : this.#known();
    const enrolled = this.model.devices.get(device.id);
    const terms: Terms = {
      modelId: (enrolled?.modelId ?? ZeroHash) as Hex,
      serial: (enrolled?.serial ?? ZeroHash) as Hex,
      custodian: enrolled?.custodian ?? ZeroAddress,
      predecessorId: device.id,
    };
    const [proof, proven] = this.#proof(next, terms);
    const by = this.#world.holding("REGISTRAR");
    const expected = this.model.rotate(by, device.id, next.id, next.key, proven, now);
    await this.#act(by, "rotate", [device.id, next.key, proof], expected);
  }

  async #suspend(id: string): Promise<void> {
    const by = this.#protector(id);
    await this.#act(by, "suspend", [id], this.model.suspend(by, id, this.#world.now));
  }

  async #retire(id: string): Promise<void> {
    const by = this.#protector(id);
    await this.#act(by, "retire", [id], this.model.retire(by, id, this.#world.now));
  }

  async #resume(id: string): Promise<void> {
    const by = this.#world.holding("OFFICER");
    await this.#act(by, "resume", [id], this.model.resume(by, id, this.#world.now));
  }

  async #recall(): Promise<void> {
    const { draw, now } = this.#world;
    const by = this.#world.holding("PROTECTOR");
    const modelId = draw.chance(0.9) ? draw.of(this.#models) : ZeroHash;
    const [from, to] = [draw.below(10), draw.below(10) + (draw.chance(0.7) ? 10 : 0)];
    const anchoredFrom = draw.of([0, now - 1, now, now, now + 1]);
    const expected = this.model.recall(by, modelId, from, to, anchoredFrom, now);
    await this.#act(by, "recall", [modelId, from, to, anchoredFrom], expected);
    await this.#world.compare(
      "DeviceRegistry",
      "recallHeadOf",
      [modelId],
      this.model.recallHeads.get(modelId) ?? ZeroHash,
    );
  }

  async #offer(id: string): Promise<void> {
    const { draw, now } = this.#world;
    const by = draw.chance(0.8) ? this.#custodianOf(id) : draw.of(this.#custodians());
    const to = draw.chance(0.9) ? draw.of(this.#custodians()) : ZeroAddress;
    await this.#act(by, "offerCustody", [id, to], this.model.offerCustody(by, id, to, now));
  }

  async #accept(id: string): Promise<void> {
    const { draw, now } = this.#world;
    const offered = this.model.devices.get(id)?.offeredTo ?? ZeroAddress;
    const by = offered !== ZeroAddress && draw.chance(0.7) ? offered : draw.of(this.#custodians());
    await this.#act(by, "acceptCustody", [id], this.model.acceptCustody(by, id, now));
  }

  /** Everything about a device, now and at some time before or after, and whether a signature counts then. */
  async #look(seen: TestDevice): Promise<void> {
    const world = this.#world;
    const { draw, now } = world;
    const { id } = seen;
    const device = this.model.devices.get(id);
    const { key = { x: ZeroHash, y: ZeroHash }, modelId = ZeroHash, serial = ZeroHash } = device ?? {};
    const { custodian = ZeroAddress, enrolledAt = 0, offeredTo = ZeroAddress, changes = [] } = device ?? {};
    const stored = [[key.x, key.y], modelId, serial, custodian, enrolledAt, offeredTo];
    await world.compare("DeviceRegistry", "deviceOf", [id], stored);
    await world.compare("DeviceRegistry", "statusOf", [id], this.model.statusAt(id, now, now));
    const moments = [enrolledAt, now, ...changes.map(({ since }) => since)];
    const time = Math.max(0, draw.of(moments) + draw.of([-1, 0, 0, 1]));
    const status = this.model.statusAt(id, time, now);
    await world.compare("DeviceRegistry", "statusAt", [id, time], status);
    const [digest, good] = [draw.word(), draw.chance(0.8)];
    const signature = good ? seen.sign(digest) : draw.bytes(64);
    await world.compare("DeviceRegistry", "verifyBatch", [id, digest, signature, time], good && status === 1);
  }

  /** A proof of possession, three times in four a good one. */
  #proof(device: TestDevice, terms: Terms): readonly [proof: string, proven: boolean] {
    const { draw, chain, addresses } = this.#world;
    const at = { chainId: BigInt(chain.chainId), registry: addresses.DeviceRegistry as Hex };
    const good = proofOf(device, terms, at);
    const other = draw.of(this.#custodians());
    const bad = draw.of([
      () => proofOf(this.#stranger(), terms, at),
      () => proofOf(device, { ...terms, modelId: draw.word() as Hex }, at),
      () => proofOf(device, terms, { ...at, chainId: at.chainId + 1n }),
      () => proofOf(device, terms, { ...at, registry: addresses.PartyRegistry as Hex }),
      () => proofOf(device, { ...terms, predecessorId: draw.word() as Hex }, at),
      () => (other === terms.custodian ? "0x" : proofOf(device, { ...terms, custodian: other }, at)),
      () => highS(good),
      () => `${good}00`,
    ]);
    return draw.chance(0.75) ? [good, true] : [bad(), false];
  }

  #protector(id: string): string {
    return this.#world.draw.chance(0.3) ? this.#custodianOf(id) : this.#world.holding("PROTECTOR");
  }

  #custodianOf(id: string): string {
    return this.model.devices.get(id)?.custodian ?? this.#world.draw.of(this.#custodians());
  }

  /** Those with the role, and somebody without. */
  #custodians(): readonly string[] {
    const { callers } = this.#world;
    return callers.filter(({ role }) => role === "CUSTODIAN" || role === "REVIEWER").map(({ address }) => address);
  }

  /** Mostly one that is enrolled and not retired yet. */
  #known(): TestDevice {
    const { draw, now } = this.#world;
    const inService = this.#devices.filter(({ id }) => [1, 2].includes(this.model.statusAt(id, now, now)));
    const some = inService.length > 0 && draw.chance(0.85) ? inService : this.#devices;
    return some.length === 0 ? this.#new() : draw.of(some);
  }

  #new(): TestDevice {
    const { draw } = this.#world;
    const device = this.#stranger();
    this.#devices.push(device);
    if (this.#devices.length > KEPT) this.#devices.splice(draw.below(KEPT), 1);
    return device;
  }

  #stranger(): TestDevice {
    return newDevice((size) => getBytes(this.#world.draw.bytes(size)));
  }

  #act(by: string, method: string, args: readonly unknown[], expected: Parameters<World["act"]>[4]): Promise<void> {
    return this.#world.act(by, "DeviceRegistry", method, args, expected);
  }
}
