import { hex0x } from "../../src/bytes/bytes.ts";
import { deviceIdOf } from "../../src/keys/signature.ts";
import type { Header } from "../../src/log/header.ts";
import type { Observation } from "../../src/observation/observation.ts";
import type { Shown } from "../../src/proof/check.ts";
import type { Proof } from "../../src/proof/proof.ts";
import { textOf } from "./readings.ts";
import { count, utc } from "./times.ts";

/** Everything that a proof shows to whoever holds it, for programs. */
export function shownObject({ place }: Proof, { header, reading, block }: Shown): object {
  return {
    chainId: Number(place.chainId),
    recordAnchor: hex0x(place.anchor),
    gateway: hex0x(place.gateway),
    stream: hex0x(place.stream),
    header: {
      generation: header.generation,
      epoch: header.epoch,
      n: header.n,
      sequence: header.sequence,
      previous: hex0x(header.previous),
      continues: hex0x(header.continues),
      last: header.last,
      late: header.late,
      earliest: header.earliest,
      latest: header.latest,
      batch: hex0x(header.batch),
      chunks: header.chunks.map((chunk) => ({
        device: hex0x(deviceIdOf(chunk.statement.deviceKey)),
        firmware: chunk.statement.firmware,
        counter: String(chunk.statement.counter),
        items: chunk.statement.items.length,
        count: chunk.count,
        missing: chunk.missing,
      })),
    },
    ...(reading && { reading }),
    anchoredBy: { block: block.number, hash: block.hash, time: block.timestamp },
  };
}

/** The same for people. */
export function shownLines({ place }: Proof, { header, reading, block }: Shown): string[] {
  return [
    ...(reading ? [`  reading  ${readingText(reading)}`] : []),
    `  header   ${header.n} of epoch ${header.epoch}, ${header.sequence} of generation ${header.generation}, of stream ${hex0x(place.stream)}`,
    `           times ${utc(header.earliest)} to ${utc(header.latest)}; ${flagsOf(header)}; names the headers before it by hash`,
    ...header.chunks.map(
      ({ statement, count: leaves, missing }, i) =>
        `  chunk ${i}  ${count(leaves - missing, "reading")} and ${missing} missing, signed by device ${hex0x(deviceIdOf(statement.deviceKey))}, firmware ${statement.firmware}, message ${statement.counter}`,
    ),
    `  gateway  ${hex0x(place.gateway)}, anchored by ${utc(block.timestamp)} (block ${block.number}, ${block.hash})`,
    `           in RecordAnchor ${hex0x(place.anchor)} of chain ${place.chainId}`,
  ];
}

function flagsOf({ last, late }: Header): string {
  return `${last ? "the last of its epoch so far" : "not the last of its epoch"}${late ? ", late" : ""}`;
}

function readingText({ channel, time, value }: Observation): string {
  const { code, component, unit } = channel;
  const what = [`${code.system}|${code.code}`, ...(component ? [`${component.system}|${component.code}`] : [])];
  const measured = value.kind === "missing" ? `missing (${value.reason})` : `${textOf(value)} ${unit}`.trim();
  return `${time}  ${what.join(" / ")}  ${measured}`;
}
