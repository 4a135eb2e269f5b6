import { Wallet } from "ethers";
import { fromHex, hex0x } from "../../src/bytes/bytes.ts";
import type { Consent, Hex } from "../../src/consent/consent.ts";
import { draftConsent } from "../../src/consent/draft.ts";
import type { RegistryAddress } from "../../src/consent/typed-data.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import type { CheckpointPlace } from "../../src/log/checkpoint.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import type { Channel, Observation } from "../../src/observation/observation.ts";
import { draw } from "./suite.ts";

export const patient = new Wallet(`0x${"11".repeat(32)}`);
export const clinician = new Wallet(`0x${"22".repeat(32)}`);
export const gateway = new Wallet(`0x${"33".repeat(32)}`);
export const at: RegistryAddress = { chainId: 31337, registry: "0x5FbDB2315678afecb367f032d93F642f64180aa3" };
export const place: CheckpointPlace = {
  chainId: 31337n,
  anchor: fromHex("e7f1725E7734CE288F8367e1Bb143E90bb3F0512"),
  gateway: fromHex(gateway.address),
};

export const LENGTH = 3600;
/** 2026-02-01T00:00:00Z. */
export const START = 1_769_904_000;
export const EPOCH = START / LENGTH;

const heartRate: Channel = { code: { system: "http://loinc.org", code: "8867-4" }, unit: "/min" };
const systolic: Channel = {
  code: { system: "http://loinc.org", code: "85354-9" },
  component: { system: "http://loinc.org", code: "8480-6" },
  unit: "mm[Hg]",
};
const wave: Channel = { code: { system: "urn:iso:std:iso:11073:10101", code: "131329" }, unit: "mV" };
const probe: Channel = { code: { system: "https://example.org/codes", code: "sonde-fixée" }, unit: "" };

const quantity = (decimal: string): Observation["value"] => ({ kind: "quantity", decimal, comparator: "" });

/** Every kind of value, form of time and way of writing a decimal. */
export const observations: readonly Observation[] = [
  { channel: heartRate, time: "2026-02-01T00:00:00Z", status: "final", value: quantity("72") },
  { channel: heartRate, time: "2026-02-01T00:00:01Z", status: "final", value: quantity("71") },
  { channel: heartRate, time: "2026-02-01T01:00:01.500+01:00", status: "preliminary", value: quantity("72.0") },
  { channel: heartRate, time: "2026-02-01T00:00:02Z", status: "final", value: quantity("-0.0") },
  { channel: heartRate, time: "2026-02-01T00:00:03Z", status: "final", value: quantity("1e3") },
  {
    channel: heartRate,
    time: "2026-02-01T00:00:04.123456789-00:00",
    status: "final",
    value: quantity("999999999999999"),
  },
  { channel: heartRate, time: "2026-02-01T00:00:05Z", status: "final", value: quantity("1234567890123456") },
  {
    channel: systolic,
    time: "2026-02-01T00:00:05Z",
    status: "corrected",
    value: { kind: "quantity", decimal: "300", comparator: ">=" },
  },
  {
    channel: heartRate,
    time: "2026-02-01T00:00:06Z",
    status: "final",
    value: { kind: "missing", reason: "not-a-number", source: "NaN" },
  },
  {
    channel: wave,
    time: "2026-02-01T14:00:07+14:00",
    status: "amended",
    value: {
      kind: "sampled",
      sampled: {
        origin: "0",
        period: "4",
        factor: "0.005",
        lowerLimit: "",
        upperLimit: "2047",
        dimensions: 1,
        data: "12 -3 E 0",
      },
    },
  },
  {
    channel: probe,
    time: "2026-01-31T10:00:07-14:00",
    status: "registered",
    value: { kind: "boolean", value: true },
  },
];

export const device = generateSigningKey(draw("device key"));

export const stream: StreamDescriptor = {
  id: draw("stream id")(32),
  name: "heart-rate",
  channels: [heartRate],
  epochLength: LENGTH,
  batchClass: 0,
};

const HOURS = 8;
export const END = START + HOURS * LENGTH;

const terms = {
  grantor: patient.address,
  streams: [hex0x(stream.id)],
  purpose: "TREAT",
  dataStart: START,
  dataEnd: END,
  periodStart: START,
  periodEnd: START + 59 * 86_400,
};

export const readConsent: Consent = draftConsent(
  { ...terms, grantee: clinician.address, actions: ["READ", "AUDIT"] },
  draw("salt of read"),
);
export const writeConsent: Consent = draftConsent(
  { ...terms, grantee: gateway.address, actions: ["WRITE"] },
  draw("salt of write"),
);

/** Ids of three more streams, not in order. */
export const streamIds: readonly Hex[] = ["c", "a", "b"].map((label) => hex0x(draw(`stream ${label}`)(32)));

export const researchConsent: Consent = draftConsent(
  {
    ...terms,
    grantee: clinician.address,
    streams: streamIds,
    purpose: "HRESCH+DUO:0000007=MONDO:0005015+DUO:0000042",
    actions: ["READ", "SHARE", "DELEGATE"],
    parent: hex0x(draw("parent")(32)),
  },
  draw("salt of research"),
);
