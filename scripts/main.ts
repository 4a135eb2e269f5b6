import { MedSealError } from "../src/errors.ts";

/** Runs a script: an error made on purpose is printed with its hint and gives its exit code, everything else is a bug and shows its stack. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof MedSealError)) throw error;
    console.error(`error: ${error.message} (${error.code})`);
    if (error.hint !== undefined) console.error(`hint: ${error.hint}`);
    process.exitCode = error.exit;
  }
}
