import { Io } from "./io.ts";
import { problemOf } from "./problem.ts";
import { run } from "./run.ts";

/** What one line of words does, as far as its exit code: what went wrong is told, and how it is put right. */
export async function attempt(words: readonly string[]): Promise<void> {
  const end = words.indexOf("--");
  const options = end === -1 ? words : words.slice(0, end);
  const io = new Io({ json: options.includes("--json"), yes: options.includes("--yes") });
  try {
    await run(words, io);
  } catch (error) {
    io.progressDone();
    const { text, hint, exit } = problemOf(error);
    io.note(`error: ${text}`);
    if (hint !== undefined) io.note(`hint: ${hint}`);
    process.exitCode = exit;
  }
}
