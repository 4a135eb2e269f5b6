import type { GasRow } from "./floor.ts";
import type { PeerGas } from "./peers.ts";

type Compared = "anchor" | "grant" | "grantBySig" | "revoke" | "revokeBySig";

/** One of our functions beside what a peer measured in the same run needs for the same purpose. */
export interface ComparisonRow {
  readonly of: Compared;
  readonly gas: number;
  readonly peer: keyof PeerGas;
  readonly peerGas: number;
  /** Ours over the peer's. */
  readonly ratio: number;
  /** The least that the protocol asks for our calldata and effects. */
  readonly floor: number;
  /** What the peer spends, over that. */
  readonly peerOverFloor: number;
  /** What the ratio must not exceed. */
  readonly atMost: number;
  readonly pass: boolean;
}

const GOALS: readonly (readonly [of: Compared, peer: keyof PeerGas, atMost: number])[] = [
  ["anchor", "EAS timestamp", 0.7],
  ["grant", "EAS attest", 0.28],
  ["grant", "AccessControl grantRole", 1],
  ["grantBySig", "EAS attestByDelegation", 0.3],
  ["revoke", "EAS revoke", 0.5],
  ["revoke", "AccessControl revokeRole", 1],
  ["revokeBySig", "EAS revokeByDelegation", 0.5],
];

/** What the peers have in common with us, row by row. */
export const comparison = (rows: Readonly<Record<Compared, GasRow>>, peers: PeerGas): ComparisonRow[] =>
  GOALS.map(([of, peer, atMost]) => {
    const [gas, peerGas] = [rows[of].gas, peers[peer]];
    const { floor } = rows[of];
    const ratio = thousandths(gas / peerGas);
    return {
      of,
      gas,
      peer,
      peerGas,
      ratio,
      floor,
      peerOverFloor: thousandths(peerGas / floor),
      atMost,
      pass: ratio <= atMost,
    };
  });

const thousandths = (ratio: number): number => Math.round(ratio * 1000) / 1000;
