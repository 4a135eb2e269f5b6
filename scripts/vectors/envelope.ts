import { concat, hex0x, utf8 } from "../../src/bytes/bytes.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { consentId, type Hex } from "../../src/consent/consent.ts";
import { linkOf } from "../../src/consent/scope.ts";
import type { TypedSigner } from "../../src/consent/sign.ts";
import { ENVELOPE_CLASS, sealEnvelope, type Recipient } from "../../src/envelope/envelope.ts";
import { encodeRelease, type GenerationKeys, type Release } from "../../src/envelope/payload.ts";
import { coverOf } from "../../src/keys/cover.ts";
import { writeDescriptor } from "../../src/log/stream.ts";
import { recoveryStore } from "../../src/patient/recovery.ts";
import {
  DHKEM_X25519,
  generateKeyPair,
  KEMS,
  sealTo,
  X_WING,
  type HpkeKeyPair,
  type KemId,
} from "../../src/seal/hpke.ts";
import {
  at,
  clinician,
  EPOCH,
  patient,
  readConsent,
  researchConsent,
  START,
  stream,
  streamIds,
  writeConsent,
} from "./samples.ts";
import { bad, damaged, draw, flip, good, type Suite } from "./suite.ts";

const generation: GenerationKeys = {
  stream,
  generation: 1,
  role: "current",
  write: linkOf(writeConsent, [hex0x(stream.id)]),
  data: coverOf(draw("data root")(32), EPOCH, EPOCH + 8),
  audit: coverOf(draw("audit root")(32), EPOCH, EPOCH + 8),
};

const release: Release = {
  kind: "release",
  issuedAt: START,
  from: "Zoë",
  chain: [linkOf(readConsent, [hex0x(stream.id)])],
  keys: [generation],
  retiredBy: [],
};

const lease: Release = {
  kind: "lease",
  issuedAt: START,
  from: "",
  introduction: draw("introduction")(65),
  chain: [linkOf(writeConsent, [hex0x(stream.id)])],
  keys: [generation, { ...generation, generation: 2, role: "spare" }],
  retiredBy: [{ grantor: readConsent.grantor, id: consentId(readConsent) }],
};

function releaseSuite(): Suite {
  const audit: Release = { ...release, keys: [{ ...generation, data: undefined }] };
  const filed: Release = { ...release, keys: [{ ...generation, role: "filed" }] };
  const bytes = encodeRelease(release);
  const inputs = (changed: Uint8Array): object => ({ bytes: changed });
  const introducedAt = 18 + 1 + 6 + 1 + utf8(release.from).length;
  const linksAt = introducedAt + 1;
  const descriptor = writeDescriptor(new ByteWriter(), stream).finish();
  const writeAt = Buffer.from(bytes).indexOf(Buffer.from(descriptor)) + descriptor.length + 4 + 1;
  const withRetired = encodeRelease({ ...release, retiredBy: lease.retiredBy });
  const wrongStreams = encodeRelease({ ...release, chain: [{ consent: readConsent, streams: [hex0x(stream.id)] }] });
  const several = { ...release, chain: [linkOf(researchConsent, streamIds)] };
  const otherStreams = encodeRelease({ ...release, chain: [{ consent: researchConsent, streams: [streamIds[0]!] }] });
  const [one, two, three] = linkOf(researchConsent, streamIds).streams as [Hex, Hex, Hex];
  const turnedStreams = encodeRelease({
    ...several,
    chain: [{ consent: researchConsent, streams: [one, three, two] }],
  });
  // Without its generation a release names no leave to write; the number of generations stands before the descriptor.
  const generationsAt = writeAt - 5 - descriptor.length - 2;
  const unnamed = concat(bytes.subarray(0, generationsAt), new Uint8Array(4));
  return {
    format: "release",
    section: 20,
    cases: [
      good("to read", inputs(bytes), release),
      good("to audit, without keys of the data tree", inputs(encodeRelease(audit)), audit),
      good("of late readings that the patient filed", inputs(encodeRelease(filed)), filed),
      good("of several streams", inputs(encodeRelease(several)), several),
      good("a lease with a spare", inputs(encodeRelease(lease)), lease),
      ...damaged(inputs, bytes),
      bad("an unknown kind", inputs(bytes.with(18, 2)), "ERR_MALFORMED"),
      bad("an introduction of one byte", inputs(bytes.with(introducedAt, 1)), "ERR_MALFORMED"),
      bad("no consent", inputs(bytes.with(linksAt, 0)), "ERR_MALFORMED"),
      bad("five consents", inputs(bytes.with(linksAt, 5)), "ERR_MALFORMED"),
      bad("a release that retires", inputs(withRetired), "ERR_MALFORMED"),
      bad("a generation twice", inputs(encodeRelease({ ...release, keys: [generation, generation] })), "ERR_MALFORMED"),
      bad("a leave to write that is not listed", inputs(flip(bytes, writeAt + 1)), "ERR_MALFORMED"),
      bad("a list for one stream", inputs(wrongStreams), "ERR_MALFORMED"),
      bad("streams that do not have the scope", inputs(otherStreams), "ERR_CONSENT_INVALID"),
      bad("streams that do not ascend", inputs(turnedStreams), "ERR_MALFORMED"),
      bad("an unknown role", inputs(bytes.with(writeAt - 1, 4)), "ERR_MALFORMED"),
      bad("a flag of 2 before the keys of the data tree", inputs(bytes.with(writeAt + 2, 2)), "ERR_MALFORMED"),
      bad("an epoch length that divides no day", inputs(bytes.with(writeAt - 7, 0x11)), "ERR_MALFORMED"),
      bad("an unknown class of batches", inputs(bytes.with(writeAt - 6, 6)), "ERR_MALFORMED"),
      bad("a leave to write that no generation names", inputs(unnamed), "ERR_MALFORMED"),
      bad("a cover that is none", inputs(flip(bytes, writeAt + 3 + 4)), "ERR_MALFORMED"),
      bad("a consent whose statement differs", inputs(flip(bytes, linksAt + 3 + 40)), "ERR_STATEMENT_DIFFERS"),
    ],
  };
}

