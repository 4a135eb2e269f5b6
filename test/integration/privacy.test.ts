import { join } from "node:path";
import { expect } from "chai";
import { getBytes, keccak256 } from "ethers";
import { concat, fromHex, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import { FileBlockstore } from "../../src/ipfs/blocks.ts";
import { BATCH_CLASSES } from "../../src/log/batch.ts";
import { encodeObservation } from "../../src/log/leaf.ts";
import { leafHash } from "../../src/log/merkle.ts";
import { MAIL_ROWS } from "../../src/log/mail.ts";
import type { Observation } from "../../src/observation/observation.ts";
import { openGateway, type DemoGateway } from "../../scripts/demo/gateway.ts";
import { newIdentity } from "../../scripts/demo/parties.ts";
import { granted, handLease, openPatient, relayed, type DemoPatient } from "../../scripts/demo/patient.ts";
import { openArchive, openWorld, type World } from "../../scripts/demo/world.ts";

const LOINC = "http://loinc.org";
const START = Date.parse("2026-03-01T08:00:00Z") / 1000;
const SECONDS = 40;
const EPOCH = 10;
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

/** Texts that must not be found anywhere in public. */
const CANARIES = {
  value: "173.190531",
  system: "urn:canary:8f31-system",
  code: "CANARY-CODE-5519",
  unit: "mm[Hg]",
  stream: "canary-stream-4411",
  label: "Canary Patient Annabel",
  clinician: "Dr Canary Quux",
  zone: "Europe/Vaduz",
};

const quantity = (system: string, code: string, unit: string, second: number, decimal: string): Observation => ({
  channel: { code: { system, code }, unit },
  time: iso(START + second),
  status: "final",
  value: { kind: "quantity", decimal, comparator: "" },
});

describe("what the public can see", function () {
  this.timeout(120_000);
  let world: World;
  let patient: DemoPatient;
  let gateway: DemoGateway;
  let publicBytes: Uint8Array[];

  before(async () => {
    world = await openWorld();
    patient = await openPatient(world);
    const canary = { code: { system: CANARIES.system, code: CANARIES.code }, unit: CANARIES.unit };
    const heart = { code: { system: LOINC, code: "8867-4" }, unit: "/min" };
    patient.self.openStream({ name: CANARIES.stream, channels: [canary], epochLength: EPOCH, batchClass: 0 });
    patient.self.openStream({ name: "heart-rate", channels: [heart], epochLength: EPOCH, batchClass: 0 });
    const identity = await newIdentity("Gateway", world.accounts.gateway);
    gateway = await openGateway(world, identity);
    const window = { dataStart: START, dataEnd: START + SECONDS, ...patient.period };
    const streams = [CANARIES.stream, "heart-rate"];
    const write = await patient.self.authorizeGateway({ to: identity.party, streams, purpose: "TREAT", ...window });
    await relayed(world, await granted(patient, write));
    await gateway.self.acceptLease(await patient.self.lease(write.id, CANARIES.label));
    for (const stream of gateway.self.streams()) {
      const session = gateway.self.ingest(stream, { kind: "zone", zone: CANARIES.zone });
      for (let second = 0; second < SECONDS; second++) {
        const own = stream.name === CANARIES.stream;
        await session.add(
          own
            ? quantity(CANARIES.system, CANARIES.code, CANARIES.unit, second, CANARIES.value)
            : quantity(LOINC, "8867-4", "/min", second, String(60 + (second % 30))),
        );
      }
      await session.finish();
    }
    await gateway.self.checkpoint();
    const reader = await newIdentity(CANARIES.clinician);
    const consent = patient.self.draft({ to: reader.party, streams, purpose: "HRESCH", actions: ["READ"], ...window });
    await relayed(world, await granted(patient, consent));
    await gateway.self.post(await patient.self.release(consent.id, CANARIES.label), reader.party.recipient.viewKey);
    await handLease(patient, write.id, gateway);
    await gateway.self.checkpoint();
    await relayed(world, await patient.revoke(consent));
    await gateway.self.checkpoint();
    publicBytes = [...(await chainBytes(world)), ...(await blockBytes(world))];
  });
  after(() => world.close());

  it("holds no canary: not as it is, in hex, in base64, nor as an unsalted hash", () => {
    const heap = Buffer.concat(publicBytes.flatMap((bytes) => [bytes, Buffer.from("\n")]));
    for (const [name, text] of Object.entries(CANARIES)) {
      if (name === "unit") continue; // a unit that the contracts' metadata may hold by chance is looked for as a hash only
      for (const form of [
        text,
        Buffer.from(text).toString("hex"),
        Buffer.from(text).toString("base64").replace(/=+$/, ""),
      ]) {
        expect(heap.includes(form), `${name} as ${form}`).to.equal(false);
      }
    }
    const windows = windowsOf(publicBytes);
    for (const [name, text] of Object.entries(CANARIES)) {
      for (const hash of hashes(utf8(text))) expect(windows.has(key(hash)), `hash of ${name}`).to.equal(false);
    }
    console.log(`      ${heap.length.toLocaleString("en")} public bytes searched`);
  });

  it("gives nothing to a dictionary of all plausible vital signs", () => {
    const windows = windowsOf(publicBytes);
    let [guesses, hits] = [0, 0];
    for (const guess of dictionary()) {
      guesses += 1;
      if (windows.has(key(guess))) hits += 1;
    }
    console.log(
      `      ${guesses.toLocaleString("en")} guesses against ${windows.size.toLocaleString("en")} places, ${hits} hits`,
    );
    expect(hits).to.equal(0);
  });

  it("would be found out, had one reading been published under an unsalted hash", () => {
    const leak = leafHash(encodeObservation(quantity(LOINC, "8867-4", "/min", 3, "63")));
    const windows = windowsOf([...publicBytes, concat(utf8("x"), leak, utf8("y"))]);
    let hits = 0;
    for (const guess of dictionary()) if (windows.has(key(guess))) hits += 1;
    expect(hits).to.equal(1);
  });

  it("has sizes and counts that do not follow the content", async () => {
    const archive = await openArchive(world, gateway.address);
    const entries = archive.entries();
    const sizes = async (digests: Uint8Array[]): Promise<number[]> => [
      ...new Set(await Promise.all(digests.map(async (digest) => (await world.blocks.get(digest)).length))),
    ];
    expect(await sizes(entries.map(({ header }) => header))).to.deep.equal([1024]);
    expect(await sizes(entries.map(({ batch }) => batch))).to.deep.equal([BATCH_CLASSES[0]]);
    expect(await sizes(archive.mail.map(({ envelope }) => envelope))).to.deep.equal([8192]);
    // Eight batches, none, none: three checkpoints that look alike.
    expect(archive.size).to.equal(3);
    expect(entries).to.have.lengthOf(3 * 64);
    expect(archive.mail).to.have.lengthOf(3 * MAIL_ROWS);
  });

  it("shows no two consents of the patient under one address, and no id in two transactions but its own", async () => {
    const grantors = patient.self.state.consents.map(({ consent }) => consent.grantor.slice(2).toLowerCase());
    expect(new Set(grantors).size).to.equal(grantors.length);
    const calls = (await transactions(world)).map(({ input }) => input.toLowerCase());
    for (const grantor of grantors) {
      for (const other of grantors.filter((address) => address !== grantor)) {
        expect(calls.some((input) => input.includes(grantor) && input.includes(other))).to.equal(false);
      }
    }
    const watch = watchLedger(gateway.viewer.ledger);
    await watch.refresh();
    expect(
      watch.intervals({
        grantor: patient.self.state.consents[1]!.consent.grantor,
        id: patient.self.state.consents[1]!.id,
      }),
    ).to.have.lengthOf(1);
  });
});

interface Transaction {
  readonly hash: string;
  readonly input: string;
}

async function transactions({ rpc }: World): Promise<Transaction[]> {
  const latest = Number(await rpc.send("eth_blockNumber", []));
  const all: Transaction[] = [];
  for (let n = 0; n <= latest; n++) {
    const block = (await rpc.send("eth_getBlockByNumber", [`0x${n.toString(16)}`, true])) as {
      transactions: Transaction[];
    };
    all.push(...block.transactions);
  }
  return all;
}

/** Calldata, events and every storage slot that the transactions changed. */
async function chainBytes(world: World): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  let stored = 0;
  const addresses = Object.values(world.deployment.contracts).map(({ address }) => address);
  for (const { hash, input } of await transactions(world)) {
    found.push(getBytes(input));
    const receipt = (await world.rpc.send("eth_getTransactionReceipt", [hash])) as {
      logs: { data: string; topics: string[] }[];
    };
    for (const { data, topics } of receipt.logs) found.push(getBytes(data), ...topics.map((topic) => getBytes(topic)));
    const trace = (await world.rpc.send("debug_traceTransaction", [hash, {}])) as {
      structLogs: { op: string; stack: string[] }[];
    };
    for (const { op, stack } of trace.structLogs) {
      if (op !== "SSTORE") continue;
      stored += 1;
      const slot = `0x${(stack.at(-1) ?? "").replace(/^0x/, "").padStart(64, "0")}`;
      found.push(getBytes(slot));
      for (const address of addresses)
        found.push(getBytes((await world.rpc.send("eth_getStorageAt", [address, slot, "latest"])) as string));
    }
  }
  expect(stored, "changed slots").to.be.greaterThan(3);
  return found;
}

