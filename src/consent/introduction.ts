import { getAddress, verifyTypedData } from "ethers";
import { fromHex, hex0x } from "../bytes/bytes.ts";
import type { Hex } from "./consent.ts";
import type { TypedSigner } from "./sign.ts";

/** Bytes of an introduction: an ECDSA signature r ‖ s ‖ v. */
export const INTRODUCTION_SIZE = 65;

const DOMAIN = { name: "MedSeal introduction", version: "1" };
const TYPES = {
  Introduction: [
    { name: "grantor", type: "address" },
    { name: "grantee", type: "address" },
  ],
};

/**
 * Says to a grantee that the address made for this relationship is one's own: signed with the key of the address that one is known by. It goes
 * inside what is sealed to the grantee and never on chain.
 *
 * @returns 65 bytes.
 */
export const introduce = async (known: TypedSigner, grantor: Hex, grantee: Hex): Promise<Uint8Array> =>
  fromHex(await known.signTypedData(DOMAIN, TYPES, { grantor, grantee }));

/** The address that the grantor is known by, as an introduction to this grantee says; undefined for one that is none. */
export function introducedBy(introduction: Uint8Array, grantor: Hex, grantee: Hex): Hex | undefined {
  try {
    return getAddress(verifyTypedData(DOMAIN, TYPES, { grantor, grantee }, hex0x(introduction))) as Hex;
  } catch {
    return undefined;
  }
}
