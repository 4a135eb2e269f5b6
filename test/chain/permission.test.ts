import { expect } from "chai";
import type { Signer } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { mulberry32 } from "../../examples/simulate.ts";
import { now } from "../../src/bytes/random.ts";
import { registryAt } from "../../src/chain/contracts.ts";
import { CodeDiffersError, NodeLiesError } from "../../src/chain/errors.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { PermissionJudge, type Question } from "../../src/chain/permission.ts";
import { relay } from "../../src/chain/relay.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import { ACTION_NAMES, ACTIONS } from "../../src/consent/actions.ts";
import { consentId as consentIdOf, type Hex } from "../../src/consent/consent.ts";
import { signGrant, signRevoke } from "../../src/consent/sign.ts";
import type { Link } from "../../src/consent/scope.ts";
import { anyAddress, consentBy, deployOn, recording, streamId, type Ground } from "./ground.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20261121);
const CASES = Number(process.env["MEDSEAL_PERMISSIONS"] ?? 60);

describe("isPermitted in this process", () => {
  let connection: NetworkConnection;
  let ground: Ground;
  let relayer: Signer;

  before(async () => {
    connection = await network.create();
    const signers = (await connection.ethers.getSigners()) as unknown as [Signer, Signer];
    relayer = signers[1];
    ground = await deployOn(connection.ethers.provider, signers[0], 31337);
  });
  after(() => connection.close());

  it("gives the contract's own answer on random chains of consents, and tells the node nothing of the question", async () => {
    console.log(`      ${CASES} chains, seed ${SEED}`);
    const draw = mulberry32(SEED);
    const chance = (share: number): boolean => draw() < share;
    const pick = <T>(items: readonly T[]): T => items[Math.floor(draw() * items.length)] as T;
    const questions: Question[] = [];
    let relationship = 0;
    for (let i = 0; i < CASES; i++) {
      const streams = Array.from({ length: 1 + Math.floor(draw() * 3) }, streamId);
      const chain: Link[] = [];
      let signer = ground.wallet.signer(relationship++);
      for (let depth = 1 + Math.floor(draw() * 4), d = 0; d < depth; d++) {
        const next = ground.wallet.signer(relationship++);
        const before = chain.at(-1);
        const { consent, link } = consentBy(signer, {
          grantee: chance(0.98) ? next.address : anyAddress(),
          streams:
            d > 0 && chance(0.03)
              ? [streamId()]
              : streams.slice(0, d === 0 ? streams.length : 1 + Math.floor(draw() * streams.length)),
          actions: chance(0.97) ? ["READ", "SHARE"] : [pick(ACTION_NAMES)],
          purpose: chance(0.97) ? "TREAT" : "HRESCH",
          dataStart: d === 0 ? 1000 : chance(0.97) ? 1000 + d : 0,
          dataEnd: chance(0.97) ? 5000 - d : 6000,
          ...(before && chance(0.98) ? { parent: idOf(before) } : {}),
        });
        if (chance(0.97)) await relay(await signGrant(signer, ground.at, consent), relayer, ground.deployment);
        if (chance(0.04)) await relay(await signRevoke(signer, ground.at, consent), relayer, ground.deployment);
        chain.push(link);
        signer = next;
      }
      const last = chain.at(-1) as Link;
      questions.push({
        chain,
        grantee: chance(0.9) ? last.consent.grantee : anyAddress(),
        action: chance(0.9) ? ACTIONS.READ : pick([0, ACTIONS.WRITE, ACTIONS.READ | ACTIONS.SHARE]),
        purpose: chance(0.9) ? "TREAT" : "HRESCH",
        stream: chance(0.9) ? (streams[0] as Hex) : streamId(),
        dataTime: pick([999, 1000, 1003, 1003, 4990, 4990, 4990, 5000]),
      });
    }

    const node = recording(ground.rpc);
    const ledger = new ConsentLedger(node, ground.deployment);
    await ledger.sync();
    const judge = await PermissionJudge.create(node, ground.deployment, ledger);
    const registry = registryAt(ground.at.registry, connection.ethers.provider);
    const answers = { yes: 0, no: 0 };
    for (const question of questions) {
      const { timestamp } = (await connection.ethers.provider.getBlock("latest")) ?? { timestamp: 0 };
      const here = await judge.isPermitted(question, timestamp + 1);
      const { chain, grantee, action, purpose, stream, dataTime } = question;
      // A call that only this test may make: it tells the node everything.
      const links = chain.map(({ consent, streams }) => ({ consent, streams: [...streams] }));
      expect(here).to.equal(await registry.isPermitted(links, grantee, action, purpose, stream, dataTime));
      answers[here ? "yes" : "no"] += 1;
    }
    console.log(`      ${answers.yes} permitted, ${answers.no} not`);
    expect(Math.min(answers.yes, answers.no), "both answers came").to.be.greaterThan(CASES / 5);

    const told = node.requests.join("\n");
    for (const { chain, grantee, stream } of questions) {
      const secrets = [
        grantee,
        stream,
        ...chain.flatMap(({ consent }) => [idOf({ consent, streams: [] }), consent.grantor, consent.scope]),
      ];
      for (const secret of secrets) expect(told.includes(secret.slice(2).toLowerCase())).to.equal(false);
    }
    ledger.close();
  });

  it("trusts no code but the one pinned at deployment", async () => {
    const ledger = new ConsentLedger(ground.rpc, ground.deployment);
    const swapped: Rpc = {
      send: async (method, params) =>
        method === "eth_getCode" ? "0x600160005260206000f3" : ground.rpc.send(method, params),
    };
    let failure: unknown;
    await PermissionJudge.create(swapped, ground.deployment, ledger).catch((error: unknown) => (failure = error));
    expect(failure).to.be.instanceOf(CodeDiffersError);
    ledger.close();
  });

  it("denies after a signed end that no node has seen", async () => {
    const signer = ground.wallet.signer(900);
    const { consent, link } = consentBy(signer);
    await relay(await signGrant(signer, ground.at, consent), relayer, ground.deployment);
    const ledger = new ConsentLedger(ground.rpc, ground.deployment);
    await ledger.sync();
    const judge = await PermissionJudge.create(ground.rpc, ground.deployment, ledger);
    const question = {
      chain: [link],
      grantee: consent.grantee,
      action: ACTIONS.READ,
      purpose: "TREAT",
      stream: consent.scope,
      dataTime: 1,
    };
    expect(await judge.isPermitted(question, now())).to.equal(true);
    ledger.noteSigned(await signRevoke(signer, ground.at, consent));
    expect(await judge.isPermitted(question, now())).to.equal(false);
    ledger.close();
  });

  it("catches a node that leaves out or makes up an event, by the root of the registry's storage", async () => {
    const signer = ground.wallet.signer(901);
    const { consent } = consentBy(signer);
    await relay(await signGrant(signer, ground.at, consent), relayer, ground.deployment);
    await relay(await signRevoke(signer, ground.at, consent), relayer, ground.deployment);
    const honest = new ConsentLedger(ground.rpc, ground.deployment);
    await honest.sync();
    await honest.attest();
    honest.close();
    const lying: Rpc = {
      async send(method, params) {
        const answer = await ground.rpc.send(method, params);
        return method === "eth_getLogs" ? (answer as unknown[]).slice(0, -1) : answer;
      },
    };
    const fooled = new ConsentLedger(lying, ground.deployment);
    await fooled.sync();
    let failure: unknown;
    await fooled.attest().catch((error: unknown) => (failure = error));
    expect(failure).to.be.instanceOf(NodeLiesError);
    fooled.close();
  });
});

const idOf = ({ consent }: Link): Hex => consentIdOf(consent);
