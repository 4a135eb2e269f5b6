import { ACTION_WORDS, actionNames } from "./actions.ts";
import { checkFields, isBytes32, NO_PARENT, type Consent, type ConsentFields } from "./consent.ts";
import { ConsentInvalidError, StatementDiffersError } from "./errors.ts";
import { purposeWords } from "./purpose.ts";

/**
 * The sentence that the grantor signs, one for each set of fields: it names every field but the salt, and no person.
 *
 * @throws ConsentInvalidError when the fields do not make a consent.
 */
export function renderStatement(fields: ConsentFields): string {
  checkFields(fields);
  const parts = [
    `I, the holder of address ${fields.grantor}, allow the holder of address ${fields.grantee} to ` +
      list(actionNames(fields.actions).map((name) => ACTION_WORDS[name])),
    `this covers only data of the stream or list of streams with the number ${fields.scope} ` +
      `that was measured at or after ${time(fields.dataStart)} and before ${time(fields.dataEnd)}`,
    `it is only for ${purposeWords(fields.purpose)}`,
    `it may be used at or after ${time(fields.periodStart)} and before ${time(fields.periodEnd)}, ` +
      "and I can take it back at any time before that",
  ];
  if (fields.parent !== NO_PARENT) {
    parts.push(`it passes on a permission given to me, with the number ${fields.parent}, and ends when that one ends`);
  }
  return parts.join("; ") + ".";
}

/**
 * Renders the statement again and compares. Every signer, grantee and auditor does this before anything else.
 *
 * @throws ConsentInvalidError when the fields do not make a consent.
 * @throws StatementDiffersError when the statement says anything else.
 */
export function checkStatement(consent: Consent): void {
  if (!isBytes32(consent.salt)) throw new ConsentInvalidError("salt", "is not 32 bytes in lower-case hex");
  if (renderStatement(consent) !== consent.statement) throw new StatementDiffersError();
}

/** `2026-03-01 00:00:00 UTC` */
const time = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace("T", " ").replace(".000Z", " UTC");

/** `a`, `a and b`, `a, and b, and c`: parts hold commas themselves. */
const list = (parts: readonly string[]): string => parts.join(parts.length > 2 ? ", and " : " and ");
