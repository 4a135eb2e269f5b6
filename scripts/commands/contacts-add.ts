import { UsageError } from "../../src/errors.ts";
import { fingerprintOf, readCard } from "../cli/card.ts";
import type { Command } from "../cli/command.ts";
import { readUserText } from "../cli/files.ts";
import { withIdentity } from "../cli/home.ts";
import { checkPlainName } from "../cli/people.ts";

export const command: Command = {
  summary: "Adds a contact by their card, after you have compared its fingerprint with them",
  words: "FILE",
  options: {
    name: { type: "string", value: "NAME", help: "what you call them; by default as on the card" },
    yes: { type: "boolean", help: "takes it without asking: the card came by a way you trust" },
  },
  examples: [
    ["contacts add lee.card", "shows eight words to compare by telephone, and asks"],
    ['contacts add gw.card --name "Ward gateway" --yes', "for scripts"],
  ],
  async run(call) {
    const contact = readCard(await readUserText(call.word("card")));
    const fingerprint = fingerprintOf(contact);
    const name = checkPlainName(call.text("name") ?? contact.name);
    await withIdentity(call, async ({ vault, save }) => {
      const known = vault.contacts.find((one) => one.name === name);
      if (known && fingerprintOf(known) !== fingerprint)
        throw new UsageError(`you know another one as "${name}"`, { hint: "give this one another name with --name" });
      call.io.note(`${name} has the fingerprint`, `  ${fingerprint}`);
      await call.io.confirm("Do they read the same words to you?");
      vault.contacts = [...vault.contacts.filter((one) => one !== known), { ...contact, name }];
      await save();
      call.io.result({ name, address: contact.address, fingerprint }, `${name} is a contact now.`);
    });
  },
};
