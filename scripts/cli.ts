import { EXIT, MedSealError } from "../src/errors.ts";
import { Io } from "./cli/io.ts";
import { run } from "./cli/run.ts";

const args = process.argv.slice(2);
const before = args.indexOf("--");
const options = before === -1 ? args : args.slice(0, before);
const io = new Io({ json: options.includes("--json"), yes: options.includes("--yes") });

// A reader that went away (medseal … | head) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? EXIT.done : EXIT.refused),
);

try {
  await run(args, io);
} catch (error) {
  io.progressDone();
  if (!(error instanceof MedSealError)) throw error;
  io.note(`error: ${error.message} (${error.code})`);
  if (error.hint !== undefined) io.note(`hint: ${error.hint}`);
  process.exitCode = error.exit;
}
