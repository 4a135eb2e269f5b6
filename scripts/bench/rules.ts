/** Rules of the chain under which gas is measured: those in force, those without a P-256 precompile, and those to come. */
export type Rules = "osaka" | "prague" | "amsterdam";

interface Override {
  readonly override: { readonly hardfork: Rules; readonly transactionGasCap?: bigint };
}

/** What `network.create` takes for these rules. Under Amsterdam's some deployments need more than one transaction may use (EIP-7825). */
export const under = (hardfork: Rules): Override => ({
  override: { hardfork, ...(hardfork === "amsterdam" ? { transactionGasCap: 60_000_000n } : {}) },
});
