import type { Accounted, Accounting } from "../../src/disclosure/accounting.ts";
import { formatAccounting, parseAccounting } from "../../src/disclosure/accounting.ts";
import type { Receipt } from "../../src/disclosure/receipt.ts";
import { OPEN_END, reconcile, TRACELESS, type Difference } from "../../src/disclosure/reconcile.ts";
import { actionNames } from "../../src/consent/actions.ts";
import { consentId } from "../../src/consent/consent.ts";
import { EXIT, UsageError } from "../../src/errors.ts";
import { openBook } from "../cli/book.ts";
import { withChain, withView } from "../cli/chain.ts";
import type { Call, Command } from "../cli/command.ts";
import { checkNew, readUserText, writeNew } from "../cli/files.ts";
import { withIdentity, type Session } from "../cli/home.ts";
import { contactNamed, ownAddress } from "../cli/patient.ts";
import { count, shown, shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary:
    "Lists who was given keys, to what, when and why, and who was refused; and compares it with the chain. Exit 1 when they differ",
  options: {
    out: { type: "string", value: "FILE", help: "an accounting for an auditor, signed line by line (private)" },
    file: { type: "string", value: "FILE", help: "as an auditor: the accounting of somebody else" },
    of: { type: "string", value: "NAME", help: "with --file: the contact whose it must be" },
  },
  examples: [
    ["disclosures", "your own"],
    ["disclosures --out ann.disclosures", "for an auditor"],
    ["disclosures --file ann.disclosures --of Ann --as auditor", "the auditor compares it with the chain"],
  ],
  async run(call) {
    const { of, file, out } = { of: call.text("of"), file: call.text("file"), out: call.text("out") };
    if ((file === undefined) !== (of === undefined) || (file !== undefined && out !== undefined))
      throw new UsageError("--file and --of go together, and without --out", { hint: "see --help" });
    if (out !== undefined) await checkNew(out);
    await withIdentity(call, (session) =>
      withChain((chain) =>
        withView(chain, session.folder, async (view) => {
          const accounting =
            file === undefined
              ? ownAccounting(session, openBook(session, chain, view))
              : parseAccounting(await readUserText(file));
          const holder = of === undefined ? accounting.holder : contactNamed(session.vault, of).address;
          const differences = reconcile(accounting, { holder, place: chain.registry, watch: view.watch });
          if (out !== undefined) await writeNew(out, formatAccounting(accounting));
          tell(call, accounting, differences, { out, handed: file !== undefined });
        }),
      ),
    );
  },
};

function ownAccounting({ vault }: Session, book: ReturnType<typeof openBook>): Accounting {
  const consents = vault.patient.consents.map(({ name, consent, releasedAt, leasedAt }) => ({
    name,
    consent,
    releasedAt,
    leasedAt,
  }));
  const { receipts } = book;
  book.close();
  return { format: "medseal-disclosures", version: 1, holder: ownAddress(vault), receipts, consents };
}

function tell(
  call: Call,
  accounting: Accounting,
  differences: readonly Difference[],
  { out, handed }: { out: string | undefined; handed: boolean },
): void {
  const { holder, receipts, consents } = accounting;
  const known = new Map(consents.map((accounted) => [consentId(accounted.consent), accounted]));
  const disclosures = receipts.map((receipt) => ({ ...receipt, ...about(known.get(receipt.consent)) }));
  call.io.result(
    {
      holder,
      disclosures,
      differences,
      note: handed ? `${TRACELESS} ${OPEN_END}` : TRACELESS,
      ...(out === undefined ? {} : { file: out }),
    },
    ...receipts.flatMap((receipt) => described(receipt, known.get(receipt.consent))),
    `${count(receipts.length, "receipt")}, difference ${differences.length}${differences.length === 0 ? ": signed and whole, each release under a consent that was in force, each consent with a release has its receipt" : ""}`,
    ...differences.map(({ kind, text }) => `${kind.toUpperCase()}: ${text}`),
    TRACELESS,
    ...(handed ? [OPEN_END] : []),
    ...(out === undefined
      ? []
      : [`The accounting is in ${out}. It says who treats you: hand it to nobody but the auditor.`]),
  );
  if (differences.length > 0) process.exitCode = EXIT.refused;
}

/** Of the codes that receipts give as reasons, for people. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_RELEASE_REFUSED: "the consent did not allow it then, or its gateway had not confirmed that it heeds its end",
};

const about = (accounted: Accounted | undefined): object => {
  if (accounted === undefined) return {};
  const { name, consent } = accounted;
  return { to: name, actions: actionNames(consent.actions), purpose: consent.purpose, statement: consent.statement };
};

function described(receipt: Receipt, accounted: Accounted | undefined): string[] {
  const { act, at, envelopes, reason } = receipt;
  const when = shown(at);
  if (act === "carried")
    return [`${when}  carried ${count(envelopes.length, "envelope")} for others; for whom, it does not say`];
  const who = accounted?.name ?? receipt.grantee;
  const heading =
    act === "denied"
      ? `refused to give keys to ${who}: ${REASONS[reason] ?? reason}`
      : act === "leased"
        ? `gave ${who} keys to write`
        : `gave ${who} keys`;
  const consent = accounted?.consent;
  const what = consent === undefined ? "" : `${actionNames(consent.actions).join(", ")} for ${consent.purpose}; `;
  return [
    `${when}  ${heading}`,
    `  ${what}data ${shownWindow({ from: receipt.dataStart, to: receipt.dataEnd })}; consent ${receipt.consent.slice(2, 12)}`,
  ];
}
