/** What a promise fails with; failing to fail is a failure. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`it did not fail but gave ${JSON.stringify(value)}`);
}
