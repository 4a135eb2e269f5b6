import { createRequire } from "node:module";

/** The part of `@lhncbc/ucum-lhc` used here; the package has no types. */
interface UcumPackage {
  UcumLhcUtils: {
    getInstance(): { validateUnitString(code: string, suggest: boolean): { status: string; ucumCode: string | null } };
  };
}

/** UCUM codes are printable ASCII without a space (UCUM, section 1); the library lets line ends and names of object members pass. */
const FORM = /^[!-~]{1,64}$/;
const MEMBERS = new Set(Object.getOwnPropertyNames(Object.prototype));

export type UnitCheck = (unit: string) => boolean;

let loaded: UnitCheck | undefined;

/**
 * Says whether a text is a valid, case-sensitive UCUM code. The tables (1 MB, 25 ms) are loaded once, when first asked for.
 * The empty text is none: where a value has no unit the caller decides.
 */
export const unitCheck = (): UnitCheck => (loaded ??= load());

const REMEMBERED = 4096;

function load(): UnitCheck {
  const { UcumLhcUtils } = createRequire(import.meta.url)("@lhncbc/ucum-lhc") as UcumPackage;
  const utils = UcumLhcUtils.getInstance();
  const known = new Map<string, boolean>();
  return (unit) => {
    if (!FORM.test(unit) || unit.split(/[./(){}0-9]/).some((part) => MEMBERS.has(part))) return false;
    let valid = known.get(unit);
    if (valid === undefined) {
      if (known.size >= REMEMBERED) known.clear();
      const answer = quietly(() => utils.validateUnitString(unit, false));
      valid = answer.status === "valid" && answer.ucumCode === unit;
      known.set(unit, valid);
    }
    return valid;
  };
}

/** The library prints units that it trips over; what stands in a user's file does not belong on stdout. The call is synchronous. */
function quietly<T>(call: () => T): T {
  const { log } = console;
  console.log = () => undefined;
  try {
    return call();
  } finally {
    console.log = log;
  }
}
