import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hexlify, id } from "ethers";
import { concat, fromHex, hex, utf8 } from "../../src/bytes/bytes.ts";
import { BATCH_CLASSES } from "../../src/log/batch.ts";
import { decodeObservation, encodeObservation } from "../../src/log/leaf.ts";
import { MAIL_ROWS } from "../../src/log/mail.ts";
import { leafHash } from "../../src/log/merkle.ts";
import type { Observation } from "../../src/observation/observation.ts";
import { ingest, openGateway, type DemoGateway } from "../../scripts/demo/gateway.ts";
import { newIdentity } from "../../scripts/demo/parties.ts";
import { ENVELOPE_CLASS } from "../../src/envelope/envelope.ts";
import { granted, handLease, mailRelease, openPatient, relayed, type DemoPatient } from "../../scripts/demo/patient.ts";
import { lookThrough, type Recording } from "../../scripts/demo/recording.ts";
import { openArchive, openWorld, type World } from "../../scripts/demo/world.ts";
import { everythingPublic, hashesOf, Places, sent, type Public } from "./public.ts";

const SECONDS = 30;
const EPOCH = 10;
const START = Date.parse("2026-03-01T08:00:00Z") / 1000;
const CODES = {
  "heart rate": { LOINC: "8867-4", MDC: "147842", unit: "/min" },
  "oxygen saturation": { LOINC: "59408-5", MDC: "150456", unit: "%" },
  "respiratory rate": { LOINC: "9279-1", MDC: "151562", unit: "/min" },
  temperature: { LOINC: "8310-5", MDC: "150364", unit: "Cel" },
  glucose: { LOINC: "2339-0", MDC: "160184", unit: "mg/dL" },
} as const;
const SYSTEMS = { LOINC: "http://loinc.org", MDC: "urn:iso:std:iso:11073:10101" };

/** Texts that must not be found anywhere in public: each is where it says, in the recording, the consents or the envelopes. */
const CANARIES = {
  value: "173.19053107",
  "another value": "0.000418723",
  system: "urn:canary:8f31-system",
  code: "CANARY-CODE-5519",
  unit: "mg{canary-unit-7716}",
  stream: "code-CANARY-CODE-5519",
  "label of the patient": "Canary Patient Annabel",
  clinician: "Dr Canary Quux",
  colleague: "Dr Canary Flob",
  gateway: "Canary Ward Gateway",
  zone: "Europe/Vaduz",
  device: "canary-device-SN-40921",
  purpose: "HRESCH+DUO:0000007=MONDO:0004975",
  file: "canary-file-of-bed-9",
};

/** A row a value, in local time. */
const rows = (): string[] => {
  const { system, code, unit, device } = CANARIES;
  const all = ["local time,system,code,unit,value,device"];
  for (let second = 0; second < SECONDS; second++) {
    const time = new Date((START + 3600 + second) * 1000).toISOString().slice(0, 19);
    const row = (...cells: (string | number)[]): void => void all.push([time, ...cells, device].join(","));
    row(system, code, unit, second % 2 === 0 ? CANARIES.value : CANARIES["another value"]);
    row("LOINC", CODES["heart rate"].LOINC, "/min", 60 + (second % 30));
    row("MDC", CODES["oxygen saturation"].MDC, "%", second % 7 === 0 ? "NaN" : 90 + (second % 9));
    row("LOINC", CODES.temperature.LOINC, "Cel", (36 + second / 10).toFixed(1));
    row("LOINC", CODES.glucose.LOINC, "mg/dL", `${80 + second}.0`);
  }
  return all;
};

