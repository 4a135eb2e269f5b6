import { EXIT } from "../src/errors.ts";
import { Io } from "./cli/io.ts";
import { problemOf } from "./cli/problem.ts";
import { run } from "./cli/run.ts";

// The launcher works in the project's folder; paths count from where the user stands.
const stand = process.env["MEDSEAL_CWD"];
delete process.env["MEDSEAL_CWD"];
if (stand !== undefined) process.chdir(stand);

const args = process.argv.slice(2);
const end = args.indexOf("--");
const options = end === -1 ? args : args.slice(0, end);
const io = new Io({ json: options.includes("--json"), yes: options.includes("--yes") });

// A reader that went away (medseal … | head) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? EXIT.done : EXIT.refused),
);
process.once("SIGINT", () => {
  io.progressDone();
  io.note("interrupted: what was begun is not half done; give the command again");
  process.exit(130);
});

try {
  await run(args, io);
} catch (error) {
  io.progressDone();
  const { text, hint, exit } = problemOf(error);
  io.note(`error: ${text}`);
  if (hint !== undefined) io.note(`hint: ${hint}`);
  process.exitCode = exit;
}
