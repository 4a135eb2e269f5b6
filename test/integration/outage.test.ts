import { join } from "node:path";
import { expect } from "chai";
import { gatewayAnchor } from "../../src/gateway/anchor.ts";
import type { GatewayDeps } from "../../src/gateway/deps.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { sqliteRows, type RowChange } from "../../src/state/rows.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import { chance, freshSeed } from "../../scripts/deep/chance.ts";
import { audit } from "../../scripts/demo/audit.ts";
import { historyOf, openArchive, placeOf } from "../../scripts/demo/world.ts";
import { openBatches } from "../../src/archive/batches.ts";
import { EPOCH, EPOCHS, openWard, reading, START, type Ward } from "./ward.ts";
import { failureOf } from "./times.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? freshSeed();
const WHICH = ["before every odd and after every even call", "after every odd and before every even call"];
/** One of them, drawn; `MEDSEAL_CRASHES=all` for both. */
const SIDES = process.env["MEDSEAL_CRASHES"] === "all" ? [false, true] : [chance(SEED, "sides").int(2) === 1];

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

  for (const first of SIDES) {
    it(`anchors once and loses nothing, wherever it is cut off, ${WHICH[Number(first)]} (MEDSEAL_SEED=${SEED})`, async () => {
      let cuts = 0;
      // Each round cuts one call later, until a round runs through.
      for (let failAt = 1; ; failAt++) {
        const after = (failAt % 2 === 1) === first;
        const ward = await openWard();
        const faults = new Faults();
        try {
          const deps = depsOf(ward, faults, after);
          let gateway = new Gateway(deps());
          await gateway.acceptLease((await ward.patient.self.lease(ward.write.id, "a patient")).envelope);
          faults.calls = 0;
          faults.failAt = failAt;
          const cut = await recordThrough(gateway).catch((error: Error) => error);
          if (cut === undefined) break;
          cuts += 1;
          faults.failAt = Infinity;
          // The process is gone; what its journal has is all there is. The source is given again.
          await gateway.close();
          gateway = new Gateway(deps());
          await gateway.checkpoint();
          await recordThrough(gateway);
          expect((await epochsIn(ward)).sort(), `cut at call ${failAt}`).to.deep.equal([0, 1]);
          const history = await historyOf(ward.world, ward.identity.party.address);
          expect(new Set(history.map(({ digest }) => digest.join())).size, "each checkpoint once").to.equal(
            history.length,
          );
          expect((await audit(ward.world, ward.gateway)).findings).to.deep.equal([]);
          await gateway.close();
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
      const gateway = new Gateway(depsOf(ward, faults, false)());
      await gateway.acceptLease((await ward.patient.self.lease(ward.write.id, "a patient")).envelope);
      const session = gateway.ingest(gateway.streams()[0]!, SOURCE);
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

const SOURCE = { clock: { kind: "source" }, source: new Uint8Array(32).fill(1) } as const;

/** Two epochs, then a checkpoint. @returns nothing when all went through. */
async function recordThrough(gateway: Gateway, epochs: readonly number[] = [0, 1]): Promise<undefined> {
  const session = gateway.ingest(gateway.streams()[0]!, SOURCE);
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

/** Each call opens the journal again, as a process does that starts. */
function depsOf(ward: Ward, faults: Faults, after: boolean): () => GatewayDeps {
  const { world, identity, gateway } = ward;
  const { address } = identity.party;
  const keys = { hpke: identity.hpke, signing: generateSigningKey(), secret: new Uint8Array(32).fill(7) };
  return () => {
    const rows = sqliteRows(join(world.folder, "gateway", "cut-off.sqlite"));
    return {
      address,
      place: placeOf(world, address),
      registry: world.registry,
      blocks: faults.wrap(world.blocks, after),
      anchor: faults.wrap(gatewayAnchor(world.rpc, world.deployment, world.accounts.gateway, address), after),
      watch: watchLedger(gateway.viewer.ledger),
      ask: ({ time, ...question }) => gateway.viewer.judge.isPermitted(question, time),
      rows: { ...rows, ...faults.wrap({ apply: (changes: readonly RowChange[]) => rows.apply(changes) }, after) },
      keys,
      entries: 4,
    };
  };
}
