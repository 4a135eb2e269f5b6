import { hex0x } from "../bytes/bytes.ts";
import type { Question } from "../chain/permission.ts";
import type { Hex } from "../consent/consent.ts";
import { linkOf, type Link } from "../consent/scope.ts";
import { checkStatement } from "../consent/statement.ts";
import type { GenerationKeys, Release } from "../envelope/payload.ts";
import { narrow } from "../keys/cover.ts";
import { ACTIONS } from "../consent/actions.ts";
import { epochsOf } from "../log/stream.ts";
import { NotPermittedError, ReleaseInvalidError } from "./errors.ts";

/** One question to `isPermitted` of the registry, and when the data is to be used, in unix seconds. */
export type PermissionQuestion = Question & { readonly time: number };

/** Answers by the contract's own code, in this process; see chain/permission. */
export type AskPermission = (question: PermissionQuestion) => Promise<boolean>;

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
  for (const stream of scopeStreams(link)) {
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

function cutToWindow(generation: GenerationKeys, { consent, streams }: Link): GenerationKeys {
  linkOf(generation.write.consent, scopeStreams(generation.write));
  const id = hex0x(generation.stream.id);
  if (!scopeStreams({ consent, streams }).includes(id))
    throw new ReleaseInvalidError("the envelope has keys of a stream outside the consent's scope");
  if (!scopeStreams(generation.write).includes(id))
    throw new ReleaseInvalidError("the generation's leave to write is for another stream");
  const { from, to } = epochsOf(generation.stream, consent.dataStart, consent.dataEnd);
  const audit = narrow(generation.audit, from, to);
  const data = reads({ consent, streams }) ? generation.data && narrow(generation.data, from, to) : undefined;
  return { ...generation, audit, data };
}

const reads = ({ consent }: Link): boolean => (consent.actions & ACTIONS.READ) !== 0;

const scopeStreams = ({ consent, streams }: Link): readonly Hex[] => (streams.length === 0 ? [consent.scope] : streams);
