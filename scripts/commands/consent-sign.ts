import { signGrant } from "../../src/consent/sign.ts";
import { formatSigned } from "../../src/consent/signed.ts";
import type { Command } from "../cli/command.ts";
import { intoNewFile } from "../cli/files.ts";
import { asPatient, consentsOf, theOne } from "../cli/patient.ts";

export const command: Command = {
  summary: "Signs a consent again that is not on the chain yet: its file was lost, or waited for more than seven days",
  options: {
    to: { type: "string", value: "NAME", help: "whose; with --id where they have several" },
    id: { type: "string", value: "HEX", help: "the first digits of its id" },
    out: { type: "string", value: "FILE", help: "where the signed grant goes", required: true },
    yes: { type: "boolean", help: "without asking" },
  },
  examples: [['consent sign --to "Dr Lee" --out lee.grant', "then relay it"]],
  run: (call) =>
    asPatient(call, async ({ session, chain, wallet, view }) => {
      const { vault } = session;
      const waiting = consentsOf(vault, { to: call.text("to"), id: call.text("id") }).filter(
        ({ revoked, id, consent }) => !revoked && view.ledger.stateOf(consent.grantor, id).granted === undefined,
      );
      const { relationship, consent, id } = theOne(vault, waiting);
      call.io.note(consent.statement);
      await call.io.confirm("Sign this?");
      const out = call.need("out");
      await intoNewFile(out, async (fill) =>
        fill(formatSigned(await signGrant(wallet.signer(relationship), chain.registry, consent))),
      );
      call.io.result({ id, file: out }, `Signed. The grant is in ${out}; anybody may relay it: medseal relay ${out}`);
    }),
};
