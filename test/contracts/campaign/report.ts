/** What a campaign did and found. */
export interface Report {
  readonly seed: number;
  /** Transactions sent. */
  calls: number;
  /** Messages and checkpoints that the model was given: a batch has several. */
  modelSteps: number;
  /** Broken invariants: number, step and seed first. */
  readonly violations: string[];
  /** How often each thing happened, so that a test can tell that a campaign met it. */
  readonly met: Record<string, number>;
}

export const emptyReport = (seed: number): Report => ({ seed, calls: 0, modelSteps: 0, violations: [], met: {} });

export const meet = (report: Report, what: string): void => {
  report.met[what] = (report.met[what] ?? 0) + 1;
};