describe("what the public can see", () => {
  let world: World;
  let patient: DemoPatient;
  let gateway: DemoGateway;
  let recording: Recording;
  let seen: Public;
  let places: Places;
  /** Names, ids and digests of each relationship that must stand in no other's transactions. */
  let relationships: { readonly name: string; readonly own: string; readonly marks: readonly string[] }[];

  before(async () => {
    world = await openWorld();
    const file = join(world.folder, `${CANARIES.file}.csv`);
    await writeFile(file, rows().join("\n") + "\n");
    recording = await lookThrough(file, { zone: CANARIES.zone }, { fewestEpochs: 3, epochLength: EPOCH });
    expect([recording.quarantined.length, recording.readings + recording.missing]).to.deep.equal([0, 5 * SECONDS]);

    patient = await openPatient(world);
    for (const stream of recording.streams) patient.self.openStream(stream);
    const streams = recording.streams.map(({ name }) => name);
    expect(streams).to.include(CANARIES.stream);
    const identity = await newIdentity(CANARIES.gateway, world.accounts.gateway);
    gateway = await openGateway(world, identity);
    const { firstEpoch, endEpoch } = recording;
    const window = { dataStart: firstEpoch * EPOCH, dataEnd: endEpoch * EPOCH, ...patient.period };
    const write = await patient.self.authorizeGateway({ to: identity.party, streams, purpose: "TREAT", ...window });
    await relayed(world, await granted(patient, write));
    const label = CANARIES["label of the patient"];
    const lease = (): Promise<void> => handLease(patient, write.id, gateway, label);
    await lease();
    await ingest(gateway, recording, firstEpoch, endEpoch - 1);

    const readers = await Promise.all([CANARIES.clinician, CANARIES.colleague].map((name) => newIdentity(name)));
    const consents = readers.map(({ party }) =>
      patient.self.draft({ to: party, streams, purpose: CANARIES.purpose, actions: ["READ"], ...window }),
    );
    for (const consent of consents) await relayed(world, await granted(patient, consent));
    const envelopes: Uint8Array[] = [];
    await lease();
    for (const consent of consents) envelopes.push(...(await mailRelease(patient, consent, gateway, label)));
    await gateway.self.checkpoint();

    await relayed(world, await patient.revoke(consents[0] as (typeof consents)[0]));
    await ingest(gateway, recording, endEpoch - 1, endEpoch);
    const due = await patient.self.moveToSpare(streams);
    await lease();
    for (const consent of consents)
      if (due.releases.includes(consent.id)) await mailRelease(patient, consent, gateway, label);
    await gateway.self.checkpoint();
    await gateway.self.checkpoint();

    seen = await everythingPublic(world);
    places = new Places(Object.values(seen).flat());
    relationships = [write, ...consents].map(({ consent, id }, i) => ({
      name: ["the gateway's", "the clinician's", "the colleague's"][i] as string,
      own: consent.grantor.slice(2).toLowerCase(),
      marks: [consent.grantor, id, consent.salt, ...(i === 0 ? [] : [consent.grantee])]
        .map((mark) => mark.slice(2).toLowerCase())
        .concat(i === 0 ? [] : hashesOf(envelopes[i - 1] as Uint8Array).map((hash) => hex(hash))),
    }));
  });
  after(() => world.close());

  it("was collected from everywhere", () => {
    const counts = Object.fromEntries(
      Object.entries(seen).map(([where, parts]) => [where, (parts as Uint8Array[]).length]),
    );
    console.log(`      ${JSON.stringify(counts)}, ${places.size.toLocaleString("en")} places of 32 bytes`);
    // Two deployments, three consents, one end, five checkpoints.
    expect(counts.calldata).to.be.at.least(11);
    expect(counts.events).to.be.at.least(9);
    expect(counts.storage).to.be.at.least(27);
    const answers = seen.reverts.map((bytes) => hex(bytes).slice(0, 8));
    for (const error of ["ConsentRevokedAlready(bytes32,uint48)", "ConsentSignatureInvalid()"])
      expect(answers, error).to.include(id(error).slice(2, 10));
    expect(counts.blocks).to.be.at.least(5 * (1 + 2 * 64 + MAIL_ROWS));
  });

  it("holds no canary: not as it is, in hex, in base64, nor as a hash without a salt", () => {
    const heap = Buffer.concat(Object.values(seen).flat());
    const texts: [string, string][] = Object.entries(CANARIES);
    for (const [name, text] of [...texts, ...sourceTexts(recording)]) {
      for (const form of forms(text)) expect(heap.includes(form), `${name} as ${form.toString()}`).to.equal(false);
      for (const hash of hashesOf(utf8(text))) expect(places.has(hash), `hash of ${name}`).to.equal(false);
    }
    for (const consent of patient.self.state.consents.map((record) => record.consent.statement))
      expect(heap.includes(consent)).to.equal(false);
    let encodings = 0;
    for (const leaf of recording.leaves.keys()) {
      encodings += 1;
      const bytes = fromHex(leaf);
      expect(holds(heap, bytes)).to.equal(false);
      for (const hash of [...hashesOf(bytes), ...saltless(bytes)]) expect(places.has(hash)).to.equal(false);
    }
    expect(encodings).to.equal(5 * SECONDS);
  });

  it("gives nothing to a dictionary of all plausible vital signs at all times of the recording", () => {
    const times = timesOf(recording);
    const own = new Set(recording.leaves.keys());
    let [guesses, hits, right] = [0, 0, 0];
    for (const { hash, observation } of dictionary(times)) {
      guesses += 1;
      if (observation !== undefined && own.delete(observation)) right += 1;
      if (places.has(hash)) hits += 1;
    }
    console.log(
      `      ${guesses.toLocaleString("en")} guesses, among them ${right} readings of the recording: ${hits} hits`,
    );
    // The dictionary is no straw man: it names every reading of vital signs that was sealed, but the missing ones.
    expect(right).to.equal(recording.readings - SECONDS);
    expect(guesses).to.be.greaterThan(500_000);
    expect(hits).to.equal(0);
  });

  it("has sizes and counts that do not follow the content", async () => {
    const archive = await openArchive(world, gateway.address);
    const entries = archive.entries();
    const sizes = async (digests: Uint8Array[]): Promise<number[]> => [
      ...new Set(await Promise.all(digests.map(async (digest) => (await world.blocks.get(digest)).length))),
    ];
    expect(await sizes(entries.map(({ header }) => header))).to.deep.equal([1024]);
    for (const size of await sizes(entries.map(({ batch }) => batch))) expect(size).to.be.oneOf([...BATCH_CLASSES]);
    expect(await sizes(archive.mail.map(({ envelope }) => envelope))).to.deep.equal([ENVELOPE_CLASS]);
    // Ten batches, two envelopes, five batches, an envelope, nothing: checkpoints that look alike.
    expect(archive.size).to.equal(5);
    expect(entries).to.have.lengthOf(5 * 64);
    expect(archive.mail).to.have.lengthOf(5 * MAIL_ROWS);
  });

  it("ties no relationship of the patient to another", async () => {
    const grantors = relationships.map(({ own }) => own);
    expect(new Set(grantors).size).to.equal(3);
    const all = (await sent(world)).map(({ transaction, bytes }) => ({ ...transaction, text: bytes.toString("hex") }));
    for (const { name, own } of relationships) {
      const mine = all.filter(({ text }) => text.includes(own));
      expect(mine.length, name).to.be.within(1, 2);
      for (const other of relationships.filter((one) => one.own !== own)) {
        for (const mark of other.marks)
          expect(
            mine.some(({ text }) => text.includes(mark)),
            `${other.name} in ${name} transactions`,
          ).to.equal(false);
      }
    }
    // Anchoring names nobody but the gateway, and who reads is nowhere at all: not on chain, not in a block.
    const anchors = all.filter(
      ({ to }) => to?.toLowerCase() === world.deployment.contracts.RecordAnchor.address.toLowerCase(),
    );
    expect(anchors).to.have.lengthOf(5);
    const marks = relationships.flatMap((one) => one.marks);
    for (const mark of marks) expect(anchors.some(({ text }) => text.includes(mark))).to.equal(false);
    const chain = Buffer.concat([...seen.calldata, ...seen.events, ...seen.storage, ...seen.reverts]);
    const blocks = Buffer.concat(seen.blocks);
    for (const { consent, streams } of patient.self.state.consents) {
      for (const [what, secret] of Object.entries({ salt: consent.salt, scope: consent.scope }))
        for (const place of [chain, blocks]) expect(holds(place, fromHex(secret)), what).to.equal(false);
      for (const stream of streams) for (const place of [chain, blocks]) expect(holds(place, stream)).to.equal(false);
      expect(holds(blocks, fromHex(consent.grantor)), "a grantor in a block").to.equal(false);
      if (consent.grantee.toLowerCase() === gateway.address.toLowerCase()) continue;
      for (const place of [chain, blocks]) expect(holds(place, fromHex(consent.grantee)), "a grantee").to.equal(false);
    }
    for (const record of patient.self.state.consents)
      expect(holds(blocks, fromHex(record.id)), "an id in a block").to.equal(false);
  });

  it("would be found out, had one reading been published by its hash, on chain or in a block", async () => {
    const reading = encodeObservation(observation("LOINC", CODES["heart rate"], timesOf(recording)[3] as string, "63"));
    const hashes = [...hashesOf(utf8("8867-4|63")), ...hashesOf(reading), ...saltless(reading)];
    const { relayer } = world.accounts;
    const odd = (hash: Uint8Array): Uint8Array => concat(utf8("odd"), hash, utf8("!"));
    await relayer.sendTransaction({
      to: await relayer.getAddress(),
      data: hexlify(odd(concat(...hashes.slice(0, 4)))),
    });
    await world.blocks.put(odd(concat(...hashes.slice(4))));
    await world.blocks.put(utf8(`a block with ${CANARIES.value} in it`));
    const leaking = await everythingPublic(world);
    const found = new Places(Object.values(leaking).flat());
    const hits = new Set<string>();
    for (const { hash } of dictionary(timesOf(recording).slice(0, 5))) if (found.has(hash)) hits.add(hex(hash));
    expect([...hits].sort()).to.deep.equal(hashes.map((hash) => hex(hash)).sort());
    const heap = Buffer.concat(Object.values(leaking).flat());
    expect(forms(CANARIES.value).map((form) => heap.includes(form))).to.include(true);
  });
});

