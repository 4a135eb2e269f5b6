import { readFileSync } from "node:fs";

// For `node --import`: a clock that is ahead by as many milliseconds as stand in the file that MEDSEAL_TEST_CLOCK names.
const file = process.env["MEDSEAL_TEST_CLOCK"] ?? "";
const now = Date.now.bind(Date);
Date.now = () => now() + Number(readFileSync(file, "utf8"));
