import { expect } from "chai";
import { equal, fromHex, hex0x } from "../../src/bytes/bytes.ts";
import type { Random } from "../../src/bytes/random.ts";
import { LAST_TIME } from "../../src/consent/consent.ts";
import { draftConsent } from "../../src/consent/draft.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import type { GenerationKeys } from "../../src/envelope/payload.ts";
import { acceptRelease, type Access } from "../../src/grantee/access.ts";
import { coverOf, epochKey, windowsOf, type Cover } from "../../src/keys/cover.ts";
import { batchKey, headerKey, tagOf } from "../../src/keys/epoch.ts";
import { EPOCHS, sizeOf } from "../../src/keys/tree.ts";
import { encodeContext, type SealKind } from "../../src/seal/context.ts";
import { open, seal, SealCommitmentError } from "../../src/seal/seal.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import { openRig, PLACE, type PaperParty, type Rig } from "./rig.ts";
import { START } from "./ward.ts";
import { isOutside } from "../unit/keys/outside.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "windows";
const COUNT = Number(process.env["MEDSEAL_WINDOWS"] ?? 20);
/** Windows that go through `acceptRelease` without an envelope around them. */
const CUTS = 10 * COUNT;

const LENGTHS = Array.from({ length: 86_400 }, (_, i) => i + 1).filter((seconds) => 86_400 % seconds === 0);
const allowed = (): Promise<boolean> => Promise.resolve(true);

interface Window {
  readonly from: number;
  readonly to: number;
}

/** A stream of a random epoch length, with a gateway that may write all of it, and the patient's keys to all of it. */
interface Ground {
  readonly stream: StreamDescriptor;
  readonly write: ConsentRecord;
  readonly truth: GenerationKeys;
  /** Epochs 0 to `end - 1` have times that a consent can name. */
  readonly end: number;
}

