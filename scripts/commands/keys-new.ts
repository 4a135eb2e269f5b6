import { join } from "node:path";
import { Mnemonic } from "ethers";
import { newPhrase } from "../../src/chain/wallet.ts";
import { UsageError } from "../../src/errors.ts";
import { fingerprintOf } from "../cli/card.ts";
import type { Call, Command } from "../cli/command.ts";
import { readUserText } from "../cli/files.ts";
import { homeFolder, identities, locked, passphraseOf, slugOf, vaultStore } from "../cli/home.ts";
import { ownAddress } from "../cli/patient.ts";
import { checkPlainName } from "../cli/people.ts";
import { freshVault } from "../cli/vault.ts";
import { x25519PublicKey } from "../../src/seal/x25519.ts";

const SHORTEST = 8;

export const command: Command = {
  summary: "Makes an identity of your own: keys in a vault under a passphrase",
  words: "NAME",
  options: {
    "phrase-file": {
      type: "string",
      value: "FILE",
      help: "takes the BIP-39 phrase in this file, to come back after a loss",
    },
  },
  examples: [
    ['keys new "Ann"', "an identity called Ann; asks for a passphrase twice"],
    ['keys new "Ward gateway" --passphrase-file pass.txt', "for scripts"],
  ],
  async run(call) {
    const name = checkPlainName(call.word("name").trim());
    const slug = slugOf(name);
    if (slug === "" || name.length > 64)
      throw new UsageError("a name has letters or digits, and at most 64 characters");
    const checkFree = async (): Promise<void> => {
      if ((await identities()).includes(slug))
        throw new UsageError("there is an identity of this name already", { hint: "choose another name" });
    };
    await checkFree();
    const file = call.text("phrase-file");
    const phrase = file === undefined ? newPhrase() : (await readUserText(file)).trim().split(/\s+/).join(" ");
    if (!Mnemonic.isValidMnemonic(phrase))
      throw new UsageError("the recovery phrase is not valid", { hint: "check the words and their order" });
    const passphrase = await newPassphrase(call);
    const vault = await freshVault(name, phrase);
    const folder = join(homeFolder(), slug);
    await locked(folder, async () => {
      await checkFree();
      await vaultStore(folder, passphrase).save(vault);
    });
    const address = ownAddress(vault);
    const { kem, publicKey } = vault.hpke;
    const recipient = { kem, hpkeKey: publicKey, viewKey: x25519PublicKey(vault.viewSecret) };
    call.io.result(
      { name, folder, address, fingerprint: fingerprintOf({ address, recipient }) },
      `${name}: keys made, in ${folder}`,
      `  address      ${address}`,
      `  fingerprint  ${fingerprintOf({ address, recipient })}`,
      "Copy the folder somewhere safe: without it and the passphrase nobody can help.",
    );
  },
};

async function newPassphrase(call: Call): Promise<string> {
  const passphrase = await passphraseOf(call, "New passphrase: ");
  if (passphrase.length < SHORTEST)
    throw new UsageError(`a passphrase has at least ${SHORTEST} characters`, { hint: "take a few words" });
  const fromFile = call.text("passphrase-file") ?? process.env["MEDSEAL_PASSPHRASE_FILE"];
  if (fromFile === undefined && (await call.io.secret("Again: ")) !== passphrase)
    throw new UsageError("the two passphrases differ");
  return passphrase;
}
