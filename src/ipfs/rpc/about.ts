import { generateKeyPairSync } from "node:crypto";
import { base58btc } from "multiformats/bases/base58";
import { identity } from "multiformats/hashes/identity";
import { concat } from "../../bytes/bytes.ts";
import type { Command } from "./call.ts";

const AGENT = "medseal-node";
const VERSION = "0.1.0";
/** Of a libp2p public key message: type Ed25519, then 32 bytes of key. */
const KEY_HEADER = Uint8Array.of(0x08, 0x01, 0x12, 0x20);

export const version: Command = () => {
  const system = `${process.arch}/${process.platform}`;
  return Promise.resolve({
    json: { Version: VERSION, Commit: "", Repo: "1", System: system, Golang: "", Agent: AGENT },
  });
};

/** `id`: a node without a network has no peer id to keep, yet clients parse one; it is drawn anew for each process. */
export const id: Command = () => {
  const message = publicKeyMessage();
  const text = base58btc.baseEncode(identity.digest(message).bytes);
  const key = Buffer.from(message).toString("base64");
  return Promise.resolve({
    json: { ID: text, PublicKey: key, Addresses: [], AgentVersion: `${AGENT}/${VERSION}`, Protocols: [] },
  });
};

let drawn: Uint8Array | undefined;

function publicKeyMessage(): Uint8Array {
  drawn ??= concat(
    KEY_HEADER,
    generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "der" }).subarray(-32),
  );
  return drawn;
}