async function blockBytes(world: World): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const { bytes } of new FileBlockstore(join(world.folder, "ipfs", "blocks")).getAll()) {
    for await (const part of bytes) found.push(part);
  }
  return found;
}

const hashes = (bytes: Uint8Array): Uint8Array[] => [sha256(bytes), fromHex(keccak256(bytes)), leafHash(bytes)];

/** Hashes that somebody could compute without a key, of every plausible vital sign at every second of the recording. */
function* dictionary(): Generator<Uint8Array> {
  const range = (from: number, to: number, step = 1, digits = 0): string[] =>
    Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => (from + i * step).toFixed(digits));
  const channels = [
    { code: "8867-4", unit: "/min", values: range(20, 250) },
    { code: "59408-5", unit: "%", values: range(50, 100) },
    { code: "9279-1", unit: "/min", values: range(4, 60) },
    { code: "8310-5", unit: "Cel", values: range(34, 42, 0.1, 1) },
    { code: "99504-3", unit: "mg/dL", values: [...range(20, 600), ...range(20, 600, 1, 1)] },
  ];
  const noSalt = new Uint8Array(16);
  for (const { code, unit, values } of channels) {
    for (const value of values) {
      for (const text of [value, `${code}|${value}`, `${value} ${unit}`]) yield* hashes(utf8(text));
      for (let second = 0; second < SECONDS; second += 3) {
        const bytes = encodeObservation(quantity(LOINC, code, unit, second, value));
        yield sha256(bytes);
        yield leafHash(bytes);
        yield leafHash(concat(noSalt, bytes));
      }
    }
  }
}

/** A place in public data, by the first six of its 32 bytes; two places agree in them by chance once in 10^14. */
const key = (bytes: Uint8Array, at = 0): number =>
  ((bytes[at]! * 256 + bytes[at + 1]!) * 256 + bytes[at + 2]!) * 2 ** 24 +
  (bytes[at + 3]! * 256 + bytes[at + 4]!) * 256 +
  bytes[at + 5]!;

/** Every place of 32 bytes in public data. */
function windowsOf(all: readonly Uint8Array[]): Set<number> {
  const windows = new Set<number>();
  for (const bytes of all) for (let at = 0; at + 32 <= bytes.length; at++) windows.add(key(bytes, at));
  return windows;
}
