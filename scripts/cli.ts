import { EXIT } from "../src/errors.ts";
import { attempt } from "./cli/attempt.ts";

// The launcher works in the project's folder; paths count from where the user stands.
const stand = process.env["MEDSEAL_CWD"];
delete process.env["MEDSEAL_CWD"];
if (stand !== undefined) process.chdir(stand);

// A reader that went away (medseal … | head) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? EXIT.done : EXIT.refused),
);
process.once("SIGINT", () => {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[2K");
  process.stderr.write("interrupted: what was begun is not half done; give the command again\n");
  process.exit(130);
});

await attempt(process.argv.slice(2));
