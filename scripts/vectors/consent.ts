import { hex0x } from "../../src/bytes/bytes.ts";
import { consentId, type Consent, type Hex } from "../../src/consent/consent.ts";
import { encodeConsent } from "../../src/consent/encoding.ts";
import { scopeOf } from "../../src/consent/scope.ts";
import { signGrant, signRevoke, signRevokeAll } from "../../src/consent/sign.ts";
import { formatSigned, signedDigest, type SignedMessage } from "../../src/consent/signed.ts";
import { at, patient, readConsent, researchConsent, START, stream, streamIds, writeConsent } from "./samples.ts";
import { bad, damaged, flip, good, type Suite } from "./suite.ts";

function consentSuite(): Suite {
  const bytes = encodeConsent(readConsent);
  const inputs = (changed: Uint8Array): object => ({ bytes: changed });
  const whole = (consent: Consent): object => ({ ...consent, id: consentId(consent) });
  // 90 purpose, its length and five letters; then four times and actions.
  const [dataEndAt, actionsAt] = [96 + 6, 96 + 24];
  return {
    format: "consent",
    section: 21,
    cases: [
      good("to read and audit", inputs(bytes), whole(readConsent)),
      good("to write", inputs(encodeConsent(writeConsent)), whole(writeConsent)),
      good("passed on, for research, several streams", inputs(encodeConsent(researchConsent)), whole(researchConsent)),
      ...damaged(inputs, bytes),
      bad("one letter of the statement", inputs(flip(bytes, -2)), "ERR_STATEMENT_DIFFERS"),
      bad("another grantee than the statement's", inputs(flip(bytes, 40)), "ERR_STATEMENT_DIFFERS"),
      bad("other actions than the statement's", inputs(flip(bytes, actionsAt + 1)), "ERR_STATEMENT_DIFFERS"),
      bad("an unknown action", inputs(bytes.with(actionsAt, 1)), "ERR_CONSENT_INVALID"),
      bad("no action", inputs(bytes.with(actionsAt + 1, 0)), "ERR_CONSENT_INVALID"),
      bad("an unknown purpose", inputs(flip(bytes, 91)), "ERR_CONSENT_INVALID"),
      bad("a window that ends before it starts", inputs(bytes.with(dataEndAt + 2, 0)), "ERR_CONSENT_INVALID"),
      bad("a time after the year 9999", inputs(bytes.with(dataEndAt, 255)), "ERR_CONSENT_INVALID"),
      bad(
        "no scope",
        inputs(new Uint8Array([...bytes.slice(0, 58), ...new Uint8Array(32), ...bytes.slice(90)])),
        "ERR_CONSENT_INVALID",
      ),
    ],
  };
}

function scopeSuite(): Suite {
  const [a] = streamIds;
  return {
    format: "scope",
    section: 21,
    cases: [
      good("one stream", { streams: [hex0x(stream.id)] }, hex0x(stream.id)),
      good("three streams", { streams: streamIds }, scopeOf(streamIds)),
      good("three streams in another order", { streams: [...streamIds].reverse() }, scopeOf(streamIds)),
      bad("none", { streams: [] }, "ERR_CONSENT_INVALID"),
      bad("one twice", { streams: [a, a] }, "ERR_CONSENT_INVALID"),
      bad(
        "257",
        {
          streams: Array.from({ length: 257 }, (_, i) =>
            hex0x(
              new Uint8Array(32)
                .fill(1, 31)
                .with(0, i & 255)
                .with(1, i >> 8),
            ),
          ),
        },
        "ERR_CONSENT_INVALID",
      ),
    ],
  };
}

const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

