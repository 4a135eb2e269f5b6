import { expect } from "chai";
import { ENVELOPE_CLASS } from "../../src/envelope/envelope.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { LeasedStream } from "../../src/gateway/leave.ts";
import { BATCH_CLASSES } from "../../src/log/batch.ts";
import { decodeCheckpoint } from "../../src/log/checkpoint.ts";
import { MAIL_ROWS } from "../../src/log/mail.ts";
import { openRig, outside, type Outside, type PaperParty, type Rig } from "./rig.ts";
import { EPOCH, EPOCHS, reading, START } from "./ward.ts";

describe("the sizes of what a gateway publishes", () => {
  let rig: Rig;
  let lee: PaperParty;
  let streams: LeasedStream[];
  let at: Outside;
  let gateway: Gateway;

  before(async () => {
    rig = await openRig("sizes");
    lee = await rig.newParty("Dr Lee");
    const { channels } = rig.stream;
    const large = rig.patient.openStream({ name: "large", channels, epochLength: EPOCH, batchClass: 2 });
    const window = { dataStart: START, dataEnd: START + EPOCHS * EPOCH };
    const period = { periodStart: START, periodEnd: START + 86_400 };
    const terms = { streams: [large.name], purpose: "TREAT", ...window, ...period };
    const write = await rig.patient.authorizeGateway({ to: rig.gateway.party, ...terms });
    rig.watch.granted.add(write.id);
    at = outside();
    gateway = new Gateway(rig.deps(at));
    for (const { id } of [rig.write, write]) await gateway.acceptLease(await rig.lease(id));
    streams = [
      { write: rig.write.id, stream: rig.stream },
      { write: write.id, stream: large },
    ];
  });

  /** Sizes of all blocks that the next checkpoint names, and of its own and its pinset's. */
  async function published(): Promise<{ headers: number[]; batches: number[]; mail: number[]; checkpoint: number }> {
    const [{ digest } = { digest: new Uint8Array(32) }, ...more] = await gateway.checkpoint();
    expect(more).to.deep.equal([]);
    const block = await at.blocks.get(digest);
    const { entries, mail } = decodeCheckpoint(block);
    const sizes = async (digests: Uint8Array[]): Promise<number[]> =>
      (await Promise.all(digests.map(async (one) => (await at.blocks.get(one)).length))).sort((a, b) => a - b);
    return {
      headers: await sizes((entries ?? []).map(({ header }) => header)),
      batches: await sizes((entries ?? []).map(({ batch }) => batch)),
      mail: await sizes(mail.map(({ envelope }) => envelope)),
      checkpoint: block.length,
    };
  }

  it("are the same for every number of batches of every stream, and of envelopes", async () => {
    const idle = await published();
    expect(idle.headers).to.deep.equal(Array.from({ length: 8 }, () => 1024));
    expect(idle.mail).to.deep.equal(Array.from({ length: MAIL_ROWS }, () => ENVELOPE_CLASS));
    const shares = [BATCH_CLASSES[0], BATCH_CLASSES[2]].flatMap((size) => Array.from({ length: 4 }, () => size));
    expect(idle.batches).to.deep.equal(shares);
    for (const [small, large, mails] of [
      [1, 0, 0],
      [0, 1, 1],
      [4, 0, 2],
      [0, 4, 0],
      [2, 3, 1],
      [4, 4, 3],
    ] as const) {
      for (const [i, epochs] of [small, large].entries()) {
        const session = gateway.ingest(streams[i] as LeasedStream, { clock: { kind: "source" } });
        for (let second = 0; second < epochs * EPOCH; second++) await session.add(reading(second));
        await session.finish();
      }
      for (let i = 0; i < mails; i++) {
        const { id } = rig.consent(lee);
        await gateway.post(await rig.release(id), lee.party.recipient.viewKey);
      }
      expect(await published(), `${small} small, ${large} large, ${mails} envelopes`).to.deep.equal(idle);
    }
  });

  it("have the same number of entries, even where a class has more batches than its share", async () => {
    const session = gateway.ingest(streams[1] as LeasedStream, { clock: { kind: "source" } });
    for (let second = 0; second < 6 * EPOCH; second++) await session.add(reading(second));
    await session.finish();
    const { batches, headers } = await published();
    expect(headers).to.have.lengthOf(8);
    expect(batches.filter((size) => size === BATCH_CLASSES[2])).to.have.lengthOf(6);
  });
});
