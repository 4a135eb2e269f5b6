import { concat, getBytes, Signature, toBeHex } from "ethers";
import { grantDigest, revokeAllDigest, revokeDigest, type RegistryAddress } from "../../../src/consent/typed-data.ts";
import type { Hex } from "../../../src/consent/consent.ts";
import type { Message } from "../model.ts";
import type { Grantor } from "./actors.ts";
import type { Draw } from "./draw.ts";

const DAY = 86_400;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** A message on its way. `genuine`: the signature is that of the grantor's key over exactly this, for this contract and chain. */
export interface Signed {
  readonly message: Message;
  readonly grantor: Grantor;
  readonly signature: string;
  readonly genuine: boolean;
}

export const digestOf = (at: RegistryAddress, message: Message): string => {
  if (message.kind === "grant") return grantDigest(at, message.id as Hex, message.issuedAt, message.deadline);
  if (message.kind === "revoke") return revokeDigest(at, message.id as Hex);
  return revokeAllDigest(at, message.grantor as Hex, message.issuedAt);
};

/** Whether the signature counts when the message comes alone, and when it comes in a batch, which asks no contract. */
export const counts = ({ grantor, genuine }: Signed, batched: boolean): boolean => {
  if (genuine && grantor.own) return true;
  if (batched) return false;
  return grantor.word === "always" || (grantor.word === "owner" && genuine);
};

/** What a grantor might say next, by a clock that is wrong at times, for as long as may be or too long. */
export function drawMessage(draw: Draw, grantor: Grantor, ids: readonly string[], now: number): Message {
  const issuedAt = now + draw.of([0, 0, 0, 1, -1, -60, 600, 900, 901, -DAY, -6 * DAY, -8 * DAY]) + draw.below(3) - 1;
  const deadline = issuedAt + draw.of([0, 60, DAY, 7 * DAY, 7 * DAY, 7 * DAY, 7 * DAY + 1]);
  const kind = draw.act([[10, "grant"] as const, [3, "revoke"] as const, [1, "revokeAll"] as const]);
  const to = grantor.address;
  if (kind === "grant") return { kind, grantor: to, id: draw.of(ids), issuedAt, deadline };
  if (kind === "revoke") return { kind, grantor: to, id: draw.of(ids) };
  return { kind, grantor: to, issuedAt };
}

export const sign = (at: RegistryAddress, grantor: Grantor, message: Message): Signed => ({
  message,
  grantor,
  signature: grantor.key.sign(digestOf(at, message)).serialized,
  genuine: true,
});

/** The same with something wrong: the form, the place it was signed for, the signer, or what it says. */
export function forge(draw: Draw, signed: Signed, at: RegistryAddress, others: readonly Signed[]): Signed {
  const { grantor, message, signature } = signed;
  const { r, s, v, compactSerialized } = Signature.from(grantor.key.sign(digestOf(at, message)));
  const flipped = getBytes(signature);
  const place = draw.below(flipped.length);
  flipped[place] = (flipped[place] ?? 0) ^ (1 << draw.below(8));
  const elsewhere = draw.chance(0.5)
    ? { ...at, chainId: at.chainId + 1 }
    : { ...at, registry: `0x${"11".repeat(20)}` as const };
  const stranger = draw.of(others).grantor;
  const signatures = [
    () => concat([r, toBeHex(ORDER - BigInt(s), 32), toBeHex(v === 27 ? 28 : 27)]),
    () => compactSerialized,
    () => "0x",
    () => `${signature}00`,
    () => concat([flipped]),
    () => draw.bytes(65),
    () => grantor.key.sign(digestOf(elsewhere, message)).serialized,
    () => (stranger.key === grantor.key ? "0x" : stranger.key.sign(digestOf(at, message)).serialized),
  ];
  if (draw.chance(0.7)) return { ...signed, signature: draw.of(signatures)(), genuine: false };
  return { ...signed, message: changed(draw, message), genuine: false };
}

/** Another message with one field not as it was signed. */
function changed(draw: Draw, message: Message): Message {
  const later = (time: number): number => time + draw.of([-1, 1, 60]);
  if (message.kind === "revokeAll") return { ...message, issuedAt: later(message.issuedAt) };
  if (message.kind === "revoke" || draw.chance(0.3)) return { ...message, id: draw.word() };
  return draw.chance(0.5)
    ? { ...message, issuedAt: later(message.issuedAt) }
    : { ...message, deadline: later(message.deadline) };
}
