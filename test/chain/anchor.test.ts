import { expect } from "chai";
import { network } from "hardhat";
import type { Signer } from "ethers";
import { hex0x } from "../../src/bytes/bytes.ts";
import { random } from "../../src/bytes/random.ts";
import {
  anchorCheckpoint,
  anchoredCheckpoints,
  FIRST_HEAD,
  headAfter,
  headOf,
  type CheckpointAnchor,
} from "../../src/chain/anchor.ts";
import { anchorAt } from "../../src/chain/contracts.ts";
import { ChainUnavailableError, ContractRefusedError, HeadMovedError, NodeLiesError } from "../../src/chain/errors.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { failureOf } from "./failure.ts";
import { deployOn, type Ground } from "./ground.ts";

type RawLog = Record<string, unknown> & { data: string };

const checkpoint = (size = 8): CheckpointAnchor => ({ root: random(32), digest: random(32), size });

describe("anchoring", () => {
  let close: () => Promise<void>;
  let ground: Ground;
  let signers: Signer[];
  let used = 0;

  before(async () => {
    const connection = await network.create();
    close = () => connection.close();
    signers = await connection.ethers.getSigners();
    ground = await deployOn(connection.ethers.provider, signers[0] as Signer, 31337);
  });
  after(() => close());

  /** A gateway that has anchored nothing yet. */
  async function newGateway() {
    const signer = signers[++used] as Signer;
    const address = (await signer.getAddress()) as Hex;
    const anchor = (of: CheckpointAnchor, expectedHead: Uint8Array, rpc: Rpc = ground.rpc) =>
      anchorCheckpoint(of, expectedHead, signer, rpc, ground.deployment);
    const head = () => headOf(ground.rpc, ground.deployment, address);
    const history = (rpc: Rpc = ground.rpc) => anchoredCheckpoints(rpc, ground.deployment, address);
    return { signer, address, anchor, head, history };
  }

  it("moves the head on chain to where the twin says", async () => {
    const { anchor, head } = await newGateway();
    expect(await head()).to.deep.equal(FIRST_HEAD);
    let expected = FIRST_HEAD;
    for (const size of [1, 8, 4096, Number.MAX_SAFE_INTEGER]) {
      const next = checkpoint(size);
      expect((await anchor(next, expected)).status).to.equal("mined");
      expected = headAfter(expected, next);
      expect(await head()).to.deep.equal(expected);
    }
  });

  it("sends nothing when an earlier try got through after all", async () => {
    const { anchor, head, history } = await newGateway();
    const first = checkpoint();
    await anchor(first, FIRST_HEAD);
    expect(await anchor(first, FIRST_HEAD)).to.deep.equal({ status: "already" });
    // The earlier try is mined between the look at the head and the sending.
    const second = checkpoint();
    const expected = await head();
    let looks = 0;
    const late: Rpc = {
      async send(method, params) {
        const answer = await ground.rpc.send(method, params);
        if (method === "eth_call" && looks++ === 0) await anchor(second, expected);
        return answer;
      },
    };
    expect(await anchor(second, expected, late)).to.deep.equal({ status: "already" });
    expect(await history()).to.have.length(2);
  });

  it("refuses a checkpoint that does not follow the gateway's head", async () => {
    const { anchor, head } = await newGateway();
    await anchor(checkpoint(), FIRST_HEAD);
    const before = await head();
    expect(await failureOf(anchor(checkpoint(), FIRST_HEAD))).to.be.instanceOf(HeadMovedError);
    expect(await failureOf(anchor(checkpoint(), random(32)))).to.be.instanceOf(HeadMovedError);
    expect(await head()).to.deep.equal(before);
  });

  it("gives the contract's reason for any other refusal", async () => {
    const { anchor } = await newGateway();
    const refused = await failureOf(anchor(checkpoint(0), FIRST_HEAD));
    expect(refused).to.be.instanceOf(ContractRefusedError).and.to.have.property("reason", "CheckpointEmpty");
  });

  it("lists a gateway's checkpoints in order, with their place and time, and nobody else's", async () => {
    const [one, two] = [await newGateway(), await newGateway()];
    const mine: CheckpointAnchor[] = [];
    let expected = FIRST_HEAD;
    for (let i = 0; i < 3; i++) {
      const next = checkpoint(i + 1);
      await one.anchor(next, expected);
      await two.anchor(checkpoint(), await two.head());
      expected = headAfter(expected, next);
      mine.push(next);
    }
    const history = await one.history();
    expect(history.map(({ root, digest, size }) => ({ root, digest, size }))).to.deep.equal(mine);
    expect(history.map(({ index }) => index)).to.deep.equal([0, 1, 2]);
    expect(history.at(-1)?.head).to.deep.equal(expected);
    for (const { block, time } of history) {
      const header = (await ground.rpc.send("eth_getBlockByNumber", [`0x${block.toString(16)}`, false])) as {
        timestamp: string;
      };
      expect(time).to.equal(Number(header.timestamp));
    }
    expect(await (await newGateway()).history()).to.deep.equal([]);
  });

  it("catches a node that leaves out, adds, reorders or alters a checkpoint, or keeps back the last", async () => {
    const { signer, history, head, anchor } = await newGateway();
    for (let i = 0; i < 3; i++) await anchor(checkpoint(), await head());
    const flip = (data: string, at: number): string =>
      data.slice(0, at) + (data[at] === "0" ? "1" : "0") + data.slice(at + 1);
    const lies: Record<string, (logs: RawLog[]) => unknown> = {
      "leaves out the first": (logs) => logs.slice(1),
      "leaves out one between": (logs) => logs.filter((_, i) => i !== 1),
      "keeps back the last": (logs) => logs.slice(0, -1),
      "keeps back all": () => [],
      reorders: ([a, b, c]) => [
        { ...a, blockNumber: b?.["blockNumber"], blockHash: b?.["blockHash"] },
        { ...b, blockNumber: a?.["blockNumber"], blockHash: a?.["blockHash"] },
        c,
      ],
      "alters a root": (logs) => logs.map((log) => ({ ...log, data: flip(log.data, 10) })),
      "alters a digest": (logs) => logs.map((log) => ({ ...log, data: flip(log.data, 2 + 64 + 8) })),
      "alters a size": (logs) => logs.map((log) => ({ ...log, data: flip(log.data, 2 + 3 * 64 - 1) })),
      "moves one into a block that is not there": (logs) =>
        logs.map((log) => ({ ...log, blockHash: hex0x(random(32)) })),
    };
    for (const [name, lie] of Object.entries(lies)) {
      const liar: Rpc = {
        async send(method, params) {
          const answer = await ground.rpc.send(method, params);
          return method === "eth_getLogs" ? lie(answer as RawLog[]) : answer;
        },
      };
      expect(await failureOf(history(liar)), name).to.be.instanceOf(NodeLiesError);
    }
    expect(await history()).to.have.length(3);

    // The chain of a gateway that anchors nonsense is shown as it is.
    const anchorContract = anchorAt(ground.deployment.contracts.RecordAnchor.address, signer);
    await anchorContract.anchor(random(32), random(32), (1n << 64n) - 1n, await head());
    expect((await history()).at(-1)?.head).to.deep.equal(await head());
  });

  it("takes no answer for an outage", async () => {
    const away: Rpc = { send: () => Promise.reject(new Error("no")) };
    const { anchor, history } = await newGateway();
    expect(await failureOf(anchor(checkpoint(), FIRST_HEAD, away))).to.be.instanceOf(ChainUnavailableError);
    expect(await failureOf(history(away))).to.be.instanceOf(ChainUnavailableError);
  });
});
