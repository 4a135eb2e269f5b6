import type { Alert } from "../alerts/alert.ts";
import type { Entry } from "./entry.ts";
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
  /** The responder's name. */
  readonly to: string;
  /** Milliseconds. */
  readonly raisedAt: number;
  readonly at: number;
}

export function noticesOf(plan: CarePlan, entries: readonly Entry[], alerts: readonly Alert[]): Notice[] {
  return entries.flatMap((entry): Notice[] => {
    if (entry.kind !== "event") return [];
    const { event, level, n } = entry;
    if (event.kind !== "notified" && event.kind !== "escalated") return [];
    const alert = alerts.find(({ id }) => id === event.alert);
    if (alert === undefined) return [];
    const { rule, raisedAt } = alert;
    const name = alertName(plan, alert.id);
    const id = `${plan.id}/${n}`;
    return [
      { id, kind: event.kind, alert: name, patient: plan.patient, rule, level, to: event.to, raisedAt, at: event.at },
    ];
  });
}
