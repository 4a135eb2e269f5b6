import type { StreamDescriptor } from "../../src/log/stream.ts";

const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** A stream in a line: what it measures, and how long its epochs are. */
export function describeStream({
  name,
  channels,
  epochLength,
}: Pick<StreamDescriptor, "name" | "channels" | "epochLength">): string {
  const what = channels.map(({ code, component, unit }) => {
    const measured = component === undefined ? code.code : `${code.code}/${component.code}`;
    return unit === "" ? measured : `${measured} in ${unit}`;
  });
  const [seconds, unit] = UNITS.find(([length]) => epochLength % length === 0)!;
  return `${name.padEnd(22)} ${what.join(", ")}; epochs of ${epochLength / seconds} ${unit}`;
}
