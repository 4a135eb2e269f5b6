/** Gas of one act of another system; undefined where it has none, or none that was measured. */
export interface Published {
  readonly anchor?: number;
  readonly grant?: number;
  readonly relayed?: number;
  readonly revoke?: number;
  readonly register?: number;
}

/**
 * Public contracts for the same purposes, measured once under the Osaka rules with this compiler and 200 runs of the optimizer, not in
 * this run. They do different things: `anchor` is one reading or record, `grant` reaches as far as each of them can.
 */
export const PUBLISHED: Readonly<Record<string, Published>> = {
  "leanest registry, a packed slot a consent": { grant: 47_458, relayed: 59_570, revoke: 29_430 },
  "ERC-6909 approve": { grant: 47_206, revoke: 25_294 },
  "ERC-1155 mint, burn": { grant: 50_584, revoke: 26_097 },
  "ERC-1056 addDelegate": { grant: 55_129, revoke: 37_652, register: 34_717 },
  "ERC-721 mint, burn": { grant: 56_615, revoke: 31_639 },
  DecMedRecords: { anchor: 138_466, revoke: 70_101 },
  MedRecMgr: { anchor: 119_503, grant: 68_447, revoke: 26_896 },
  VitalsDB: { anchor: 140_250 },
  HealthRateMon: { anchor: 164_609 },
  MedChain: { anchor: 186_996, grant: 39_214, revoke: 34_756, register: 304_770 },
  "orms147/ehr-blockchain-system": { anchor: 194_271, relayed: 166_507, revoke: 42_713, register: 46_117 },
  DigHealthcare: { anchor: 196_234, grant: 2_290_973, register: 74_108 },
  Romel2025: { anchor: 209_574, grant: 320_162, relayed: 349_642, revoke: 47_827, register: 3_018_472 },
  Blocate: { anchor: 215_101, register: 325_597 },
  MedRecChain: { anchor: 292_071, grant: 50_579, revoke: 61_226, register: 397_123 },
  FranklyEMR: { grant: 120_678, revoke: 41_392, register: 47_250 },
  MedRec: { grant: 257_644, revoke: 75_581, register: 728_094 },
  mon_cercle_sante: { grant: 291_926, revoke: 61_705, register: 158_349 },
  healthChains: { grant: 296_885, revoke: 30_294 },
  IPEHR: { anchor: 511_623, relayed: 308_625, register: 146_339 },
};
