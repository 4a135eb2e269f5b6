import { hex } from "../../src/bytes/bytes.ts";
import { proveChunk, proveEntry } from "../../src/archive/proof.ts";
import type { Deployment } from "../../src/chain/deployment.ts";
import type { ReadBatch } from "../../src/grantee/read.ts";
import { parseInstant } from "../../src/observation/instant.ts";
import type { Observation, Value } from "../../src/observation/observation.ts";
import type { Window } from "./times.ts";

export type Format = "csv" | "ndjson" | "fhir";
type Write = (text: string) => void;
type Writer = (batches: readonly ReadBatch[], window: Window, deployment: Deployment, write: Write) => void;

const EXTENSION = "urn:medseal:proof";

function* readings(
  batches: readonly ReadBatch[],
  { from, to }: Window,
): Generator<{ observation: Observation; proof: () => object }> {
  for (const batch of batches) {
    for (const [i, chunk] of (batch.chunks ?? []).entries()) {
      const wanted = chunk.observations
        .map(({ time }) => parseInstant(time)?.seconds ?? 0)
        .map((at) => at >= from && at < to);
      if (!wanted.includes(true)) continue;
      const proofs = proveChunk(chunk);
      for (const [k, observation] of chunk.observations.entries())
        if (wanted[k]) yield { observation, proof: () => proofOf(batch, i, proofs[k]!) };
    }
  }
}

function proofOf({ header, found }: ReadBatch, chunk: number, leaf: ReturnType<typeof proveChunk>[number]): object {
  const entry = proveEntry(found);
  return {
    salt: hex(leaf.salt),
    leaf: { index: leaf.index, count: leaf.count, path: leaf.path.map(hex) },
    chunkRoot: hex(header.chunks[chunk]?.root ?? new Uint8Array(0)),
    header: hex(found.entry.header),
    entry: { tag: hex(entry.entry.tag), index: entry.index, size: entry.size, path: entry.path.map(hex) },
    checkpoint: { index: found.anchored.index, transaction: found.anchored.transaction, block: found.anchored.block },
  };
}

export const textOf = (value: Value): string => {
  if (value.kind === "quantity") return `${value.comparator}${value.decimal}`;
  if (value.kind === "boolean") return String(value.value);
  return value.kind === "sampled" ? value.sampled.data : "";
};

const cell = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

const csv: Writer = (batches, window, _deployment, write) => {
  write("time,system,code,component,unit,value,missing\r\n");
  for (const { observation } of readings(batches, window)) {
    const { time, channel, value } = observation;
    const { code, component, unit } = channel;
    const missing = value.kind === "missing" ? value.reason : "";
    write(
      `${[time, code.system, code.code, component?.code ?? "", unit, textOf(value), missing].map(cell).join(",")}\r\n`,
    );
  }
};

const ndjson: Writer = (batches, window, _deployment, write) => {
  for (const { observation, proof } of readings(batches, window))
    write(`${JSON.stringify({ ...observation, proof: proof() })}\n`);
};

/** A FHIR R4 Bundle of type collection, one Observation a reading; what shows it to be anchored is an extension. */
const fhir: Writer = (batches, window, { chainId, contracts }, write) => {
  write(`{"resourceType":"Bundle","type":"collection","entry":[`);
  let first = true;
  for (const { observation, proof } of readings(batches, window)) {
    const { channel, time, status, value } = observation;
    const { code, component, unit } = channel;
    const measured = component
      ? { component: [{ code: { coding: [component] }, ...valueOf(value, unit) }] }
      : valueOf(value, unit);
    const anchored = JSON.stringify({ chainId, recordAnchor: contracts.RecordAnchor.address, ...proof() });
    const resource = {
      resourceType: "Observation",
      extension: [{ url: EXTENSION, valueString: anchored }],
      status,
      code: { coding: [code] },
      effectiveDateTime: time,
      ...measured,
    };
    write(`${first ? "" : ","}\n{"resource":${numbers(resource)}}`);
    first = false;
  }
  write("\n]}\n");
};

const UNITS = "http://unitsofmeasure.org";
/** Stands before the text of a decimal, so that it comes out as a JSON number with just these digits. */
const NUMBER = "\u0000number:";

function valueOf(value: Value, unit: string): object {
  if (value.kind === "missing")
    return {
      dataAbsentReason: {
        coding: [{ system: "http://terminology.hl7.org/CodeSystem/data-absent-reason", code: value.reason }],
      },
    };
  if (value.kind === "boolean") return { valueBoolean: value.value };
  const named = unit === "" ? {} : { unit, system: UNITS, code: unit };
  if (value.kind === "quantity")
    return {
      valueQuantity: {
        value: NUMBER + value.decimal,
        ...(value.comparator === "" ? {} : { comparator: value.comparator }),
        ...named,
      },
    };
  const { origin, period, factor, lowerLimit, upperLimit, dimensions, data } = value.sampled;
  const limit = (name: string, limitText: string): object => (limitText === "" ? {} : { [name]: NUMBER + limitText });
  return {
    valueSampledData: {
      origin: { value: NUMBER + origin, ...named },
      period: NUMBER + period,
      ...limit("factor", factor),
      ...limit("lowerLimit", lowerLimit),
      ...limit("upperLimit", upperLimit),
      dimensions,
      data,
    },
  };
}

/** JSON in which marked texts are numbers, digit for digit. */
const numbers = (value: object): string => JSON.stringify(value).replaceAll(/"\\u0000number:([^"]*)"/g, "$1");

export const FORMATS: Readonly<Record<Format, Writer>> = { csv, ndjson, fhir };
