import { expect } from "chai";
import { network } from "hardhat";
import { keccak256, toBeHex, type Signer } from "ethers";
import fc from "fast-check";
import { decodeBlockHeader, encodeBlockHeader, readBlockHeader } from "../../src/chain/block-header.ts";
import { provenIntervals } from "../../src/chain/consent-proof.ts";
import { registryAt } from "../../src/chain/contracts.ts";
import { ChainUnavailableError, NodeLiesError, StateProofError, NotFinalYetError } from "../../src/chain/errors.ts";
import { proveHead } from "../../src/chain/head-proof.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import { provenContract, provenSlot } from "../../src/chain/state-proof.ts";
import { storageProof, storageRoot } from "../../src/chain/storage-root.ts";
import { word } from "../../src/chain/storage.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { failureOf } from "./failure.ts";
import { groundWithPatients, recording, type Ground } from "./ground.ts";

describe("proofs of the chain's state", () => {
  let close: () => Promise<void>;
  let ground: Ground;
  let patients: Signer[];
  const ids = [1, 2, 3].map((i) => keccak256(toBeHex(i, 32)) as Hex);

  before(async () => {
    const connection = await network.create();
    close = () => connection.close();
    ({ ground, patients } = await groundWithPatients(connection, 3));
    for (const [i, patient] of patients.entries()) {
      const registry = registryAt(ground.at.registry, patient);
      await registry.grant(ids[0] as Hex);
      await registry.grant(ids[1] as Hex);
      await registry.revoke(ids[1] as Hex);
      if (i > 0) await registry.revokeAll();
    }
  });
  after(() => close());

  const slot = fc.oneof(fc.bigInt({ min: 0n, max: 40n }), fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }));
  const value = fc.oneof(fc.constantFrom(0n, 1n, 127n, 128n), fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }));

  it("show each slot of any storage, and that each other one is zero", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(slot, value), { maxLength: 40 }),
        fc.array(slot, { maxLength: 10 }),
        (pairs, absent) => {
          const slots = new Map(pairs.map(([key, content]) => [word(key), word(content)]));
          const root = storageRoot(slots);
          for (const key of [...slots.keys(), ...absent.map(word)])
            expect(provenSlot(root, key, storageProof(slots, key))).to.equal(slots.get(key) ?? word(0));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are refused with any bit of a node flipped, a node missing, doubled or exchanged", () => {
    const slots = new Map(Array.from({ length: 30 }, (_, i) => [word(i), word(1000 + i)]));
    const root = storageRoot(slots);
    const nodes = storageProof(slots, word(7));
    const refused = (changed: readonly Hex[]): void => {
      expect(() => provenSlot(root, word(7), changed)).to.throw(StateProofError);
    };
    for (const [i, node] of nodes.entries()) {
      refused(nodes.filter((_, k) => k !== i));
      refused([...nodes.slice(0, i + 1), ...nodes.slice(i)]);
      for (let bit = 0; bit < 4 * (node.length - 2); bit++) {
        const flipped = BigInt(node) ^ (1n << BigInt(bit));
        refused(nodes.with(i, toBeHex(flipped, (node.length - 2) / 2) as Hex));
      }
    }
    refused(storageProof(slots, word(8)));
  });

  it("come without asking for a consent, and say what the events say", async () => {
    const node = recording(ground.rpc);
    const ledger = new ConsentLedger(node, ground.deployment);
    await ledger.sync();
    const block = decodeBlockHeader(await readBlockHeader(node, ledger.final?.number ?? 0));
    const refs = [];
    for (const patient of patients)
      for (const id of ids) refs.push({ grantor: (await patient.getAddress()) as Hex, id });
    const proof = await ledger.prove(block, refs);
    const state = provenContract(block, ground.at.registry, proof.account);
    for (const [i, ref] of refs.entries()) {
      const shown = provenIntervals(state, ref, proof.consents[i]!);
      const known = ledger.intervalsOf(ref.grantor, ref.id);
      if (ref.id === ids[2]) expect([shown, known]).to.deep.equal([undefined, []]);
      else expect(shown).to.deep.equal(known);
    }
    const slots = proof.consents.flatMap(({ entry }) => entry).length;
    expect(slots).to.be.greaterThan(refs.length);
    for (const id of ids) expect(node.requests.join()).to.not.include(id.slice(2));
    expect(node.requests.filter((request) => request.includes("eth_getproof"))).to.have.lengthOf(1);
    ledger.close();
  });

  it("rest on headers that hash to their blocks", async () => {
    const block = (await ground.rpc.send("eth_getBlockByNumber", ["latest", false])) as Record<string, unknown>;
    const header = decodeBlockHeader(encodeBlockHeader(block));
    expect(header).to.deep.equal({
      number: Number(block["number"]),
      hash: block["hash"],
      stateRoot: block["stateRoot"],
      timestamp: Number(block["timestamp"]),
    });
    for (const change of [{ gasUsed: "0x1" }, { stateRoot: word(1) }, { hash: word(1) }, { extraData: "no hex" }])
      expect(() => encodeBlockHeader({ ...block, ...change })).to.throw(NodeLiesError);
  });

  it("are not taken from a node that has none, or whose proof is of something else", async () => {
    const gateway = (await patients[0]?.getAddress()) as Hex;
    const answers = (answer: (honest: unknown) => unknown): Rpc => ({
      send: async (method, params) => {
        const honest = await ground.rpc.send(method, params);
        return method === "eth_getProof" ? answer(honest) : honest;
      },
    });
    const away = answers(() => {
      throw new Error("no");
    });
    expect(await failureOf(proveHead(away, ground.deployment, gateway))).to.be.instanceOf(ChainUnavailableError);
    expect(
      await failureOf(
        proveHead(
          answers(() => null),
          ground.deployment,
          gateway,
        ),
      ),
    ).to.be.instanceOf(ChainUnavailableError);
    const short = answers((honest) => ({ ...(honest as object), accountProof: [] }));
    expect(await failureOf(proveHead(short, ground.deployment, gateway))).to.be.instanceOf(NodeLiesError);
    expect(await failureOf(proveHead(ground.rpc, ground.deployment, gateway, 10_000))).to.be.instanceOf(
      NotFinalYetError,
    );
  });
});