const pairs = async (): Promise<[HpkeKeyPair, HpkeKeyPair]> => [
  await generateKeyPair(X_WING, draw("X-Wing key")),
  await generateKeyPair(DHKEM_X25519, draw("X25519 key")),
];

const recipient = ({ kem, publicKey }: HpkeKeyPair): Recipient => ({
  kem,
  hpkeKey: publicKey,
  viewKey: draw("unused")(32),
});

async function envelopeSuite(): Promise<Suite> {
  const [xWing, x25519] = await pairs();
  const [one, two] = [
    await sealEnvelope(release, patient, recipient(xWing), at, draw("encapsulation 1")),
    await sealEnvelope(release, patient, recipient(x25519), at, draw("encapsulation 2")),
  ];
  const pretender: TypedSigner = {
    getAddress: () => patient.getAddress(),
    signTypedData: (...given) => clinician.signTypedData(...given),
  };
  const forged = await sealEnvelope(release, pretender, recipient(x25519), at, draw("encapsulation 4"));
  const inputs = ({ kem, privateKey }: HpkeKeyPair, block: Uint8Array): object => ({ ...at, kem, privateKey, block });
  const shape = async (plain: Uint8Array): Promise<Uint8Array> => {
    const kem: KemId = DHKEM_X25519;
    const head = new ByteWriter().raw(utf8("medseal/envelope/1\n")).uint(kem, 2).uint(KEMS[kem].enc, 2).finish();
    const info = new ByteWriter()
      .raw(utf8("medseal/v1/envelope"))
      .uint(at.chainId, 8)
      .raw(Buffer.from(at.registry.slice(2), "hex"));
    const { enc, ciphertext } = await sealTo(
      kem,
      x25519.publicKey,
      info.finish(),
      head,
      plain,
      draw("encapsulation 3"),
    );
    return concat(head, enc, ciphertext);
  };
  const full = ENVELOPE_CLASS - 23 - 32 - 16;
  const stray = new Uint8Array(full).fill(1, full - 1);
  stray.set(new ByteWriter().sized(encodeRelease(release), 4).finish());
  return {
    format: "envelope",
    section: 19,
    cases: [
      good("X-Wing", inputs(xWing, one), release),
      good("X25519", inputs(x25519, two), release),
      bad("not signed by the grantor", inputs(x25519, forged), "ERR_RELEASE_FORGED"),
      bad("altered", inputs(x25519, flip(two, -1)), "ERR_HPKE_OPEN"),
      bad("for another registry", { ...inputs(x25519, two), registry: readConsent.grantee }, "ERR_HPKE_OPEN"),
      bad("no multiple of 16384 bytes", inputs(x25519, two.slice(0, 100)), "ERR_MALFORMED"),
      bad("padding that is not zero", inputs(x25519, await shape(stray)), "ERR_MALFORMED"),
      bad("nothing", inputs(x25519, new Uint8Array(0)), "ERR_MALFORMED"),
    ],
  };
}

async function recoverySuite(): Promise<Suite> {
  const roots = {
    stream: stream.id,
    generation: 1,
    dataRoot: draw("data root")(32),
    auditRoot: draw("audit root")(32),
  };
  const cases: Suite["cases"][number][] = [];
  for (const keys of await pairs()) {
    const boxes: Uint8Array[] = [];
    const store = recoveryStore(
      { put: async (_name, box) => Promise.resolve(void boxes.push(box)) },
      { ...keys, version: 1 },
      draw("box"),
    );
    await store.store(stream, { number: roots.generation, dataRoot: roots.dataRoot, auditRoot: roots.auditRoot });
    const box = boxes[0] as Uint8Array;
    const { name } = KEMS[keys.kem];
    const inputs = (changed: Uint8Array): object => ({ kem: keys.kem, privateKey: keys.privateKey, box: changed });
    cases.push(
      good(name, inputs(box), roots),
      bad(`${name}, another name`, inputs(flip(box, 0)), "ERR_MALFORMED"),
      bad(`${name}, another version of the key`, inputs(flip(box, 22)), "ERR_HPKE_OPEN"),
      bad(`${name}, altered`, inputs(flip(box, -1)), "ERR_HPKE_OPEN"),
      bad(`${name}, cut before the ciphertext`, inputs(box.slice(0, 26)), "ERR_MALFORMED"),
    );
  }
  return { format: "recovery", section: 23, cases };
}

export const envelopeSuites = async (): Promise<Suite[]> => [
  releaseSuite(),
  await envelopeSuite(),
  await recoverySuite(),
];
