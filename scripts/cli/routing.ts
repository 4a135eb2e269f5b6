import type { Gateway } from "../../src/gateway/gateway.ts";
import type { LeasedStream } from "../../src/gateway/leave.ts";
import type { Release } from "../../src/envelope/payload.ts";
import { UsageError } from "../../src/errors.ts";
import { hex } from "../../src/bytes/bytes.ts";
import { parseInstant } from "../../src/observation/instant.ts";
import { channelKey, type Observation } from "../../src/observation/observation.ts";
import { senderOf } from "./people.ts";
import type { Vault } from "./vault.ts";

type Leased = LeasedStream & { readonly lease: Release };

/** Where a reading of one patient goes; undefined when no lease covers its channel. */
export type Route = (observation: Observation) => LeasedStream | undefined;

/**
 * The leases in force of one patient, by channel. Of several leases on one stream that one counts whose window holds the reading, the newest of
 * these.
 *
 * @param patient - The contact's name; may be left out where one patient alone has leases in force.
 * @param stream - Only this one of their streams.
 * @throws UsageError where it is not plain whose readings these are, or into which stream they go: that is never guessed.
 */
export function routeOf(
  vault: Vault,
  gateway: Gateway,
  patient: string | undefined,
  stream: string | undefined,
): Route {
  const leased = gateway.streams().map((one) => ({ ...one, name: senderOf(vault, one.lease).name }));
  const patients = [...new Set(leased.map(({ name }) => name))];
  if (patients.length === 0)
    throw new UsageError("no lease is in force here", { hint: "ask a patient for one: medseal gateway accept FILE" });
  if (patient === undefined && patients.length > 1)
    throw new UsageError("several patients have leases here", {
      hint: `say whose recording it is: --patient ${patients.map((name) => JSON.stringify(name)).join(" | ")}`,
    });
  const whose = patient ?? patients[0];
  const mine = leased.filter((one) => one.name === whose && (stream === undefined || one.stream.name === stream));
  if (mine.length === 0)
    throw new UsageError(
      `no lease of ${JSON.stringify(whose)} is in force here${stream === undefined ? "" : " for this stream"}`,
      {
        hint: `there are leases of ${patients.join(", ")}`,
      },
    );
  const byChannel = new Map<string, Leased[]>();
  for (const one of mine) {
    for (const channel of one.stream.channels) {
      const others = byChannel.get(channelKey(channel)) ?? [];
      const other = others.find(({ stream: { id } }) => hex(id) !== hex(one.stream.id));
      if (other)
        throw new UsageError(`two streams of ${JSON.stringify(whose)} take the same readings`, {
          hint: `say which: --stream ${JSON.stringify(other.stream.name)} | ${JSON.stringify(one.stream.name)}`,
        });
      byChannel.set(channelKey(channel), [...others, one]);
    }
  }
  for (const some of byChannel.values()) some.sort((a, b) => b.lease.issuedAt - a.lease.issuedAt);
  return ({ channel, time }) => {
    const some = byChannel.get(channelKey(channel));
    if (some === undefined || some.length === 1) return some?.[0];
    const at = parseInstant(time)?.seconds ?? 0;
    return (
      some.find(
        ({ lease }) => lease.chain.at(-1)!.consent.dataStart <= at && at < lease.chain.at(-1)!.consent.dataEnd,
      ) ?? some[0]
    );
  };
}
