import { epochKey, OutsideCoverError, type Cover } from "../../../src/keys/cover.ts";

/** Whether no node of a cover leads to an epoch's key. */
export function isOutside(cover: Cover, epoch: number): boolean {
  try {
    epochKey(cover, epoch);
    return false;
  } catch (error) {
    if (error instanceof OutsideCoverError) return true;
    throw error;
  }
}
