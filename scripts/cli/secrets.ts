import { UsageError } from "../../src/errors.ts";
import { readUserText } from "./files.ts";
import { checkPrivate } from "./home.ts";
import { userPath } from "./io.ts";

/** Characters. */
const LEAST = 16;

/** The lines of a file that only its owner may read. @param what - Names it in errors. @throws UsageError, NotPrivateError. */
export async function secretLines(file: string, what: string): Promise<string[]> {
  await checkPrivate(userPath(file), what);
  return (await readUserText(file)).split(/\r?\n/);
}

/** The first of them, of at least 16 characters. @throws as `secretLines`. */
export async function secretLine(file: string, what: string): Promise<string> {
  const [line = ""] = await secretLines(file, what);
  if (line.length < LEAST) throw new UsageError(`${what} has less than ${LEAST} characters`);
  return line;
}
