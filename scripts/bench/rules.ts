/** Rules of the chain under which gas is measured: those in force, those without a P-256 precompile, and those to come. */
export type Rules = "osaka" | "prague" | "amsterdam";

/** `network.create` with these rules; under Amsterdam deployments are dearer than a transaction may be there (EIP-7825). */
export const under = (rules: Rules) => ({
  override: { hardfork: rules, ...(rules === "amsterdam" ? { transactionGasCap: 60_000_000n } : {}) },
});
