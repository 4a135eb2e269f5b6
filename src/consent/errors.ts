import { EXIT, MedSealError } from "../errors.ts";

/** A field of a consent, or how two of them relate, is not as IConsentRegistry and docs/formats.md have it. */
export class ConsentInvalidError extends MedSealError {
  readonly code = "ERR_CONSENT_INVALID";
  readonly field: string;

  constructor(field: string, problem: string, hint?: string) {
    super(`consent is not valid: ${field} ${problem}`, hint === undefined ? {} : { hint });
    this.field = field;
  }
}

/** The sentence in a consent is not the one that its fields give: somebody would sign, or has signed, blind. */
export class StatementDiffersError extends MedSealError {
  readonly code = "ERR_STATEMENT_DIFFERS";

  constructor() {
    super("the statement of the consent does not say what its fields say", {
      hint: "do not sign or use this consent; ask whoever drew it up for a new one",
    });
  }
}

/** A signed message or its times cannot be what its signer wanted. */
export class SignedMessageError extends MedSealError {
  readonly code = "ERR_SIGNED_MESSAGE";
}

/** The signer at hand is not the grantor of the consent. */
export class NotTheGrantorError extends MedSealError {
  readonly code = "ERR_NOT_THE_GRANTOR";
  override readonly exit = EXIT.notPermitted;

  constructor() {
    super("only the grantor signs a consent, and this signer is somebody else", {
      hint: "use the signer of the relationship that the consent names",
    });
  }
}
