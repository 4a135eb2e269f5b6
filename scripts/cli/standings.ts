import { RegistryDevices } from "../../src/chain/device-registry.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import type { Hex } from "../../src/consent/consent.ts";
import type { ConsentWatch } from "../../src/consent/watch.ts";
import type { CarePlan, Source } from "../../src/monitor/plan.ts";
import { standingAt, standingNow, type Standing } from "../../src/monitor/standing.ts";

/** What the chain says of the sources of care plans: consents as the ledger has them, devices as their registries do. */
export class Standings {
  readonly #rpc: Rpc;
  readonly #watch: ConsentWatch;
  readonly #registries = new Map<Hex, RegistryDevices>();

  constructor(rpc: Rpc, watch: ConsentWatch) {
    this.#rpc = rpc;
    this.#watch = watch;
  }

  /** @throws ChainUnavailableError, NodeLiesError. */
  async update(plans: readonly CarePlan[]): Promise<void> {
    const sources = plans.flatMap((plan) => plan.sources);
    if (sources.length === 0) return;
    await this.#watch.refresh();
    for (const registry of new Set(sources.flatMap(({ device }) => device?.registry ?? []))) {
      const ends = this.#registries.get(registry) ?? new RegistryDevices(this.#rpc, registry);
      this.#registries.set(registry, ends);
      await ends.update();
    }
  }

  /** @param time - Milliseconds, as below. */
  now(source: Source, time: number): Standing {
    return standingNow(source, this.#watch, this.#retiredAt, time / 1000);
  }

  at(source: Source, time: number): Standing {
    return standingAt(source, this.#watch, this.#retiredAt, time / 1000);
  }

  readonly #retiredAt = ({ registry, id }: NonNullable<Source["device"]>): number | undefined =>
    this.#registries.get(registry)?.endOf(id);
}