const holds = (place: Buffer, bytes: Uint8Array): boolean => place.includes(Buffer.from(bytes));

/** As it is, in hex of both cases, and in base64 at each of the three places where a group of it may begin. */
function forms(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const shifted = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    // Without the characters that what stands before and behind has a share in.
    return whole.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
  const inHex = bytes.toString("hex");
  return [text, inHex, inHex.toUpperCase(), ...shifted].map((form) => Buffer.from(form));
}

/** Rows as they stood in the file, and what one would join of code, unit and value. */
function sourceTexts({ leaves }: Recording): [string, string][] {
  const found: [string, string][] = rows().map((row) => ["a row of the file", row]);
  for (const leaf of leaves.keys()) {
    const { channel, value } = decodeObservation(fromHex(leaf));
    if (value.kind !== "quantity") continue;
    const { code } = channel.code;
    for (const text of [`${code}|${value.decimal}`, `${code} ${value.decimal}`, `${value.decimal} ${channel.unit}`])
      found.push(["code and value", text]);
  }
  return found;
}

const timesOf = ({ leaves }: Recording): string[] =>
  [...new Set([...leaves.keys()].map((leaf) => decodeObservation(fromHex(leaf)).time))].sort();

/** Leaves as they would be, were the salt left out or zero. */
const saltless = (bytes: Uint8Array): Uint8Array[] => [
  leafHash(concat(new Uint8Array(16), bytes)),
  leafHash(concat(new Uint8Array(32), bytes)),
];