async function signedSuite(): Promise<Suite> {
  const now = (): number => START;
  const grant = await signGrant(patient, at, readConsent, { now, issuedAt: START, deadline: START + 86_400 });
  const revoke = await signRevoke(patient, at, readConsent, { now });
  const revokeAll = await signRevokeAll(patient, at, patient.address as Hex, { now, issuedAt: START });
  const inputs = (text: string): object => ({ ...at, text });
  const sane = (message: SignedMessage): ReturnType<typeof good> =>
    good(message.format, inputs(formatSigned(message)), { message, digest: signedDigest(message) });
  const changed = (change: object): object => inputs(JSON.stringify({ ...grant, ...change }));
  const { deadline: _deadline, ...without } = grant;
  // The other of the two s that fit: n - s, with the other v.
  const s = SECP256K1_N - BigInt(`0x${grant.signature.slice(66, 130)}`);
  const v = grant.signature.endsWith("1b") ? "1c" : "1b";
  const highS = `${grant.signature.slice(0, 66)}${s.toString(16).padStart(64, "0")}${v}`;
  return {
    format: "signed-message",
    section: 22,
    cases: [
      sane(grant),
      sane(revoke),
      sane(revokeAll),
      good(
        "white space and another order of keys",
        inputs(JSON.stringify(Object.fromEntries(Object.entries(grant).reverse()), null, 1)),
        { message: grant, digest: signedDigest(grant) },
      ),
      good("whole numbers in another form", inputs(formatSigned(grant).replace(`:${START},`, `:${START}.0,`)), {
        message: grant,
        digest: signedDigest(grant),
      }),
      bad("not JSON", inputs("grant"), "ERR_SIGNED_MESSAGE"),
      bad("a key too many", changed({ note: "" }), "ERR_SIGNED_MESSAGE"),
      bad("a key twice", inputs(formatSigned(grant).replace("{", '{"deadline":1,')), "ERR_SIGNED_MESSAGE"),
      bad(
        "a key twice, once by its escape",
        inputs(formatSigned(grant).replace("{", '{"de\\u0061dline":1,')),
        "ERR_SIGNED_MESSAGE",
      ),
      bad("a list", inputs(`[${formatSigned(grant)}]`), "ERR_SIGNED_MESSAGE"),
      bad("two messages", inputs(formatSigned(grant) + formatSigned(grant)), "ERR_SIGNED_MESSAGE"),
      bad("a byte-order mark", inputs(`\ufeff${formatSigned(grant)}`), "ERR_SIGNED_MESSAGE"),
      bad("a chain id of 0", changed({ chainId: 0 }), "ERR_SIGNED_MESSAGE"),
      bad("a chain id above 2^53 - 1", changed({ chainId: 2 ** 53 }), "ERR_SIGNED_MESSAGE"),
      bad("a time with a fraction", changed({ issuedAt: START + 0.5 }), "ERR_SIGNED_MESSAGE"),
      bad("a time after the year 9999", changed({ deadline: 253_402_300_800 }), "ERR_SIGNED_MESSAGE"),
      bad(
        "a consent id in capitals",
        changed({ consentId: grant.consentId.toUpperCase().replace("X", "x") }),
        "ERR_SIGNED_MESSAGE",
      ),
      bad("a signature of 64 bytes", changed({ signature: grant.signature.slice(0, -2) }), "ERR_SIGNED_MESSAGE"),
      bad("a signature with v 0", changed({ signature: `${grant.signature.slice(0, -2)}00` }), "ERR_SIGNED_MESSAGE"),
      bad("no signature", changed({ signature: "0x" }), "ERR_SIGNED_MESSAGE"),
      bad("a key missing", inputs(JSON.stringify(without)), "ERR_SIGNED_MESSAGE"),
      bad("an unknown format", changed({ format: "medseal-signed-loan" }), "ERR_SIGNED_MESSAGE"),
      bad("version 2", changed({ version: 2 }), "ERR_SIGNED_MESSAGE"),
      bad("a grantor without its checksum", changed({ grantor: grant.grantor.toLowerCase() }), "ERR_SIGNED_MESSAGE"),
      bad("a time as text", changed({ issuedAt: String(START) }), "ERR_SIGNED_MESSAGE"),
      bad("another deadline than signed", changed({ deadline: START + 86_401 }), "ERR_SIGNED_MESSAGE"),
      bad("another consent than signed", changed({ consentId: consentId(writeConsent) }), "ERR_SIGNED_MESSAGE"),
      bad("another grantor than signed", changed({ grantor: readConsent.grantee }), "ERR_SIGNED_MESSAGE"),
      bad("another chain", { ...inputs(formatSigned(grant)), chainId: 1 }, "ERR_SIGNED_MESSAGE"),
      bad("s in the upper half", changed({ signature: highS }), "ERR_SIGNED_MESSAGE"),
    ],
  };
}

export const consentSuites = async (): Promise<Suite[]> => [consentSuite(), scopeSuite(), await signedSuite()];
