import { LARGEST_CODE } from "./code-sizes.ts";
import type { GasReport } from "./gas.ts";
import type { GasRow } from "./floor.ts";
import type { Published } from "./published.ts";

/** Width of the column of names. */
const NAME = 48;
/** What a new slot costs more under Amsterdam's rules, as Hardhat has them (EIP-8037). */
const NEW_SLOT_MORE = 80_820;

const KINDS = ["anchor", "grant", "relayed", "revoke", "register"] as const satisfies readonly (keyof Published)[];

type Cell = number | string | undefined;

/** The report as a table for people. */
export function gasTable(report: GasReport): string {
  return [
    ...functions(report),
    "",
    ...peers(report),
    "",
    ...published(report),
    "",
    line("P-256 in Solidity", "gas", "times"),
    ...Object.entries(report.withoutPrecompile).map(([name, { gas, times }]) => line(name, gas, times.toFixed(1))),
    "",
    line("an item of a list costs", "gas", "", "from", "to"),
    ...Object.entries(report.lists).map(([name, { item, gasAnItem, few, many }]) =>
      line(`${name}: each ${item}`, gasAnItem, "", few, many),
    ),
    "",
    ...growth(report),
    "",
    line("code", "bytes"),
    ...Object.entries(report.code).map(
      ([name, { bytes, pass }]) =>
        `${line(name, bytes)}  at most ${LARGEST_CODE.toLocaleString("en")}: ${verdictOf(pass)}`,
    ),
    report.pass ? "all within their limits" : "NOT all within their limits",
  ].join("\n");
}

function functions({ rows, amsterdam }: GasReport): string[] {
  return [
    line("function", "gas", "floor", "ratio", "Amsterdam", "new slots"),
    ...Object.entries(rows).map(([name, { gas, floor, ratio, limit = Infinity }]) => {
      const verdict = limit === Infinity ? "" : `  at most ${limit.toLocaleString("en")}: ${verdictOf(gas <= limit)}`;
      const later = amsterdam[name] ?? NaN;
      return `${line(name, gas, floor, ratio.toFixed(3), later, newSlots(gas, later))}${verdict}`;
    }),
  ];
}

function peers({ peers: measured, comparison, amsterdam }: GasReport): string[] {
  return [
    line("peers, measured in this run", "gas", "", "", "Amsterdam", "new slots"),
    ...Object.entries(measured).map(([name, gas]: [string, number]) =>
      line(name, gas, "", "", amsterdam[name], newSlots(gas, amsterdam[name] ?? NaN)),
    ),
    "",
    line("ours over theirs", "ours", "theirs", "ratio", "floor", "over floor"),
    ...comparison.map(
      ({ of, gas, peer, peerGas, ratio, floor, peerOverFloor, atMost, pass }) =>
        `${line(`${of} / ${peer}`, gas, peerGas, ratio.toFixed(3), floor, peerOverFloor.toFixed(3))}  at most ${atMost}: ${verdictOf(pass)}`,
    ),
  ];
}

/** Beside each figure ours over it; the floor is that of ours. */
function published({ published: figures, rows }: GasReport): string[] {
  const ours = {
    anchor: rows.anchor,
    grant: rows.grant,
    relayed: rows.grantBySig,
    revoke: rows.revoke,
    register: rows["DeviceRegistry.enroll"],
  } satisfies Record<keyof Published, GasRow>;
  const beside = (name: string, figure: (kind: keyof Published) => number | undefined): string =>
    line(
      name,
      ...KINDS.flatMap((kind) => {
        const gas = figure(kind);
        return [gas, gas === undefined ? gas : (ours[kind].gas / gas).toFixed(3)];
      }),
    );
  return [
    line("others, measured before, and ours over them", ...KINDS.flatMap((kind) => [kind, "ratio"])),
    beside("this project", (kind) => ours[kind].gas),
    beside("floor", (kind) => ours[kind].floor),
    ...Object.entries(figures).map(([name, each]) => beside(name, (kind) => each[kind])),
  ];
}

function growth({ flat, entries }: GasReport): string[] {
  const of = (share: number): string => `(within ${share * 100} %)`;
  return [
    line("after so many readings", "readings", "anchor", "grantBySig", "revokeBySig"),
    ...flat.rows.map(({ readings, ...gas }) => line("", readings, gas.anchor, gas.grantBySig, gas.revokeBySig)),
    `flat: ${verdictOf(flat.pass)} ${of(flat.within)}`,
    "",
    line("among so many entries", ...entries.entries),
    ...Object.entries(entries.rows).map(
      ([name, { gas, of: what, pass }]) => `${line(name, ...gas)}  ${what}: ${verdictOf(pass)}`,
    ),
    `flat: ${verdictOf(entries.pass)} ${of(entries.within)}`,
  ];
}

/** Slots that a function writes for the first time; undefined where the difference of the two rules is one of calldata. */
function newSlots(gas: number, later: number): number | undefined {
  const slots = Math.max(0, Math.round((later - gas) / NEW_SLOT_MORE));
  return Math.abs(later - gas - slots * NEW_SLOT_MORE) < NEW_SLOT_MORE / 20 ? slots : undefined;
}

const verdictOf = (pass: boolean): string => (pass ? "PASS" : "FAIL");

const line = (name: string, ...cells: readonly Cell[]): string =>
  name.padEnd(NAME) +
  cells
    .map((cell = "") => (typeof cell === "number" ? cell.toLocaleString("en") : cell).padStart(12))
    .join("")
    .trimEnd();
