import type { Signer } from "ethers";
import { network } from "hardhat";
import { alertGas, type AlertRows } from "./alert-gas.ts";
import { codeSizes, type CodeSize } from "./code-sizes.ts";
import { comparison, type ComparisonRow } from "./comparison.ts";
import { consentGas, type ConsentRows } from "./consents.ts";
import { deviceGas, gasWithoutPrecompile, type DeviceRows, type WithoutPrecompile } from "./devices.ts";
import { entries, type EntriesReport } from "./entries.ts";
import type { GasRow } from "./floor.ts";
import { flatness, type Flatness } from "./flatness.ts";
import { listGas, type ListRows } from "./lists.ts";
import { partyGas, type PartyRows } from "./parties.ts";
import { peerGas, type PeerGas } from "./peers.ts";
import { PUBLISHED } from "./published.ts";
import { ruleListGas } from "./rule-lists.ts";
import { under, type Rules } from "./rules.ts";

type FunctionRows = Readonly<Record<keyof (ConsentRows & AlertRows & DeviceRows & PartyRows), GasRow>>;

export interface GasReport {
  readonly rows: FunctionRows;
  readonly withoutPrecompile: WithoutPrecompile;
  /** Of the same run. */
  readonly peers: PeerGas;
  readonly comparison: readonly ComparisonRow[];
  readonly published: typeof PUBLISHED;
  readonly lists: ListRows;
  readonly flat: Flatness;
  readonly entries: EntriesReport;
  /** Gas of every row under rules to come, where a new slot is dear. */
  readonly amsterdam: Readonly<Record<string, number>>;
  readonly code: Readonly<Record<string, CodeSize>>;
  readonly pass: boolean;
}

/** @param sizes - Readings, and entries, after which the same gas is measured again. */
export async function benchGas(sizes: readonly number[] = [10, 100_000]): Promise<GasReport> {
  const rows = await functionGas("osaka");
  const peers = await peerGas("osaka");
  const compared = comparison(rows, peers);
  const flat = await flatness(sizes);
  const stored = await entries(sizes);
  const later = { ...(await functionGas("amsterdam")), ...(await peerGas("amsterdam")) };
  const code = await codeSizes();
  const passes = [...Object.values(rows), ...compared, flat, stored, ...Object.values(code)];
  return {
    rows,
    withoutPrecompile: await gasWithoutPrecompile(rows),
    peers,
    comparison: compared,
    published: PUBLISHED,
    lists: { ...(await listGas()), ...(await ruleListGas()) },
    flat,
    entries: stored,
    amsterdam: Object.fromEntries(
      Object.entries(later).map(([name, row]) => [name, typeof row === "number" ? row : row.gas]),
    ),
    code,
    pass: passes.every(({ pass }) => pass !== false),
  };
}

async function functionGas(rules: Rules): Promise<FunctionRows> {
  const connection = await network.create(under(rules));
  try {
    const [, gateway, relayer] = (await connection.ethers.getSigners()) as unknown as [Signer, Signer, Signer];
    const alerts = await alertGas(connection, gateway, relayer);
    return { ...(await consentGas(rules)), ...alerts, ...(await deviceGas(rules)), ...(await partyGas(rules)) };
  } finally {
    await connection.close();
  }
}
