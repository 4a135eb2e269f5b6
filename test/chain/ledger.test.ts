import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Signer } from "ethers";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { relay } from "../../src/chain/relay.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import { signGrant, signRevoke, signRevokeAll } from "../../src/consent/sign.ts";
import type { SignedMessage } from "../../src/consent/signed.ts";
import { startAnvil, type Anvil } from "./anvil.ts";
import { failureOf } from "./failure.ts";
import { consentBy, deployOn, recording, type Ground } from "./ground.ts";

describe("the ledger, on a chain that reorganises", () => {
  let anvil: Anvil;
  let ground: Ground;
  let relayer: Signer;
  const folder = mkdtempSync(join(tmpdir(), "medseal-ledger-"));

  before(async () => {
    anvil = await startAnvil();
    relayer = await anvil.provider.getSigner(1);
    ground = await deployOn(anvil.provider, await anvil.provider.getSigner(0), 7331);
  });
  after(async () => {
    await anvil.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const mine = (blocks: number): Promise<unknown> => anvil.provider.send("anvil_mine", [`0x${blocks.toString(16)}`]);
  const send = (message: SignedMessage) => relay(message, relayer, ground.deployment);
  const open = (path?: string, rpc: Rpc = ground.rpc): ConsentLedger => new ConsentLedger(rpc, ground.deployment, path);
  let relationship = 0;
  const patient = () => ground.wallet.signer(relationship++);

  it("counts a grant from a final block, an end from the latest", async () => {
    const signer = patient();
    const { consent, id } = consentBy(signer);
    const ledger = open();
    await send(await signGrant(signer, ground.at, consent));
    await ledger.sync();
    expect(ledger.stateOf(consent.grantor, id)).to.deep.include({ inForce: false, ended: undefined });
    await mine(4);
    await ledger.sync();
    expect(ledger.stateOf(consent.grantor, id).inForce).to.equal(true);
    await send(await signRevoke(signer, ground.at, consent));
    await ledger.sync();
    expect(ledger.stateOf(consent.grantor, id)).to.deep.include({ inForce: false, ended: "revoked" });
    ledger.close();
  });

  it("takes a node whose newest block is old for an outage, as it may hide an end", async () => {
    await mine(1);
    const ledger = open();
    await ledger.sync();
    const time = ledger.latest?.time ?? 0;
    const refresh = (after: number): Promise<void> => watchLedger(ledger, { now: () => time + after }).refresh();
    await refresh(600);
    expect(await failureOf(refresh(601))).to.include({ code: "ERR_CHAIN_UNAVAILABLE", exit: 4 });
    await watchLedger(ledger, { now: () => time + 5000, freshWithin: 5000 }).refresh();
    ledger.close();
  });

  it("counts a signed end before it is mined, whoever signed anything else", async () => {
    const signer = patient();
    const { consent, id } = consentBy(signer);
    await send(await signGrant(signer, ground.at, consent));
    await mine(4);
    const ledger = open();
    await ledger.sync();
    const byAnother = {
      ...(await signRevoke(signer, ground.at, consent)),
      grantor: patient().address as `0x${string}`,
    };
    expect(() => ledger.noteSigned(byAnother)).to.throw("signature is not the grantor's");
    expect(ledger.stateOf(consent.grantor, id).inForce).to.equal(true);
    ledger.noteSigned(await signRevoke(signer, ground.at, consent));
    expect(ledger.stateOf(consent.grantor, id)).to.deep.include({ inForce: false, ended: "signed" });
    ledger.close();
  });

  for (const depth of [1, 2, 3, 5, 8, 13, 16, 21, 32, 33, 48, 63, 64]) {
    it(`takes back what a reorganisation of depth ${depth} took back, and keeps a signed end`, async () => {
      const [kept, lost] = [patient(), patient()];
      const granted = consentBy(kept);
      const gone = consentBy(lost);
      await send(await signGrant(kept, ground.at, granted.consent));
      await mine(3);
      // Final only far behind, as on a real chain: anvil itself calls the last block but two final.
      const ledger = open(":memory:", withFinal(ground.rpc, (await anvil.provider.getBlockNumber()) - 1));
      await ledger.sync();
      await send(await signGrant(lost, ground.at, gone.consent));
      await mine(depth - 1);
      await ledger.sync();
      expect(ledger.stateOf(gone.consent.grantor, gone.id).granted).to.not.equal(undefined);
      const revocation = await signRevoke(kept, ground.at, granted.consent);
      ledger.noteSigned(revocation);

      await anvil.provider.send("anvil_reorg", [depth, []]);
      await anvil.provider.send("anvil_setBalance", ["0x0000000000000000000000000000000000000001", "0x1"]);
      await mine(1);
      const report = await ledger.sync();
      expect(report.rolledBackTo, "rolled back").to.be.a("number");
      expect(ledger.stateOf(gone.consent.grantor, gone.id).granted, "the grant was reorganised away").to.equal(
        undefined,
      );
      expect(ledger.stateOf(granted.consent.grantor, granted.id).ended, "the signed end stays").to.equal("signed");
      ledger.close();
    });
  }

  it("takes up from its file where it ended, and reads nothing twice", async () => {
    const path = join(folder, "ledger.sqlite");
    const signer = patient();
    const { consent, id } = consentBy(signer);
    await send(await signGrant(signer, ground.at, consent));
    await mine(4);
    const first = open(path);
    expect((await first.sync()).events).to.be.greaterThan(0);
    first.close();
    const second = open(path);
    expect((await second.sync()).events).to.equal(0);
    expect(second.stateOf(consent.grantor, id).inForce).to.equal(true);
    second.close();
  });

  it("ends in one state for all orders of grant A, revoke all, grant B, revoke A", async () => {
    const states = new Set<string>();
    for (const order of permutations(["grantA", "revokeAll", "grantB", "revokeA"] as const)) {
      const signer = patient();
      const [a, b] = [consentBy(signer), consentBy(signer)];
      const { timestamp } = (await anvil.provider.getBlock("latest")) ?? { timestamp: 0 };
      const at = { now: () => timestamp };
      const messages = {
        grantA: await signGrant(signer, ground.at, a.consent, { ...at, issuedAt: timestamp - 10 }),
        revokeAll: await signRevokeAll(signer, ground.at, a.consent.grantor, { ...at, issuedAt: timestamp - 5 }),
        grantB: await signGrant(signer, ground.at, b.consent, { ...at, issuedAt: timestamp }),
        revokeA: await signRevoke(signer, ground.at, a.consent),
      };
      for (const name of order) {
        // A grant that comes after its end is refused; that is its end state as well.
        await send(messages[name]).catch((error: unknown) =>
          expect(String(error)).to.match(/ConsentRevokedAlready|ConsentIssuedBeforeRevokeAll/),
        );
      }
      await mine(3);
      const ledger = open();
      await ledger.sync();
      states.add(JSON.stringify([a, b].map(({ consent, id }) => ledger.stateOf(consent.grantor, id).inForce)));
      ledger.close();
    }
    expect([...states]).to.deep.equal(["[false,true]"]);
  });

  it("refuses to sign, and the chain to take, a grant dated ahead by a lying node", async () => {
    const signer = patient();
    const { consent } = consentBy(signer);
    const { timestamp } = (await anvil.provider.getBlock("latest")) ?? { timestamp: 0 };
    const ahead = timestamp + 3600;
    expect(
      String(await failureOf(signGrant(signer, ground.at, consent, { now: () => timestamp, issuedAt: ahead }))),
    ).to.include("future");
    const forged = await signGrant(signer, ground.at, consent, { now: () => ahead, issuedAt: ahead });
    expect(String(await failureOf(send(forged)))).to.include("ConsentIssuedInFuture");
  });

  it("tells the node nothing of what it asks about", async () => {
    const signer = patient();
    const { consent, id } = consentBy(signer);
    await send(await signGrant(signer, ground.at, consent));
    await mine(4);
    const node = recording(ground.rpc);
    const ledger = open(":memory:", node);
    await ledger.sync();
    expect(ledger.stateOf(consent.grantor, id).inForce).to.equal(true);
    const asked = node.requests.join("\n");
    for (const secret of [id, consent.grantor, consent.grantee, consent.scope])
      expect(asked).to.not.include(secret.slice(2).toLowerCase());
    ledger.close();
  });

  it("takes no answer for an outage, never for a state", async () => {
    const away: Rpc = { send: () => Promise.reject(Object.assign(new Error("connect"), { code: "ECONNREFUSED" })) };
    const ledger = open(":memory:", away);
    const failure = (await failureOf(ledger.sync())) as { code?: string; exit?: number };
    expect([failure.code, failure.exit]).to.deep.equal(["ERR_CHAIN_UNAVAILABLE", 4]);
    ledger.close();
  });
});

/** A node whose final block stays where it is. */
const withFinal = (rpc: Rpc, block: number): Rpc => ({
  send(method, params) {
    const asksFinal = method === "eth_getBlockByNumber" && params[0] === "finalized";
    return rpc.send(method, asksFinal ? [`0x${block.toString(16)}`, false] : params);
  },
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));
}
