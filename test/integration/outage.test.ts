import { expect } from "chai";
import { gatewayAnchor } from "../../src/gateway/anchor.ts";
import { Gateway, type GatewayDeps } from "../../src/gateway/gateway.ts";
import type { GatewayState } from "../../src/gateway/state.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import { parseState, stringifyState } from "../../src/state/json.ts";
import { audit } from "../../scripts/demo/audit.ts";
import { historyOf, openArchive, placeOf } from "../../scripts/demo/world.ts";
import { openBatches } from "../../src/archive/batches.ts";
import { EPOCH, EPOCHS, openWard, reading, START, type Ward } from "./ward.ts";
import { failureOf } from "./times.ts";

/** Calls of store, chain and state that may fail, counted over all of them. */
class Faults {
  calls = 0;
  failAt = Infinity;

  /** The same object, whose asynchronous methods fail at the chosen call, before or after they did their work. */
  wrap<T extends object>(target: T, after: boolean): T {
    return new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]): Promise<unknown> => {
          const fails = ++this.calls === this.failAt;
          if (fails && !after) throw new Error("cut off");
          const result: unknown = await (value as (...all: unknown[]) => unknown).apply(object, args);
          if (fails) throw new Error("cut off");
          return result;
        };
      },
    });
  }
}

describe("a gateway that is cut off", function () {
  this.timeout(240_000);

  for (const after of [false, true]) {
    it(`anchors once and loses nothing, wherever it is cut off ${after ? "after" : "before"} a call took effect`, async () => {
      let cuts = 0;
      // Each round cuts one call later, until a round runs through.
      for (let failAt = 1; ; failAt++) {
        const ward = await openWard();
        const faults = new Faults();
        const saved: { text: string | undefined } = { text: undefined };
        try {
          const deps = depsOf(ward, faults, saved, after);
          let gateway = await Gateway.open(deps);
          await gateway.acceptLease(await ward.patient.self.lease(ward.write.id, "a patient"));
          faults.calls = 0;
          faults.failAt = failAt;
          const cut = await recordThrough(gateway).catch((error: Error) => error);
          if (cut === undefined) break;
          cuts += 1;
          faults.failAt = Infinity;
          // The process is gone; what it had saved is all there is. The source sends again what was not sealed.
          gateway = await Gateway.open(deps);
          await gateway.checkpoint();
          const done = await epochsIn(ward);
          const missing = [0, 1].filter((epoch) => !done.includes(epoch));
          if (missing.length > 0) await recordThrough(gateway, missing);
          expect((await epochsIn(ward)).sort(), `cut at call ${failAt}`).to.deep.equal([0, 1]);
          const history = await historyOf(ward.world, ward.identity.party.address);
          expect(new Set(history.map(({ digest }) => digest.join())).size, "each checkpoint once").to.equal(
            history.length,
          );
          expect((await audit(ward.world, ward.gateway)).findings).to.deep.equal([]);
        } finally {
          await ward.world.close();
        }
      }
      console.log(`      ${cuts} places`);
      expect(cuts).to.be.greaterThan(5);
    });
  }

  it("keeps the rows of a session while the store is away, and leaves no gap in the signed counter", async () => {
    const ward = await openWard();
    const faults = new Faults();
    try {
      const gateway = await Gateway.open(depsOf(ward, faults, { text: undefined }, false));
      await gateway.acceptLease(await ward.patient.self.lease(ward.write.id, "a patient"));
      const session = gateway.ingest(gateway.streams()[0]!, { kind: "source" });
      await session.add(reading(1));
      faults.calls = 0;
      faults.failAt = 1;
      expect(await failureOf(session.finish())).to.have.property("message", "cut off");
      await session.finish();
      await gateway.checkpoint();
      const archive = await openArchive(ward.world, ward.identity.party.address);
      const batches = [];
      for (const keys of ward.patient.self.ownKeys(ward.write.id)) {
        for await (const batch of openBatches(keys, archive, START / EPOCH, START / EPOCH + EPOCHS, (digest) =>
          ward.world.blocks.get(digest),
        ))
          batches.push(batch);
      }
      expect(batches.map(({ header }) => [header.sequence, header.chunks[0]?.statement.counter])).to.deep.equal([
        [0, 0n],
      ]);
    } finally {
      await ward.world.close();
    }
  });
});

/** Two epochs, then a checkpoint. @returns nothing when all went through. */
async function recordThrough(gateway: Gateway, epochs: readonly number[] = [0, 1]): Promise<undefined> {
  const session = gateway.ingest(gateway.streams()[0]!, { kind: "source" });
  for (const epoch of epochs) for (const second of [1, 2]) await session.add(reading(epoch * EPOCH + second));
  await session.finish();
  await gateway.checkpoint();
  return undefined;
}

async function epochsIn(ward: Ward): Promise<number[]> {
  const archive = await openArchive(ward.world, ward.identity.party.address);
  const found: number[] = [];
  for (const keys of ward.patient.self.ownKeys(ward.write.id)) {
    for await (const { header, chunks } of openBatches(keys, archive, START / EPOCH, START / EPOCH + EPOCHS, (digest) =>
      ward.world.blocks.get(digest),
    )) {
      if ((chunks ?? []).length > 0) found.push(header.epoch - START / EPOCH);
    }
  }
  return found;
}

function depsOf(ward: Ward, faults: Faults, saved: { text: string | undefined }, after: boolean): GatewayDeps {
  const { world, identity, gateway } = ward;
  const { address } = identity.party;
  const store = {
    load: async () => (saved.text === undefined ? undefined : (parseState(saved.text) as GatewayState)),
    save: async (state: GatewayState) => void (saved.text = stringifyState(state)),
  };
  return {
    address,
    place: placeOf(world, address),
    registry: world.registry,
    blocks: faults.wrap(world.blocks, after),
    anchor: faults.wrap(gatewayAnchor(world.rpc, world.deployment, world.accounts.gateway, address), after),
    watch: watchLedger(gateway.viewer.ledger),
    store: faults.wrap(store, after),
    keys: { hpke: identity.hpke, signing: generateSigningKey(), padding: new Uint8Array(32).fill(7) },
    entries: 4,
  };
}
