import { hex0x } from "../bytes/bytes.ts";
import type { AskPermission } from "../chain/permission.ts";
import { consentId, type Hex } from "../consent/consent.ts";
import { linkOf, streamsOf, type Link } from "../consent/scope.ts";
import { checkStatement } from "../consent/statement.ts";
import type { GenerationKeys, Release } from "../envelope/payload.ts";
import { narrow } from "../keys/cover.ts";
import { ACTIONS } from "../consent/actions.ts";
import { epochsOf } from "../log/stream.ts";
import { NotPermittedError, ReleaseInvalidError } from "./errors.ts";

/** A release that was checked: what this grantee may use, with keys cut to the consent's window. */
export interface Access {
  readonly release: Release;
  readonly link: Link;
  readonly keys: readonly GenerationKeys[];
}

/**
 * Checks an opened release before its keys are used: every consent says what its fields say, the last one is for `me`, the registry permits it
 * now, and the keys reach no further than its window.
 *
 * @throws ReleaseInvalidError, NotPermittedError, StatementDiffersError.
 */
export async function acceptRelease(release: Release, me: Hex, ask: AskPermission, time: number): Promise<Access> {
  if (release.kind !== "release") throw new ReleaseInvalidError("the envelope is a lease, not a release");
  for (const { consent } of release.chain) checkStatement(consent);
  const link = release.chain.at(-1) as Link;
  if (link.consent.grantee !== me) throw new ReleaseInvalidError("the consent in the envelope is for somebody else");

  const keys = release.keys.map((generation) => cutToWindow(generation, link));
  // Of every stream in scope, so that an envelope without keys is refused as well.
  for (const stream of streamsOf(link)) {
    const { consent } = link;
    const action = reads(link) ? ACTIONS.READ : ACTIONS.AUDIT;
    const question = {
      chain: release.chain,
      grantee: me,
      action,
      purpose: consent.purpose,
      stream,
      dataTime: consent.dataStart,
      time,
    };
    if (!(await ask(question))) {
      throw new NotPermittedError("the consent in the envelope is not in force for this stream", {
        hint: "ask the grantor whether it was revoked, or wait until its grant is final",
      });
    }
  }
  return { release, link, keys };
}

/**
 * One access a consent: all keys that its releases gave, of each generation as the newest release has them. A release may come in several
 * envelopes, and a later one may bring what a gateway writes since.
 */
export function combine(accesses: readonly Access[]): Access[] {
  const byConsent = new Map<Hex, Access>();
  const newestLast = [...accesses].sort((a, b) => a.release.issuedAt - b.release.issuedAt);
  for (const access of newestLast) {
    const id = consentId(access.link.consent);
    const keys = new Map((byConsent.get(id)?.keys ?? []).map((one) => [placeOf(one), one]));
    for (const one of access.keys) keys.set(placeOf(one), one);
    byConsent.set(id, { ...access, keys: [...keys.values()] });
  }
  return [...byConsent.values()];
}

const placeOf = ({ stream, generation }: GenerationKeys): string => `${hex0x(stream.id)}/${generation}`;

function cutToWindow(generation: GenerationKeys, { consent, streams }: Link): GenerationKeys {
  linkOf(generation.write.consent, streamsOf(generation.write));
  const id = hex0x(generation.stream.id);
  if (!streamsOf({ consent, streams }).includes(id))
    throw new ReleaseInvalidError("the envelope has keys of a stream outside the consent's scope");
  if (!streamsOf(generation.write).includes(id))
    throw new ReleaseInvalidError("the generation's leave to write is for another stream");
  const { from, to } = epochsOf(generation.stream, consent.dataStart, consent.dataEnd);
  const audit = narrow(generation.audit, from, to);
  const data = reads({ consent, streams }) ? generation.data && narrow(generation.data, from, to) : undefined;
  return { ...generation, audit, data };
}

const reads = ({ consent }: Link): boolean => (consent.actions & ACTIONS.READ) !== 0;
