import { chance } from "./chance.ts";
import { flipAnywhere, flipEveryBit, type FlipFigures } from "./flips.ts";
import { lacking, openIndependent } from "./independent.ts";
import { mutate, type MutationFigures } from "./mutate.ts";
import { forkHistories, tamperWith, type TamperFigures } from "./tampering.ts";

export interface AuditFigures extends FlipFigures, MutationFigures, TamperFigures {
  readonly seed: string;
  readonly scale: number;
  /** On every archive and every mutated input that both were given; null where the independent verifier cannot be had. */
  verifiersAgree: boolean | null;
  pass: boolean;
}

/**
 * The campaigns of issue "An audit that needs no trust": bits flipped, archives tampered with, histories forked, inputs mutated.
 *
 * @param scale - 1 is the full size; the cases are in proportion to it.
 * @param tell - Is told of every case that did not come out as it must.
 */
export async function deepAudit(seed: string, scale: number, tell: (what: string) => void): Promise<AuditFigures> {
  const none = { cases: 0, found: 0 };
  const figures: AuditFigures = {
    seed,
    scale,
    flips: 0,
    found: 0,
    falseFindings: 0,
    cleanReadings: 0,
    verifiersAgree: null,
    malformed: 0,
    crashes: 0,
    differing: 0,
    compared: 0,
    agreed: 0,
    tampered: {
      removed: none,
      duplicated: none,
      reordered: none,
      swappedBetweenPatients: none,
      replayed: none,
      forked: none,
    },
    pass: false,
  };
  const why = lacking();
  if (why !== undefined) tell(`the independent verifier is left out: ${why}`);
  const by = why === undefined ? openIndependent() : undefined;
  try {
    await flipEveryBit(seed, scale, figures);
    await flipAnywhere(seed, scale, figures);
    await tamperWith(seed, scale, by, figures, tell);
    forkHistories(seed, scale, figures);
    await mutate(chance(seed, "mutate"), Math.max(1, Math.round(10_000 * scale)), by, figures, tell);
  } finally {
    by?.close();
  }
  if (by)
    figures.verifiersAgree = figures.compared > 0 && figures.agreed === figures.compared && figures.differing === 0;
  const allNamed = Object.values(figures.tampered).every(({ cases, found }) => cases > 0 && found === cases);
  const clean = figures.falseFindings === 0 && figures.crashes === 0;
  figures.pass = figures.found === figures.flips && allNamed && clean && figures.verifiersAgree !== false;
  return figures;
}

export function auditTable(figures: AuditFigures): string {
  const { seed, scale, flips, found, cleanReadings, falseFindings, malformed, crashes, compared, agreed } = figures;
  const rows = Object.entries(figures.tampered).map(
    ([name, { cases, found: of }]) => `${name}: ${of} of ${cases} found and named`,
  );
  return [
    `seed ${seed}, scale ${scale}`,
    `bits flipped: ${found} of ${flips} found and named; ${cleanReadings} clean readings; ${falseFindings} false findings`,
    ...rows,
    `mutated inputs: ${malformed}, ${crashes} crashes or hangs, ${figures.differing} read differently by the two verifiers`,
    `archives on which the two verifiers agree: ${agreed} of ${compared}`,
    figures.pass ? "all as it must be" : "NOT as it must be",
  ].join("\n");
}
