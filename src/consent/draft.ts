import { getAddress } from "ethers";
import { hex0x } from "../bytes/bytes.ts";
import { random, type Random } from "../bytes/random.ts";
import { actionBits, type ActionName } from "./actions.ts";
import { NO_PARENT, type Consent, type ConsentFields, type Hex } from "./consent.ts";
import { ConsentInvalidError } from "./errors.ts";
import { scopeOf } from "./scope.ts";
import { renderStatement } from "./statement.ts";

export interface ConsentWish {
  /** In any case; a mixed-case address needs its right checksum. */
  readonly grantor: string;
  readonly grantee: string;
  /** Ids of the streams, 32 bytes each, in any order. */
  readonly streams: readonly Hex[];
  readonly purpose: string;
  readonly dataStart: number;
  readonly dataEnd: number;
  readonly periodStart: number;
  readonly periodEnd: number;
  readonly actions: readonly ActionName[];
  /** Id of the consent that is passed on. */
  readonly parent?: Hex;
}

/**
 * A consent ready to be shown and signed: fresh salt, rendered statement.
 *
 * @throws ConsentInvalidError that names the field at fault.
 */
export function draftConsent(wish: ConsentWish, draw: Random = random): Consent {
  const fields: ConsentFields = {
    grantor: address(wish.grantor, "grantor"),
    grantee: address(wish.grantee, "grantee"),
    scope: scopeOf(wish.streams),
    purpose: wish.purpose,
    dataStart: wish.dataStart,
    dataEnd: wish.dataEnd,
    periodStart: wish.periodStart,
    periodEnd: wish.periodEnd,
    actions: actionBits(wish.actions),
    parent: wish.parent ?? NO_PARENT,
  };
  return { ...fields, salt: hex0x(draw(32)), statement: renderStatement(fields) };
}

function address(text: string, field: string): Hex {
  try {
    return getAddress(text) as Hex;
  } catch {
    throw new ConsentInvalidError(field, "is not an address, or its checksum is wrong");
  }
}
