import { HDNodeWallet, Mnemonic, type Provider } from "ethers";
import { random, type Random } from "../bytes/random.ts";
import { UsageError } from "../errors.ts";

/**
 * One address per relationship: a patient uses another one with every grantee and every gateway, so that the chain does
 * not show that they belong together. All come from one BIP-39 phrase.
 *
 * The relationship with number i has the account i of BIP-44, `m/44'/60'/i'/0/0`, which common wallets find again. The
 * account level is hardened: who gets hold of one relationship's key and the public key above it learns no other key.
 */
export const relationshipPath = (index: number): string => {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** 31)
    throw new UsageError("a relationship has a number from 0");
  return `m/44'/60'/${index}'/0/0`;
};

/** A fresh BIP-39 phrase of 24 words (256 bits). */
export const newPhrase = (draw: Random = random): string => Mnemonic.fromEntropy(draw(32)).phrase;

export class RelationshipWallet {
  readonly #root: HDNodeWallet;

  /**
   * @param phrase - BIP-39, 12 to 24 English words.
   * @param passphrase - The optional 25th word; a wrong one gives other addresses, not an error.
   * @throws UsageError for words or a checksum that cannot be; the phrase is not repeated.
   */
  constructor(phrase: string, passphrase = "") {
    const words = phrase.normalize("NFKD").trim().toLowerCase().split(/\s+/).join(" ");
    if (!Mnemonic.isValidMnemonic(words)) {
      throw new UsageError("the recovery phrase is not valid", { hint: "check the words and their order" });
    }
    this.#root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(words, passphrase), "m");
  }

  /** Signer of the relationship with this number; keep beside the relationship which number it has. */
  signer(index: number, provider?: Provider): HDNodeWallet {
    const node = this.#root.derivePath(relationshipPath(index));
    return provider === undefined ? node : node.connect(provider);
  }
}
