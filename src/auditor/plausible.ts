import { bandOf, unitFitsCode } from "../intake/units-of-codes.ts";
import type { Observation } from "../observation/observation.ts";
import { pointsOf } from "../observation/points.ts";
import { cidOf } from "../ipfs/cid.ts";
import type { Inspected } from "./window.ts";

/** A reading that no living body gives: a sensor, unit or code is wrong. As signed all the same, so nobody is blamed: no finding. */
export interface Flag {
  /** `unit`: its unit does not fit its code. `value`: it lies outside what a body can have. */
  readonly kind: "unit" | "value";
  /** As it stands in the source. */
  readonly time: string;
  readonly code: string;
  readonly unit: string;
  /** The value, of sampled data the first one; empty where the unit is at fault. */
  readonly value: string;
  /** CID of the batch it lies in. */
  readonly batch: string;
}

/** What is implausible among the readings of a batch, each reading once. Codes that the table does not know are not judged. */
export const flagsOf = ({ chunks = [], found }: Pick<Inspected, "chunks" | "found">): Flag[] =>
  chunks.flatMap(({ observations }) =>
    observations.flatMap((one): Flag[] => {
      const flag = judge(one);
      if (flag === undefined) return [];
      const { code, component, unit } = one.channel;
      return [{ ...flag, time: one.time, code: (component ?? code).code, unit, batch: cidOf(found.entry.batch) }];
    }),
  );

function judge(one: Observation): Pick<Flag, "kind" | "value"> | undefined {
  if (one.value.kind !== "quantity" && one.value.kind !== "sampled") return undefined;
  if (!unitFitsCode(one.channel)) return { kind: "unit", value: "" };
  const band = bandOf(one.channel);
  const outside = band && pointsOf(one).find(({ value }) => value < band[0] || value > band[1]);
  return outside && { kind: "value", value: outside.text };
}
