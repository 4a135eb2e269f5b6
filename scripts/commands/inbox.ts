import { equal } from "../../src/bytes/bytes.ts";
import { now } from "../../src/bytes/random.ts";
import { EXIT, MedSealError } from "../../src/errors.ts";
import type { Release } from "../../src/envelope/payload.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import { acceptRelease } from "../../src/grantee/access.ts";
import { readInbox, type Inbox } from "../../src/grantee/inbox.ts";
import { actionNames } from "../../src/consent/actions.ts";
import type { Command } from "../cli/command.ts";
import { archiveOf, withChain, withStore, withView, type Chain } from "../cli/chain.ts";
import { readUserFile } from "../cli/files.ts";
import { withIdentity, type Session } from "../cli/home.ts";
import { readMail } from "../cli/mail.ts";
import { contactNamed, ownAddress } from "../cli/patient.ts";
import { senderOf } from "../cli/people.ts";
import { count, shown, shownWindow } from "../cli/times.ts";
import type { Vault } from "../cli/vault.ts";

export const command: Command = {
  summary: "Looks for what was released to you, in the mail of gateways or in a file, checks it and keeps it",
  options: {
    gateway: { type: "string", value: "NAME", help: "whose checkpoints to look through; a contact", multiple: true },
    file: { type: "string", value: "FILE", help: "mail that was handed over", multiple: true },
  },
  examples: [
    ['inbox --gateway "Ward gateway"', "all mail of a gateway: nobody learns from it what you look for"],
    ["inbox --file lee.mail", "what a patient handed over"],
  ],
  run: (call) =>
    withIdentity(call, (session) =>
      withChain((chain) =>
        withView(chain, session.folder, async ({ ask }) => {
          const boxes = [
            ...(await Promise.all(call.texts("file").map((file) => fromFile(session, chain, file)))),
            ...(await fromGateways(session, chain, call.texts("gateway"))),
          ];
          const me = ownAddress(session.vault);
          const fresh: Release[] = [];
          const refused = boxes.flatMap((box) => box.refused.map(({ error }) => error.message));
          for (const { release } of boxes.flatMap(({ releases }) => releases)) {
            try {
              senderOf(session.vault, release);
              await acceptRelease(release, me, ask, now());
              if (![...session.vault.releases, ...fresh].some((kept) => equal(receiptOf(kept), receiptOf(release))))
                fresh.push(release);
            } catch (error) {
              if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
              refused.push(error.hint === undefined ? error.message : `${error.message} (${error.hint})`);
            }
          }
          session.vault.releases = [...session.vault.releases, ...fresh];
          await session.save();
          const rows = boxes.reduce((sum, box) => sum + box.rows, 0);
          const unreadable = boxes.reduce((sum, box) => sum + box.unreadable.length, 0);
          const lines = fresh.map((release) => describe(session.vault, release));
          const mine = boxes.reduce((sum, box) => sum + box.releases.length + box.refused.length, 0);
          call.io.result(
            { rows, fresh: fresh.map((release) => summary(session.vault, release)), refused, unreadable },
            `${count(rows, "piece")} of mail looked at, ${mine} for you, ${fresh.length} new`,
            ...lines.flat(),
            ...refused.map((reason) => `refused: ${reason}`),
            ...(unreadable > 0
              ? [`${unreadable} that may be yours cannot be read: the store lacks or altered them`]
              : []),
          );
        }),
      ),
    ),
};

const summary = (vault: Vault, release: Release): object => {
  const { chain, keys } = release;
  const { consent } = chain.at(-1)!;
  const streams = [...new Set(keys.map(({ stream }) => stream.name))];
  const { dataStart, dataEnd, periodEnd, purpose } = consent;
  const from = senderOf(vault, release).name;
  return { from, actions: actionNames(consent.actions), streams, dataStart, dataEnd, periodEnd, purpose };
};

function describe(vault: Vault, release: Release): string[] {
  const { chain, keys } = release;
  const { consent } = chain.at(-1)!;
  const streams = [...new Set(keys.map(({ stream }) => stream.name))];
  return [
    `from ${senderOf(vault, release).name}: ${actionNames(consent.actions).join(", ")} ${streams.join(", ")}`,
    `  data ${shownWindow({ from: consent.dataStart, to: consent.dataEnd })}`,
    `  for ${consent.purpose} until ${shown(consent.periodEnd)}`,
  ];
}

async function fromFile({ vault }: Session, { registry }: Chain, file: string): Promise<Inbox> {
  const mail = readMail(await readUserFile(file));
  const keys = { hpke: vault.hpke, viewSecret: vault.viewSecret };
  const find = (digest: Uint8Array): Promise<Uint8Array> =>
    Promise.resolve(mail.find(({ row }) => equal(row.envelope, digest))?.envelope ?? new Uint8Array(0));
  return readInbox(
    mail.map(({ row }) => row),
    keys,
    registry,
    find,
  );
}

/** The mail of the gateways that are named. */
async function fromGateways({ vault }: Session, chain: Chain, names: readonly string[]): Promise<Inbox[]> {
  if (names.length === 0) return [];
  const keys = { hpke: vault.hpke, viewSecret: vault.viewSecret };
  return withStore((blocks) =>
    Promise.all(
      names.map(async (name) => {
        const archive = await archiveOf(chain, blocks, contactNamed(vault, name).address);
        return readInbox(archive.mail, keys, chain.registry, (digest) => blocks.get(digest));
      }),
    ),
  );
}
