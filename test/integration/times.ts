/** Whole unix seconds as RFC 3339 in UTC. */
export const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

/** What a promise fails with. @param what - Named when it does not fail. */
export async function failureOf(
  promise: Promise<unknown>,
  what = "it",
): Promise<{ readonly code?: string; readonly exit?: number }> {
  try {
    await promise;
  } catch (error) {
    return error as { code?: string; exit?: number };
  }
  throw new Error(`${what} did not fail`);
}
