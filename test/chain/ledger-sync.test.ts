import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { getAddress, keccak256, toBeHex } from "ethers";
import { mulberry32 } from "../../examples/simulate.ts";
import {
  ChainUnavailableError,
  DeploymentError,
  FinalityBrokenError,
  LedgerUnavailableError,
  NodeLiesError,
  WrongChainError,
} from "../../src/chain/errors.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { endedBeforeAfter, entryAfter, isActive } from "../../src/chain/ledger-state.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { failureOf } from "./failure.ts";
import { CHAIN_ID, DEPLOYMENT, FakeNode, GENESIS, type Act } from "./fake-node.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20261121);
const ROUNDS = Number(process.env["MEDSEAL_LEDGER_ROUNDS"] ?? 8);

const grantors = [1, 2, 3].map((i) => getAddress(toBeHex(i * 0x1111, 20)) as Hex);
const ids = [1, 2, 3, 4].map((i) => keccak256(toBeHex(i, 32)) as Hex);
const [anna, ben] = grantors as [Hex, Hex];
const [id1, id2] = ids as [Hex, Hex];

const grant = (issuedAt: number, grantor = anna, consentId = id1): Act => ({
  kind: "granted",
  grantor,
  consentId,
  issuedAt,
});
const revoke = (grantor = anna, consentId = id1): Act => ({ kind: "revoked", grantor, consentId });
const revokeAll = (issuedAt: number, grantor = anna): Act => ({ kind: "allRevoked", grantor, issuedAt });
const mineEmpty = (node: FakeNode, count: number): void => {
  for (let i = 0; i < count; i++) node.mine([]);
};

/** All that the ledger says, of everything that may have happened. */
const everything = (ledger: ConsentLedger): unknown =>
  grantors.map((grantor) =>
    ids.map((id) => ({
      state: ledger.stateOf(grantor, id),
      intervals: ledger.intervalsOf(grantor, id),
      entry: ledger.entryFor(grantor, id, "now"),
      endedBefore: ledger.endedBeforeFor(grantor, "now"),
    })),
  );

