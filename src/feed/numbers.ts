import { Metrics } from "./metrics.ts";

/** Every number that a gateway tells, with what it means. */
const FAMILIES: Readonly<Record<string, readonly ["counter" | "gauge", string]>> = {
  medseal_readings_stored_total: ["counter", "Readings in the journal, by source."],
  medseal_messages_refused_total: [
    "counter",
    "Messages that were not kept and must be sent again, by source and code.",
  ],
  medseal_readings_quarantined_total: ["counter", "Readings kept apart and not sealed, by source and code."],
  medseal_readings_held_total: ["counter", "Readings that were stored and may not be written any more, by code."],
  medseal_messages_skewed_total: ["counter", "Messages of devices whose clock is off, by source."],
  medseal_turned_away_total: ["counter", "Connections that were turned away, by code."],
  medseal_connections: ["gauge", "Open connections, by source."],
  medseal_messages_unsealed: ["gauge", "Messages that wait to be sealed."],
  medseal_messages_under_way: ["gauge", "Messages that are sealed and not anchored for good."],
  medseal_journal_commits_total: ["counter", "Commits of the journal with its twin."],
  medseal_journal_commit_seconds_total: ["counter", "Time that they took."],
  medseal_batches_sealed_total: ["counter", "Sealed batches, and mail, so far."],
  medseal_batches_waiting: ["gauge", "Sealed batches that wait for a checkpoint."],
  medseal_checkpoints_decided: ["gauge", "Checkpoints decided on so far."],
  medseal_checkpoints_final: ["gauge", "Checkpoints anchored for good so far."],
  medseal_generations_retired_total: ["counter", "Generations left because a consent ended."],
  medseal_gas_total: ["counter", "Gas of the transactions of this process."],
  medseal_monitor_connected: ["gauge", "Whether the monitor beside the gateway is there."],
  medseal_monitor_behind: ["gauge", "Messages that the monitor is not known to have."],
  medseal_monitor_sent_total: ["counter", "Messages sent to the monitor, again after a cut connection."],
  medseal_monitor_given_up_total: ["counter", "Messages that were dropped before the monitor had them."],
  medseal_last_success_seconds: ["gauge", "When each step last succeeded, unix time."],
};

export function gatewayMetrics(): Metrics {
  const metrics = new Metrics();
  for (const [name, [type, help]] of Object.entries(FAMILIES)) metrics.family(name, type, help);
  return metrics;
}