describe(`${COUNT} random windows over random streams, as released and accepted (MEDSEAL_SEED=${SEED})`, function () {
  this.timeout(600_000);
  let rig: Rig;
  let lee: PaperParty;
  let rand: Random;

  before(async () => {
    rig = await openRig(SEED);
    lee = await rig.newParty("Dr Lee");
    rand = rig.draw("windows");
  });

  /** A whole number below `bound`, which is at most 2^48. */
  const below = (bound: number): number => Buffer.from(rand(6)).readUIntBE(0, 6) % bound;
  const between = ({ from, to }: Window): number => from + below(to - from);

  async function ground(name: string): Promise<Ground> {
    const epochLength = LENGTHS[below(LENGTHS.length)] as number;
    const stream = rig.patient.openStream({ name, channels: rig.stream.channels, epochLength, batchClass: 0 });
    const end = Math.min(EPOCHS, Math.floor(LAST_TIME / epochLength));
    const write = await rig.patient.authorizeGateway({
      to: rig.gateway.party,
      ...terms(name, epochLength, { from: 0, to: end }),
    });
    rig.watch.granted.add(write.id);
    const [truth] = rig.patient.ownKeys(write.id) as [GenerationKeys];
    return { stream, write, truth, end };
  }

  const terms = (name: string, epochLength: number, { from, to }: Window) => ({
    streams: [name],
    purpose: "TREAT",
    periodStart: START,
    periodEnd: START + 86_400,
    dataStart: from * epochLength,
    dataEnd: to * epochLength,
  });

  /** Of every scale; now and then one that begins or ends with the tree. */
  function windowIn(end: number): Window {
    const size = 1 + below(Math.min(end, 2 ** (1 + below(32))));
    const at = below(16);
    const from = at === 0 ? end - size : at === 1 ? 0 : below(end - size + 1);
    return { from, to: from + size };
  }

  const draft = ({ stream: { name, epochLength } }: Ground, window: Window): ConsentRecord => {
    const record = rig.patient.draft({ to: lee.party, ...terms(name, epochLength, window), actions: ["READ"] });
    rig.watch.granted.add(record.id);
    return record;
  };

  async function released(place: Ground, window: Window): Promise<Access> {
    const envelope = await rig.release(draft(place, window).id);
    return acceptRelease(await openEnvelope(envelope, lee.hpke, PLACE), lee.party.address, allowed, START);
  }

  function expectExactly({ keys }: Access, { truth, end }: Ground, window: Window, as: string): number {
    expect(keys, as).to.have.lengthOf(1);
    let most = 0;
    for (const [cover, whole] of coversOf(keys[0] as GenerationKeys, truth)) {
      most = Math.max(most, cover.length);
      expect(windowsOf(cover), as).to.deep.equal([window]);
      for (const epoch of [window.from, window.to - 1, between(window), between(window)])
        expect(equal(epochKey(cover, epoch), epochKey(whole, epoch)), `${as}: ${epoch} inside`).to.equal(true);
      const others = [window.from - 1, window.to, below(end), below(end)];
      for (const epoch of others.filter((n) => n < window.from || n >= window.to))
        expect(isOutside(cover, epoch), `${as}: ${epoch} outside`).to.equal(true);
    }
    return most;
  }

  it("open exactly the epochs of the window, with at most 62 nodes a tree", async () => {
    let most = 0;
    for (let i = 0; i < COUNT; i++) {
      const place = await ground(`stream ${i}`);
      const window = windowIn(place.end);
      const as = `window ${i}: ${window.from} to ${window.to} of ${place.stream.epochLength} s`;
      most = Math.max(most, expectExactly(await released(place, window), place, window, as));
    }
    console.log(`      ${COUNT} envelopes, largest cover ${most} nodes`);
    expect(most).to.be.within(20, 62);
  });

  it("are cut to exactly that, however far the keys in the envelope reach", async () => {
    const place = await ground("wide");
    const signed = await openEnvelope(await rig.release(draft(place, { from: 0, to: place.end }).id), lee.hpke, PLACE);
    let most = 0;
    for (let i = 0; i < CUTS; i++) {
      const window = windowIn(place.end);
      const cut = { ...terms(place.stream.name, place.stream.epochLength, window), streams: [hex0x(place.stream.id)] };
      const { grantor } = place.write.consent;
      const consent = draftConsent({ grantor, grantee: lee.party.address, ...cut, actions: ["READ"] }, rand);
      const release = { ...signed, chain: [{ consent, streams: [] }] };
      const access = await acceptRelease(release, lee.party.address, allowed, START);
      most = Math.max(most, expectExactly(access, place, window, `cut ${i}: ${window.from} to ${window.to}`));
    }
    console.log(`      ${CUTS} cuts, largest cover ${most} nodes`);
    expect(most).to.be.within(20, 62);
  });

  it("open nothing between two disjoint grants, together", async () => {
    const count = Math.ceil(COUNT / 10);
    for (let i = 0; i < count; i++) {
      const place = await ground(`disjoint ${i}`);
      const size = 1 + below(2 ** (1 + below(20)));
      const start = below(place.end - 3 * size);
      const [one, gap, two] = [0, 1, 2].map((n) => ({ from: start + n * size, to: start + (n + 1) * size })) as [
        Window,
        Window,
        Window,
      ];
      const [first, second] = [await released(place, one), await released(place, two)];
      for (const epoch of new Set([gap.from, between(gap), gap.to - 1])) {
        const as = `gap ${i}, epoch ${epoch} between ${one.to} and ${two.from}`;
        for (const [n, kind] of (["batch", "header"] as const).entries()) {
          const covers = [first, second].map(
            ({ keys }) => coversOf(keys[0] as GenerationKeys, place.truth)[n]?.[0] ?? [],
          );
          const whole = coversOf(place.truth, place.truth)[n]?.[1] ?? [];
          const joined = covers.flat();
          expect(joined.length, as).to.be.greaterThan(1);
          expect(isOutside(joined, epoch), as).to.equal(true);
          const key = kind === "batch" ? batchKey : headerKey;
          const block = seal(key(epochKey(whole, epoch)), contextOf(place, epoch, kind), new Uint8Array(64));
          // Every node as if it were the epoch's own key, the root of a tree, or the node of its level above the epoch.
          for (const node of joined) {
            const size = sizeOf(node);
            const moved = { ...node, first: epoch - (epoch % size) };
            for (const guess of [node.key, epochKey(coverOf(node.key, 0, EPOCHS), epoch), epochKey([moved], epoch)])
              expect(opens(block, key(guess), contextOf(place, epoch, kind)), as).to.equal(false);
          }
          expect(opens(block, key(epochKey(whole, epoch)), contextOf(place, epoch, kind)), "the right key").to.equal(
            true,
          );
          for (const cover of covers) {
            const [near] = windowsOf(cover) as [Window];
            const tag = tagOf(epochKey(whole, epoch), 0);
            for (const edge of [near.from, near.to - 1])
              expect(equal(tagOf(epochKey(cover, edge), 0), tag), `${as}: tag`).to.equal(false);
          }
        }
      }
    }
  });
});

/** Data and audit cover of the one beside those of the other. */
const coversOf = (own: GenerationKeys, whole: GenerationKeys): [Cover, Cover][] => [
  [own.data ?? [], whole.data ?? []],
  [own.audit, whole.audit],
];

const contextOf = ({ stream, truth }: Ground, epoch: number, kind: SealKind): Uint8Array =>
  encodeContext({
    chainId: 1n,
    anchor: new Uint8Array(20),
    gateway: fromHex(truth.write.consent.grantee),
    stream: stream.id,
    generation: truth.generation,
    epoch,
    n: 0,
    kind,
  });

function opens(block: Uint8Array, key: Uint8Array, context: Uint8Array): boolean {
  try {
    open(key, context, block);
    return true;
  } catch (error) {
    if (error instanceof SealCommitmentError) return false;
    throw error;
  }
}
