import type { webcrypto } from "node:crypto";

declare global {
  // The declarations of @hpke name the browser's types, which this project's `lib` leaves out.
  type CryptoKey = webcrypto.CryptoKey;
  type CryptoKeyPair = webcrypto.CryptoKeyPair;
}
