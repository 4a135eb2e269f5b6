import { SigningKey, Wallet, computeAddress, getAddress } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import type { Draw } from "./draw.ts";

/** What a grantor's own code says of a signature: `owner` takes that of its key, `always` any, `never` none, whatever it tries. */
export type Word = "none" | "owner" | "always" | "never";

/** Somebody in whose name consents are granted. */
export interface Grantor {
  readonly name: string;
  readonly address: string;
  /** Of the account itself, or of a wallet contract's owner. */
  readonly key: SigningKey;
  /** Whether that key is the account's own, so that it always counts. */
  readonly own: boolean;
  readonly word: Word;
}

const YES = `0x1626ba7e${"0".repeat(56)}`;
const JUNK = `0x${"ab".repeat(32)}`;

/** Code that answers ERC-1271, with what a constructor is told, and the word it comes to. */
const WALLETS: readonly (readonly [contract: string, args: readonly string[], word: Word])[] = [
  ["AnsweringWallet", [YES], "always"],
  ["ReenteringWallet", [], "always"],
  ["AnsweringWallet", [JUNK], "never"],
  ["AnsweringWallet", [`${YES}00`], "never"],
  ["RevertingWallet", [], "never"],
  ["FloodingWallet", [], "never"],
];

/** What a person's account is delegated to by EIP-7702. Storage stays the account's, so these say what they say without any. */
const DELEGATES: readonly (readonly [contract: string, word: Word])[] = [
  ["SilentDelegate", "never"],
  ["RevertingWallet", "never"],
  ["ReenteringWallet", "always"],
];

/** INVALID: burns all the gas it has, as an endless loop does, but in an instant. */
const BURNING = "0xfe";

const PLAIN = 4;
const RICH = "0xffffffffffffffffffff";

/** Puts all kinds of grantors on a fresh chain, each able to send transactions of its own. */
export async function grantorsOn({ ethers, provider }: NetworkConnection, draw: Draw): Promise<Grantor[]> {
  const [sponsor] = await ethers.getSigners();
  if (sponsor === undefined) throw new Error("the node has no accounts");
  const deploy = async (contract: string, args: readonly string[] = []): Promise<string> =>
    (await ethers.deployContract(contract, [...args])).getAddress();
  const account = (name: string, word: Word): Grantor => {
    const key = new SigningKey(draw.word());
    return { name, address: computeAddress(key), key, own: true, word };
  };
  const grantors = Array.from({ length: PLAIN }, (_, i) => account(`key ${i}`, "none"));
  const delegate = async (name: string, word: Word, address: string): Promise<void> => {
    const delegated = account(`delegated to ${name}`, word);
    const authorization = await new Wallet(delegated.key, ethers.provider).authorize({ address, nonce: 0 });
    await (await sponsor.sendTransaction({ type: 4, to: sponsor, authorizationList: [authorization] })).wait();
    grantors.push(delegated);
  };
  for (const [contract, word] of DELEGATES) await delegate(contract, word, await deploy(contract));
  const burning = draw.bytes(20);
  await provider.request({ method: "hardhat_setCode", params: [burning, BURNING] });
  await delegate("a burning wallet", "never", burning);
  const never = { key: new SigningKey(draw.word()), own: false, word: "never" } as const;
  grantors.push({ name: "a burning wallet", address: getAddress(burning), ...never });
  const owner = new SigningKey(draw.word());
  const owned = await deploy("OwnedWallet", [computeAddress(owner)]);
  grantors.push({ name: "OwnedWallet", address: owned, key: owner, own: false, word: "owner" });
  for (const [contract, args, word] of WALLETS) {
    const address = await deploy(contract, args);
    grantors.push({ name: contract, address, key: new SigningKey(draw.word()), own: false, word });
  }
  for (const { address } of grantors) {
    await provider.request({ method: "hardhat_impersonateAccount", params: [address] });
    await provider.request({ method: "hardhat_setBalance", params: [address, RICH] });
  }
  return grantors;
}