describe("reading the registry's events", () => {
  let node: FakeNode;
  let folder: string;
  beforeEach(() => {
    node = new FakeNode();
    folder = mkdtempSync(join(tmpdir(), "medseal-sync-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("ends, after any reorganisations, outages and restarts, where a fresh ledger ends", async () => {
    console.log(`      ${ROUNDS} rounds, seed ${SEED}`);
    const draw = mulberry32(SEED);
    const below = (n: number): number => Math.floor(draw() * n);
    const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
    let rollbacks = 0;
    for (let round = 0; round < ROUNDS; round++) {
      node = new FakeNode();
      node.largestRange = pick([1, 3, 50, Infinity]);
      node.mostLogs = pick([4, Infinity]);
      const path = join(folder, `${round}.sqlite`);
      let ledger = new ConsentLedger(node, DEPLOYMENT, path);
      const act = (): Act => {
        const [grantor, id] = [pick(grantors), pick(ids)];
        const issuedAt = node.nextTime - 60 + below(120);
        return pick([
          grant(issuedAt, grantor, id),
          grant(issuedAt, grantor, id),
          revoke(grantor, id),
          revokeAll(issuedAt, grantor),
        ]);
      };
      const mineSome = () => {
        for (let i = 1 + below(5); i > 0; i--) node.mine(Array.from({ length: below(4) }, act));
      };
      const reorgSome = () => {
        const depth = Math.min(1 + below(node.finalDepth), node.blocks.length - 1);
        node.reorg(depth);
        for (let i = depth + below(2); i > 0; i--) node.mine(Array.from({ length: below(3) }, act));
      };
      for (let step = 0; step < 12; step++) {
        mineSome();
        if (draw() < 0.5) reorgSome();
        // Once in a while the chain changes in the middle of the reading, and once in a while the node stops answering.
        const at = node.requests.length + 1 + below(8);
        const event = draw();
        node.before = (_method, count) => {
          if (count !== at) return;
          if (event < 0.4) reorgSome();
          else if (event < 0.6) throw Object.assign(new Error("gone"), { code: "ECONNRESET" });
        };
        try {
          if ((await ledger.sync()).rolledBackTo !== undefined) rollbacks++;
        } catch (error) {
          expect(error).to.be.instanceOf(ChainUnavailableError);
        }
        node.before = () => undefined;
        if (draw() < 0.3) {
          ledger.close();
          ledger = new ConsentLedger(node, DEPLOYMENT, path);
        }
      }
      await ledger.sync();
      const fresh = new ConsentLedger(node, DEPLOYMENT);
      await fresh.sync();
      expect(everything(ledger), `round ${round}`).to.deep.equal(everything(fresh));
      for (const grantor of grantors) {
        for (const id of ids) {
          const mine = node.events().filter((event) => event.grantor === grantor);
          const entry = entryAfter(mine.filter(({ consentId }) => consentId === id));
          const ended = endedBeforeAfter(mine.filter(({ kind }) => kind === "allRevoked"));
          if (ledger.stateOf(grantor, id).inForce)
            expect(isActive(entry, ended), "in force here, not there").to.be.true;
        }
      }
      ledger.close();
      fresh.close();
    }
    console.log(`      ${rollbacks} roll-backs`);
    expect(rollbacks).to.be.greaterThan(ROUNDS / 2);
  });

  it("says of every past moment what the contract said then, and when a consent was in force", async () => {
    const t = (block: number): number => GENESIS + block * 12;
    const acts: Record<number, Act[]> = {
      3: [grant(t(3))],
      5: [revokeAll(t(5))],
      7: [grant(t(7)), grant(t(7), anna, id2)],
      9: [revoke()],
      11: [grant(t(11), ben, id1)],
    };
    for (let block = 1; block <= 30; block++) node.mine(acts[block] ?? []);
    const ledger = new ConsentLedger(node, DEPLOYMENT);
    await ledger.sync();
    expect(ledger.intervalsOf(anna, id1)).to.deep.equal([
      { from: t(3), until: t(5) },
      { from: t(7), until: t(9) },
    ]);
    expect(ledger.intervalsOf(anna, id2)).to.deep.equal([{ from: t(7) }]);
    const inForceAt = (block: number) => ledger.statusAt(anna, id1, t(block)).inForce;
    const expected = [2, 3, 4, 5, 6, 7, 8, 9, 10].map(
      (block) => (block >= 3 && block < 5) || (block >= 7 && block < 9),
    );
    expect([2, 3, 4, 5, 6, 7, 8, 9, 10].map(inForceAt)).to.deep.equal(expected);
    expect(ledger.statusAt(anna, id1, t(3) - 1).inForce).to.be.false;
    expect(ledger.statusAt(anna, id1, t(21)).settled).to.be.true;
    expect(ledger.statusAt(anna, id1, t(22)).settled, "the final block's own time").to.be.false;
    ledger.close();
  });

  it("does not let a grant that is not final lift an end that is", async () => {
    node.mine([grant(GENESIS)]);
    mineEmpty(node, 10);
    node.mine([revokeAll(GENESIS + 1)]);
    mineEmpty(node, 10);
    node.mine([grant(GENESIS + 2)]);
    const ledger = new ConsentLedger(node, DEPLOYMENT);
    await ledger.sync();
    expect(ledger.stateOf(anna, id1)).to.deep.include({ inForce: false, ended: "all-revoked" });
    mineEmpty(node, 10);
    await ledger.sync();
    expect(ledger.stateOf(anna, id1)).to.deep.include({ inForce: true, ended: undefined });
    ledger.close();
  });

  it("forgets nothing when the node is only late", async () => {
    node.mine([grant(GENESIS)]);
    mineEmpty(node, 10);
    node.mine([revoke()]);
    const ledger = new ConsentLedger(node, DEPLOYMENT);
    await ledger.sync();
    node.head = 6;
    expect((await ledger.sync()).rolledBackTo).to.equal(undefined);
    expect(ledger.stateOf(anna, id1).ended).to.equal("revoked");
    node.head = 1;
    expect(await failureOf(ledger.sync())).to.be.instanceOf(ChainUnavailableError);
    expect(ledger.stateOf(anna, id1).ended).to.equal("revoked");
    ledger.close();
  });

  it("refuses a node on which a final block has changed", async () => {
    node.mine([grant(GENESIS)]);
    mineEmpty(node, 12);
    const ledger = new ConsentLedger(node, DEPLOYMENT);
    await ledger.sync();
    node.reorg(12);
    mineEmpty(node, 14);
    expect(await failureOf(ledger.sync())).to.be.instanceOf(FinalityBrokenError);
    expect(ledger.stateOf(anna, id1).inForce).to.be.true;
    ledger.close();
  });

  it("takes nothing for final on a node that knows no final block, unless told after how many", async () => {
    node.mine([grant(GENESIS)]);
    mineEmpty(node, 10);
    let answer: () => unknown = () => null;
    node.before = () => undefined;
    const send = node.send.bind(node);
    node.send = async (method, params) => (params[0] === "finalized" ? answer() : send(method, params));
    for (const given of [() => null, () => expect.fail("unknown block tag")]) {
      answer = given;
      const careful = new ConsentLedger(node, DEPLOYMENT);
      await careful.sync();
      expect(careful.stateOf(anna, id1)).to.deep.include({ inForce: false, ended: undefined });
      careful.close();
      const told = new ConsentLedger(node, DEPLOYMENT, ":memory:", { finalDepth: 5 });
      await told.sync();
      expect(told.stateOf(anna, id1).inForce).to.be.true;
      told.close();
    }
  });

  it("reads in smaller ranges when the node refuses larger ones, and every event once", async () => {
    for (let i = 0; i < 200; i++) node.mine([grant(GENESIS + i), revokeAll(GENESIS + i, ben)]);
    for (const [range, logs] of [
      [1, Infinity],
      [7, Infinity],
      [Infinity, 5],
      [64, 2],
    ] as const) {
      node.largestRange = range;
      node.mostLogs = logs;
      const ledger = new ConsentLedger(node, DEPLOYMENT);
      expect((await ledger.sync()).events).to.equal(node.events().length);
      expect((await ledger.sync()).events).to.equal(0);
      ledger.close();
    }
    node.mostLogs = 1;
    const ledger = new ConsentLedger(node, DEPLOYMENT);
    expect(await failureOf(ledger.sync()), "one block with too many").to.be.instanceOf(ChainUnavailableError);
    ledger.close();
  });

  it("loses no event to a reorganisation that comes between a range's events and its last header", async () => {
    node.largestRange = 3;
    mineEmpty(node, 20);
    const ledger = new ConsentLedger(node, DEPLOYMENT);
    let reorganised = false;
    node.after = (method, answer) => {
      const range = node.requests.at(-1)?.params[0] as { toBlock?: string };
      if (method === "eth_getLogs" && Number(range.toBlock) > 15 && !reorganised) {
        reorganised = true;
        node.reorg(7);
        node.mine([grant(GENESIS)]);
        mineEmpty(node, 6);
      }
      return answer;
    };
    await ledger.sync();
    expect(reorganised).to.be.true;
    expect(ledger.stateOf(anna, id1).granted).to.deep.equal({
      issuedAt: GENESIS,
      grantedAt: GENESIS + 14 * 12,
      final: false,
    });
    ledger.close();
  });

  it("serves callers at once, and two processes on one file, without counting an event twice", async () => {
    for (let i = 0; i < 20; i++) node.mine([grant(GENESIS + i)]);
    const path = join(folder, "shared.sqlite");
    const [one, two] = [new ConsentLedger(node, DEPLOYMENT, path), new ConsentLedger(node, DEPLOYMENT, path)];
    await Promise.all([one.sync(), one.sync(), two.sync(), two.sync()]);
    node.mine([revoke()]);
    await Promise.all([two.sync(), one.sync()]);
    expect(one.stateOf(anna, id1).ended).to.equal("revoked");
    expect(everything(one)).to.deep.equal(everything(two));
    expect((await one.sync()).events).to.equal(0);
    one.close();
    two.close();
  });

  it("opens the file of its own registry only", () => {
    const path = join(folder, "ledger.sqlite");
    new ConsentLedger(node, DEPLOYMENT, path).close();
    new ConsentLedger(node, DEPLOYMENT, path).close();
    const other = { ...DEPLOYMENT, chainId: CHAIN_ID + 1 };
    expect(() => new ConsentLedger(node, other, path)).to.throw(DeploymentError);
    const text = join(folder, "text");
    writeFileSync(
      text,
      "no ledger at all, and longer than the header of a database would have to be for one of its kind",
    );
    expect(() => new ConsentLedger(node, DEPLOYMENT, text)).to.throw(DeploymentError);
    // What the disk does not give may be a good ledger.
    expect(() => new ConsentLedger(node, DEPLOYMENT, folder)).to.throw(LedgerUnavailableError);
  });

  it("refuses a node on another chain", async () => {
    const ledger = new ConsentLedger(node, { ...DEPLOYMENT, chainId: 1 });
    expect(await failureOf(ledger.sync())).to.be.instanceOf(WrongChainError);
    ledger.close();
  });
});

describe("a node that lies", () => {
  type RawLog = Record<string, unknown> & { topics: string[]; data: string };
  const change = (edit: (logs: RawLog[], node: FakeNode) => unknown) => (node: FakeNode) => {
    node.after = (method, answer) => (method === "eth_getLogs" ? edit(answer as RawLog[], node) : answer);
  };
  const first = (edit: Partial<Record<string, unknown>>) =>
    change((logs) => logs.map((log, i) => (i === 0 ? { ...log, ...edit } : log)));
  const far = toBeHex(GENESIS + 12 + 15 * 60 + 1, 32);

  const lies: Record<string, (node: FakeNode) => void> = {
    "makes up a grant issued in the future of its block": first({ data: far }),
    "makes up a grant issued at no time": first({ data: toBeHex(0, 32) }),
    "makes up a grant issued after the end of time": first({ data: `0x${"ff".repeat(32)}` }),
    "makes up an event of another kind": first({ topics: [id1] }),
    "makes up an event without topics": first({ topics: [] }),
    "sends an event of another contract": first({ address: anna }),
    "sends an event from outside the range": first({ blockNumber: "0xffff" }),
    "sends an event that was taken back": first({ removed: true }),
    "sends data of the wrong length": first({ data: "0x" }),
    "hides something before the grantor's address": change((logs) =>
      logs.map((log) => ({
        ...log,
        topics: [log.topics[0], `0x01${log.topics[1]?.slice(4)}`, ...log.topics.slice(2)],
      })),
    ),
    "sends an event twice": change((logs) => [...logs, ...logs]),
    "repeats a grant under another index": change((logs) => [
      ...logs,
      ...logs.slice(0, 1).map((log) => ({ ...log, logIndex: "0x9" })),
    ]),
    "lets a grant follow a revocation": change((logs) =>
      [...logs.slice(0, 2).reverse()].map((log, i) => ({ ...log, logIndex: `0x${i}` })),
    ),
    "sends no list": change(() => ({})),
    "sends a null in the list": change(() => [null]),
  };

  for (const [lie, tell] of Object.entries(lies)) {
    it(`is caught when it ${lie}`, async () => {
      const node = new FakeNode();
      node.mine([grant(GENESIS + 12), revoke()]);
      node.mine([revokeAll(GENESIS + 20), grant(GENESIS + 21, anna, id2)]);
      mineEmpty(node, 10);
      tell(node);
      const ledger = new ConsentLedger(node, DEPLOYMENT);
      expect(await failureOf(ledger.sync())).to.be.instanceOf(NodeLiesError);
      ledger.close();
    });
  }

  it("has no verdict when its events lie in blocks that it does not have", async () => {
    const node = new FakeNode();
    node.mine([grant(GENESIS)]);
    mineEmpty(node, 10);
    first({ blockHash: id2 })(node);
    const ledger = new ConsentLedger(node, DEPLOYMENT);
    expect(await failureOf(ledger.sync())).to.be.instanceOf(ChainUnavailableError);
    expect(ledger.stateOf(anna, id1).granted).to.equal(undefined);
    ledger.close();
  });
});
