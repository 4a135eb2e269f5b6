import type { Alert, Worse } from "../alerts/alert.ts";
import type { Entry } from "./entry.ts";
import type { Raise } from "./once.ts";
import type { KeptRaise } from "./raises.ts";
import { alertName, type CarePlan } from "./plan.ts";

/** What one responder is told of one alert, once. */
export interface Notice {
  /** The same however often it is delivered: who receives it twice knows by it. */
  readonly id: string;
  readonly kind: "notified" | "escalated";
  /** As an answer names it. */
  readonly alert: string;
  readonly patient: string;
  readonly rule: string;
  readonly level: number;
  /** Where they are asked as it got worse. */
  readonly worse?: Worse;
  /** The responder's name. */
  readonly to: string;
  /** What an acknowledgement on chain needs; only for who answers there. */
  readonly onChain?: Raise & { readonly slot: number };
  /** Milliseconds. */
  readonly raisedAt: number;
  readonly at: number;
}

export function noticesOf(
  plan: CarePlan,
  entries: readonly Entry[],
  alerts: readonly Alert[],
  raises: readonly KeptRaise[],
): Notice[] {
  return entries.flatMap((entry): Notice[] => {
    if (entry.kind !== "event") return [];
    const { event, level, n } = entry;
    if (event.kind !== "notified" && event.kind !== "escalated") return [];
    const alert = alerts.find(({ id }) => id === event.alert);
    if (alert === undefined) return [];
    const { rule, raisedAt } = alert;
    const name = alertName(plan, alert.id);
    const id = `${plan.id}/${n}`;
    const raise =
      plan.onChain?.responder === event.to
        ? raises.findLast((one) => one.plan === plan.id && one.alert === alert.id)
        : undefined;
    const onChain = raise && { onChain: { plan: raise.plan, n: raise.n, slot: raise.slot } };
    return [
      {
        id,
        kind: event.kind,
        alert: name,
        patient: plan.patient,
        rule,
        level,
        ...(event.worse === undefined ? {} : { worse: event.worse }),
        to: event.to,
        raisedAt,
        at: event.at,
        ...onChain,
      },
    ];
  });
}
