/** What a grantee may do, as bits of `Consent.actions`; the same numbers as in IConsentRegistry. */
export const ACTIONS = {
  READ: 1,
  AUDIT: 2,
  WRITE: 4,
  MANAGE_ALERTS: 8,
  RESPOND: 16,
  SHARE: 32,
  DELEGATE: 64,
} as const;

export type ActionName = keyof typeof ACTIONS;

/** In the order of their bits. */
export const ACTION_NAMES = Object.keys(ACTIONS) as readonly ActionName[];

export const ALL_ACTIONS = 127;

/** What the person signing reads. Part of the statement grammar: a change needs a new format version. */
export const ACTION_WORDS: Readonly<Record<ActionName, string>> = {
  READ: "read the data",
  AUDIT: "check that the record is complete, without reading the values in it",
  WRITE: "record new data",
  MANAGE_ALERTS: "set up alerts",
  RESPOND: "receive and answer alerts",
  SHARE: "let others use this permission too, within its limits",
  DELEGATE: "give permissions in my place, within the limits of this one",
};

/** The bits of the named actions. */
export const actionBits = (names: readonly ActionName[]): number =>
  names.reduce((bits, name) => bits | ACTIONS[name], 0);

/** The names of the set bits, in the order of the bits; unknown bits have no name. */
export const actionNames = (bits: number): ActionName[] => ACTION_NAMES.filter((name) => (bits & ACTIONS[name]) !== 0);
