import { expect } from "chai";
import { sha256 } from "../../src/bytes/hash.ts";
import { checkChain, type ChainProblem } from "../../src/archive/chain.ts";
import { leaveProblem } from "../../src/archive/leave.ts";
import type { OpenedBatch } from "../../src/archive/batches.ts";
import { ACTIONS } from "../../src/consent/actions.ts";
import type { Consent } from "../../src/consent/consent.ts";
import type { InForce } from "../../src/consent/watch.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { readInbox } from "../../src/grantee/inbox.ts";
import { BlockMissingError, StoreUnavailableError } from "../../src/ipfs/errors.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import type { Header } from "../../src/log/header.ts";
import { mailRow } from "../../src/log/mail.ts";
import { openRig, outside, PLACE, record, recordOf, type Outside, type Rig } from "./rig.ts";
import { EPOCH, EPOCHS, START } from "./ward.ts";
import { failureOf } from "./times.ts";

describe("the chain of headers", () => {
  let batches: OpenedBatch[];

  before(async () => {
    const rig = await openRig("chain");
    const at = outside();
    const gateway = new Gateway(rig.deps(at));
    await gateway.acceptLease(await rig.lease());
    await record(gateway, rig, 0, 5);
    // Late for an epoch that was said to be complete.
    await record(gateway, rig, 1, 2);
    await gateway.checkpoint();
    batches = await recordOf(rig, at);
  });

  const kinds = (problems: readonly ChainProblem[]): string[] =>
    problems.map(({ kind, epoch }) => `${kind} ${epoch - START / EPOCH}`);
  const changed = (at: number, change: (header: Header) => Partial<Header>): OpenedBatch[] =>
    batches.map((batch, i) => (i === at ? { ...batch, header: { ...batch.header, ...change(batch.header) } } : batch));

  it("has no problem as it is, in whatever order it was read", () => {
    expect(batches.map(({ header }) => header.late)).to.deep.equal([false, false, false, false, false, true]);
    expect(checkChain(batches)).to.deep.equal([]);
    expect(checkChain([...batches].reverse())).to.deep.equal([]);
  });

  it("shows what is missing, repeated, exchanged, cut off or not marked as late", () => {
    const without = (n: number): OpenedBatch[] => batches.filter((_, i) => i !== n);
    expect(kinds(checkChain(without(2)))).to.deep.equal(["header-missing 1", "epoch-missing 1"]);
    expect(kinds(checkChain([...batches, batches[3] as OpenedBatch]))).to.include("header-repeated 3");
    expect(kinds(checkChain(changed(2, () => ({ previous: sha256() }))))).to.deep.equal(["header-replaced 2"]);
    expect(kinds(checkChain(changed(4, () => ({ last: false }))))).to.deep.equal(["epoch-open 4"]);
    expect(kinds(checkChain(changed(5, () => ({ late: false }))))).to.deep.equal(["late-unmarked 1"]);
    const statement = (i: number, change: object): OpenedBatch[] =>
      changed(i, ({ chunks }) => ({
        chunks: chunks.map((chunk) => ({ ...chunk, statement: { ...chunk.statement, ...change } })),
      }));
    expect(kinds(checkChain(statement(3, { counter: 0n })))).to.include("statement-repeated 3");
    expect(kinds(checkChain(statement(3, { previous: sha256() })))).to.include("statement-replaced 3");
  });
});

describe("leave to have written a batch", () => {
  const write = {
    actions: ACTIONS.WRITE,
    parent: `0x${"0".repeat(64)}`,
    dataStart: 100,
    dataEnd: 200,
    periodStart: 1000,
    periodEnd: 9000,
  } as Consent;
  const chunks = [{}] as unknown as Header["chunks"];
  const problem = (
    times: { earliest?: number; latest?: number },
    intervals: readonly InForce[],
    anchoredAt: number,
    change: Partial<Consent> = {},
  ): string | undefined =>
    leaveProblem({ chunks, earliest: 100, latest: 199, ...times }, { ...write, ...change }, intervals, anchoredAt, 10);

  it("is there inside window, period and force", () => {
    expect(problem({}, [{ from: 500 }], 1000)).to.equal(undefined);
    expect(problem({}, [{ from: 500, until: 1500 }], 1519)).to.equal(undefined);
  });

  it("is not, outside any one of them", () => {
    expect(problem({}, [{ from: 500 }], 1000, { actions: ACTIONS.READ })).to.equal("not-a-leave");
    expect(problem({}, [{ from: 500 }], 1000, { parent: `0x${"1".repeat(64)}` })).to.equal("not-a-leave");
    expect(problem({ earliest: 99 }, [{ from: 500 }], 1000)).to.equal("outside-window");
    expect(problem({ latest: 200 }, [{ from: 500 }], 1000)).to.equal("outside-window");
    expect(problem({}, [{ from: 500 }], 999), "before the period").to.equal("anchored-before-leave");
    expect(problem({}, [{ from: 2000 }], 1999)).to.equal("anchored-before-leave");
    expect(problem({}, [], 5000)).to.equal("anchored-before-leave");
    expect(problem({}, [{ from: 500, until: 900 }], 5000), "over before its period").to.equal("anchored-before-leave");
    expect(problem({}, [{ from: 500, until: 1500 }], 1520)).to.equal("anchored-late");
    expect(problem({}, [{ from: 500 }], 9020), "after the period").to.equal("anchored-late");
    const live = { dataStart: 0, dataEnd: 9999 };
    expect(problem({ latest: 1500 }, [{ from: 500, until: 1500 }], 1510, live)).to.equal("after-leave-ended");
  });

  it("takes one time in force for all conditions, not one for each", () => {
    const live = { dataStart: 0, dataEnd: 9999 };
    // Measured while the first was over and the second had not begun to be anchored under.
    const twice = [
      { from: 500, until: 1500 },
      { from: 3000, until: 3500 },
    ];
    expect(problem({ latest: 1600 }, twice, 1510, live)).to.equal("after-leave-ended");
    expect(problem({ latest: 1400 }, twice, 2000, live)).to.equal("anchored-late");
    expect(problem({ latest: 1400 }, twice, 3100, live)).to.equal(undefined);
  });
});

describe("an inbox", () => {
  let rig: Rig;
  let at: Outside;

  before(async () => {
    rig = await openRig("inbox");
    at = outside();
  });

  it("reads the other mail when a row names a block that is missing or altered, and names it", async () => {
    const lee = await rig.newParty("Dr Lee");
    const consent = rig.consent(lee, 0, EPOCHS);
    const envelope = await rig.release(consent.id);
    const digest = await at.blocks.put(envelope);
    const gone = sha256(envelope);
    gone[0] = (gone[0] as number) ^ 1;
    const { viewKey } = lee.party.recipient;
    const mail = [mailRow(gone, viewKey), mailRow(digest, viewKey)];
    const keys = { hpke: lee.hpke, viewSecret: lee.viewSecret };
    const inbox = await readInbox(mail, keys, PLACE, (one) => at.blocks.get(one));
    expect(inbox.releases).to.have.lengthOf(1);
    expect(inbox.unreadable.map(({ error, envelope: row }) => [error.code, row])).to.deep.equal([
      [new BlockMissingError(cidOf(gone)).code, gone],
    ]);
    const away = (): Promise<Uint8Array> => Promise.reject(new StoreUnavailableError("away"));
    expect(await failureOf(readInbox(mail, keys, PLACE, away))).to.include({ exit: 4 });
  });
});
