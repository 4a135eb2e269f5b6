import { HDNodeWallet } from "ethers";
import { utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { ENVELOPE_CLASS } from "../../src/envelope/envelope.ts";
import { mailRow } from "../../src/log/mail.ts";
import { DHKEM_X25519, generateKeyPair, type HpkeKeyPair } from "../../src/seal/hpke.ts";
import { x25519PublicKey } from "../../src/seal/x25519.ts";
import { cardOf, readCard } from "../cli/card.ts";
import { sealRequest, type ConsentRequest } from "../cli/request.ts";
import type { Vault } from "../cli/vault.ts";
import { patient, START } from "./samples.ts";
import { bad, damaged, draw, flip, good, type Suite } from "./suite.ts";

const wallet = HDNodeWallet.fromSeed(draw("asker's seed")(32));

async function asker(): Promise<{ hpke: HpkeKeyPair; card: string }> {
  const hpke = await generateKeyPair(DHKEM_X25519, draw("asker's key"));
  const vault = { name: "Dr Zoë Lee", hpke, viewSecret: draw("asker's view key")(32) } as unknown as Vault;
  return { hpke, card: await cardOf(vault, wallet) };
}

function cardSuite(text: string): Suite {
  const { name, address, recipient } = readCard(text);
  const card = JSON.parse(text) as Record<string, unknown>;
  const changed = (change: object): object => ({ text: JSON.stringify({ ...card, ...change }) });
  const { kem: _kem, ...without } = card;
  const wrong: Readonly<Record<string, object>> = {
    "not JSON": { text: "card" },
    "another format": changed({ format: "medseal-cart" }),
    "version 2": changed({ version: 2 }),
    "a key too many": changed({ note: "" }),
    "a key missing": { text: JSON.stringify(without) },
    "no name": changed({ name: "" }),
    "a name of 65 letters": changed({ name: "x".repeat(65) }),
    "another name than signed": changed({ name: "Dr Zoë Lie" }),
    "a holder without its checksum": changed({ holder: wallet.address.toLowerCase() }),
    "another holder than signed": changed({ holder: patient.address }),
    "an unknown KEM": changed({ kem: 16 }),
    "a KEM as text": changed({ kem: "32" }),
    "a key of another size": changed({ hpkeKey: "0x00" }),
    "a view key of another size": changed({ viewKey: "0x00" }),
  };
  return {
    format: "card",
    section: 23,
    cases: [
      good("signed", { text }, { name, address, ...recipient }),
      ...Object.entries(wrong).map(([what, inputs]) => bad(what, inputs, "ERR_CARD")),
    ],
  };
}

function mailFileSuite(): Suite {
  const viewKey = x25519PublicKey(draw("view key")(32));
  // What is in an envelope does not matter here; its size does.
  const envelope = new Uint8Array(ENVELOPE_CLASS).fill(7);
  const { ephemeral, viewTag, envelope: digest } = mailRow(sha256(envelope), viewKey, draw("mail file"));
  const file = new ByteWriter().raw(utf8("medseal/mail/1\n"));
  const bytes = file.uint(envelope.length, 4).fixed(ephemeral, 32).uint(viewTag, 1).raw(envelope).finish();
  // 16 KiB of one byte would be most of all vectors, so they stand as their number.
  const inputs = (changed: Uint8Array, times = ENVELOPE_CLASS): object => ({
    head: changed.slice(0, 52),
    sevens: times,
  });
  return {
    format: "mail-file",
    section: 23,
    cases: [
      good("one envelope of 16,384 times 07", inputs(bytes), [{ envelope: digest, ephemeral, viewTag }]),
      good("none", { head: utf8("medseal/mail/1\n"), sevens: 0 }, []),
      bad("another name", inputs(flip(bytes, 0)), "ERR_MALFORMED"),
      bad("the last byte cut off", inputs(bytes, ENVELOPE_CLASS - 1), "ERR_MALFORMED"),
      bad("a byte too many", inputs(bytes, ENVELOPE_CLASS + 1), "ERR_MALFORMED"),
      bad("nothing", { head: new Uint8Array(0), sevens: 0 }, "ERR_MALFORMED"),
      bad("an envelope of 16,383 bytes", inputs(bytes.with(17, 0x3f).with(18, 0xff), 16_383), "ERR_MALFORMED"),
      bad("an envelope without bytes", inputs(bytes.with(17, 0), 0), "ERR_MALFORMED"),
    ],
  };
}

async function requestSuite(card: string): Promise<Suite> {
  const to = await generateKeyPair(DHKEM_X25519, draw("X25519 key"));
  const request: ConsentRequest = {
    patient: patient.address,
    streams: ["heart-rate", "blood-pressure"],
    dataStart: START,
    dataEnd: START + 3600,
    periodEnd: START + 86_400,
    purpose: "TREAT",
    reason: "a check-up, as agreed on Monday",
  };
  const viewKey = draw("unused")(32);
  const recipient = { recipient: { kem: to.kem, hpkeKey: to.publicKey, viewKey } };
  const bytes = await sealRequest(request, card, wallet, recipient, draw("request"));
  const inputs = (changed: Uint8Array): object => ({
    kem: to.kem,
    privateKey: to.privateKey,
    patient: patient.address,
    bytes: changed,
  });
  const other = await generateKeyPair(DHKEM_X25519, draw("another X25519 key"));
  const [first, cut, , nothing] = damaged(inputs, bytes);
  return {
    format: "request",
    section: 23,
    cases: [
      good("signed", inputs(bytes), { request, card, signer: wallet.address }),
      first!,
      nothing!,
      { ...cut!, error: "ERR_REQUEST" },
      bad("altered", inputs(flip(bytes, -1)), "ERR_REQUEST"),
      bad("sealed to somebody else", { ...inputs(bytes), privateKey: other.privateKey }, "ERR_REQUEST"),
      bad("for another patient", { ...inputs(bytes), patient: wallet.address }, "ERR_REQUEST"),
      bad("to a key of another KEM", inputs(flip(bytes, 19)), "ERR_REQUEST"),
    ],
  };
}

export async function handedSuites(): Promise<Suite[]> {
  const { card } = await asker();
  return [cardSuite(card), mailFileSuite(), await requestSuite(card)];
}
