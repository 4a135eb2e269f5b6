import { expect } from "chai";
import { network } from "hardhat";
import type { Signer } from "ethers";
import { keccak256, toBeHex } from "ethers";
import fc from "fast-check";
import { MerkleStateManager } from "@ethereumjs/statemanager";
import { createAccount, createAddressFromString } from "@ethereumjs/util";
import { fromHex, hex0x } from "../../src/bytes/bytes.ts";
import { registryAt, registryInterface } from "../../src/chain/contracts.ts";
import { NodeLiesError } from "../../src/chain/errors.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { storageRoot } from "../../src/chain/storage-root.ts";
import { endedBeforeSlot, entrySlot, packEntry, word } from "../../src/chain/storage.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { groundWithPatients, type Ground } from "./ground.ts";

describe("the registry's storage, rebuilt", () => {
  let close: () => Promise<void>;
  let ground: Ground;
  let patients: Signer[];
  const ids = [1, 2, 3].map((i) => keccak256(toBeHex(i, 32)) as Hex);

  before(async () => {
    const connection = await network.create();
    close = () => connection.close();
    ({ ground, patients } = await groundWithPatients(connection, 4));
    for (const [i, patient] of patients.entries()) {
      const registry = registryAt(ground.at.registry, patient);
      if (i === 0) continue;
      await registry.grant(ids[0] as Hex);
      await registry.revoke(ids[1] as Hex);
      if (i > 1) await registry.revokeAll();
      if (i > 2) await registry.grant(ids[0] as Hex);
      if (i > 2) await registry.revoke(ids[0] as Hex);
    }
  });
  after(() => close());

  it("lies in the slots and bits in which the contract keeps it", async () => {
    const ledger = new ConsentLedger(ground.rpc, ground.deployment);
    await ledger.sync();
    const read = (slot: Hex) => ground.rpc.send("eth_getStorageAt", [ground.at.registry, slot, "latest"]);
    let filled = 0;
    for (const patient of patients) {
      const grantor = (await patient.getAddress()) as Hex;
      expect(await read(endedBeforeSlot(grantor))).to.equal(word(ledger.endedBeforeFor(grantor, "now")));
      for (const id of ids) {
        const packed = packEntry(ledger.entryFor(grantor, id, "now"));
        expect(await read(entrySlot(grantor, id))).to.equal(packed);
        if (BigInt(packed) !== 0n) filled++;
      }
    }
    expect(filled).to.equal(6);
    ledger.close();
  });

  it("has the root that the chain has, and no other when an event that counts is left out or made up", async () => {
    const honest = new ConsentLedger(ground.rpc, ground.deployment);
    await honest.sync();
    expect((await honest.attest()).block).to.equal(honest.final?.number);
    honest.close();

    const logs = (await ground.rpc.send("eth_getLogs", [
      { address: ground.at.registry, fromBlock: "0x0", toBlock: "latest" },
    ])) as { topics: string[] }[];
    const without = (left: number): Rpc => ({
      send: async (method, params) =>
        method === "eth_getLogs" ? logs.filter((_, i) => i !== left) : ground.rpc.send(method, params),
    });
    const madeUp: Rpc = {
      send: async (method, params) =>
        method === "eth_getLogs"
          ? [
              ...logs,
              {
                ...logs[0],
                logIndex: "0x50",
                topics: [topic("ConsentRevoked"), logs[0]?.topics[1], ids[2]],
                data: "0x",
              },
            ]
          : ground.rpc.send(method, params),
    };
    // Of two grants of one consent only the later one is still in the state.
    const replaced = logs.findIndex((log, i) =>
      logs.some(
        (later, j) =>
          j > i && [0, 1, 2].every((k) => later.topics[k] !== undefined && later.topics[k] === log.topics[k]),
      ),
    );
    expect(replaced).to.be.greaterThan(-1);
    const counted = logs.flatMap((_, i) => (i === replaced ? [] : [without(i)]));
    for (const liar of [...counted, madeUp]) {
      const fooled = new ConsentLedger(liar, ground.deployment);
      // What contradicts itself is caught at once, the rest by the root.
      const caught = await fooled.sync().then(
        () => fooled.attest().catch((error: unknown) => error),
        (error: unknown) => error,
      );
      expect(caught).to.be.instanceOf(NodeLiesError);
      fooled.close();
    }
  });

  it("is not vouched for by a proof of another account, another block, or with a changed number in it", async () => {
    const lies: ((proof: Record<string, unknown>) => unknown)[] = [
      (proof) => ({ ...proof, storageHash: word(7) }),
      (proof) => ({ ...proof, accountProof: (proof["accountProof"] as string[]).slice(0, -1) }),
      (proof) => ({ ...proof, accountProof: [] }),
      () => null,
      () => ({}),
    ];
    for (const lie of lies) {
      const liar: Rpc = {
        async send(method, params) {
          const answer = await ground.rpc.send(method, params);
          return method === "eth_getProof" ? lie(answer as Record<string, unknown>) : answer;
        },
      };
      const ledger = new ConsentLedger(liar, ground.deployment);
      await ledger.sync();
      const outcome = await ledger.attest().catch((error: unknown) => error);
      // What counts is the account proof; a false summary beside a true proof changes nothing.
      expect(outcome instanceof NodeLiesError || (outcome as { block: number }).block === ledger.final?.number).to.be
        .true;
      if (lie !== lies[0]) expect(outcome).to.be.instanceOf(NodeLiesError);
      ledger.close();
    }
    const elsewhere: Rpc = {
      send: (method, params) =>
        method === "eth_getProof"
          ? ground.rpc.send(method, [ground.deployment.contracts.RecordAnchor.address, [], params[2]])
          : ground.rpc.send(method, params),
    };
    const ledger = new ConsentLedger(elsewhere, ground.deployment);
    await ledger.sync();
    expect(await ledger.attest().catch((error: unknown) => error)).to.be.instanceOf(NodeLiesError);
    ledger.close();
  });

  it("has the same root as in another implementation, for any slots", async () => {
    const address = createAddressFromString(ground.at.registry);
    const slot = fc.oneof(fc.bigInt({ min: 0n, max: 40n }), fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }));
    const value = fc.oneof(fc.constantFrom(0n, 1n, 127n, 128n), fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(slot, value), { maxLength: 60 }), async (pairs) => {
        const slots = new Map(pairs.map(([key, content]) => [word(key), word(content)]));
        const state = new MerkleStateManager();
        await state.putAccount(address, createAccount({ nonce: 1n }));
        for (const [key, content] of slots) {
          const trimmed = fromHex(`0x${content.replace(/^0x(00)*/, "")}`);
          await state.putStorage(address, fromHex(key), trimmed);
        }
        await state.flush();
        const account = await state.getAccount(address);
        expect(storageRoot(slots)).to.equal(hex0x(account?.storageRoot ?? new Uint8Array()));
      }),
      { numRuns: 60 },
    );
  });

  const topic = (name: "ConsentRevoked"): string => registryInterface.getEvent(name).topicHash;
});