type Codes = (typeof CODES)[keyof typeof CODES];

const observation = (system: keyof typeof SYSTEMS, codes: Codes, time: string, decimal: string): Observation => ({
  channel: { code: { system: SYSTEMS[system], code: codes[system] }, unit: codes.unit },
  time,
  status: "final",
  value: { kind: "quantity", decimal, comparator: "" },
});

interface Guess {
  readonly hash: Uint8Array;
  /** In hex, once for each observation. */
  readonly observation?: string;
}

/** What somebody without a key could compute of every plausible vital sign at every time, in both code systems. */
function* dictionary(times: readonly string[]): Generator<Guess> {
  const range = (from: number, to: number, step = 1, digits = 0): string[] =>
    Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => (from + i * step).toFixed(digits));
  const values: Record<keyof typeof CODES, string[]> = {
    "heart rate": range(20, 250),
    "oxygen saturation": range(50, 100),
    "respiratory rate": range(4, 60),
    temperature: range(34, 42, 0.1, 1),
    glucose: [...range(20, 600), ...range(20, 600, 1, 1)],
  };
  for (const [name, codes] of Object.entries(CODES) as [keyof typeof CODES, Codes][]) {
    for (const system of ["LOINC", "MDC"] as const) {
      for (const value of values[name]) {
        for (const text of [value, `${codes[system]}|${value}`, `${codes[system]} ${value}`, `${value} ${codes.unit}`])
          for (const hash of hashesOf(utf8(text))) yield { hash };
        for (const time of times) {
          const bytes = encodeObservation(observation(system, codes, time, value));
          const [first, ...more] = [...hashesOf(bytes), ...saltless(bytes)] as [Uint8Array, ...Uint8Array[]];
          yield { hash: first, observation: hex(bytes) };
          for (const hash of more) yield { hash };
        }
      }
    }
  }
}
