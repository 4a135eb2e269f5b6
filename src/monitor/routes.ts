import { measuredBy } from "../alerts/reading.ts";
import type { Measured } from "../alerts/told.ts";
import type { OfPatient } from "../feed/monitor-lines.ts";
import type { Fed } from "./desk-state.ts";
import type { CarePlan } from "./plan.ts";

const keyOf = ({ system, code, unit }: Measured): string => JSON.stringify([system, code, unit]);

/** Which plan a gateway's reading is for: those of the patient who let it be recorded, if one of their rules looks at it. */
export class PlanRoutes {
  readonly #byGrantor = new Map<string, { readonly plan: string; readonly channels: ReadonlySet<string> }[]>();

  /** @param plans - A later leave of the same patient to the same gateway has the same grantor as those that a plan names. */
  constructor(plans: readonly CarePlan[]) {
    for (const { id: plan, sources, watches } of plans) {
      const channels = new Set(watches.flatMap(({ rule }) => rule.inputs.map(keyOf)));
      for (const grantor of new Set(sources.flatMap(({ writes }) => writes.map((leave) => leave.grantor))))
        this.#byGrantor.set(grantor, [...(this.#byGrantor.get(grantor) ?? []), { plan, channels }]);
    }
  }

  /** The addresses of those who are watched. */
  get grantors(): readonly string[] {
    return [...this.#byGrantor.keys()];
  }

  /** What no rule looks at is passed over. */
  fed({ grantor, readings }: OfPatient): Fed[] {
    const plans = this.#byGrantor.get(grantor) ?? [];
    return readings.flatMap((recorded) => {
      const key = keyOf(measuredBy(recorded.channel));
      return plans.filter(({ channels }) => channels.has(key)).map(({ plan }) => ({ plan, recorded }));
    });
  }
}
