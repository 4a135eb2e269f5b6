import { expect } from "chai";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { Wallet, type Signer } from "ethers";
import { ChainUnavailableError, ContractRefusedError } from "../../src/chain/errors.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { relay } from "../../src/chain/relay.ts";
import { openRpc } from "../../src/chain/rpc.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { SignedMessageError } from "../../src/consent/errors.ts";
import { MAX_WAIT, signGrant, signRevoke, signRevokeAll } from "../../src/consent/sign.ts";
import { EXIT } from "../../src/errors.ts";
import { startAnvil } from "./anvil.ts";
import { failureOf } from "./failure.ts";
import { consentBy, deployOn, type Ground } from "./ground.ts";

describe("relaying", () => {
  let connection: NetworkConnection;
  let ground: Ground;
  let relayers: [Signer, Signer];
  let relationship = 0;

  before(async () => {
    connection = await network.create();
    const [deployer, one, two] = (await connection.ethers.getSigners()) as unknown as [Signer, Signer, Signer];
    relayers = [one, two];
    ground = await deployOn(connection.ethers.provider, deployer, 31337);
  });
  after(() => connection.close());

  const clock = async () => (await connection.ethers.provider.getBlock("latest"))?.timestamp ?? 0;

  async function granted() {
    const signer = ground.wallet.signer(relationship++);
    const { consent, id } = consentBy(signer);
    const at = await clock();
    const grant = await signGrant(signer, ground.at, consent, { now: () => at });
    return { signer, consent, id, grant, at };
  }

  async function reasonOf(promise: Promise<unknown>): Promise<string> {
    const refused = await failureOf(promise);
    expect(refused).to.be.instanceOf(ContractRefusedError);
    return (refused as ContractRefusedError).reason;
  }

  it("has the effect that the grantor signed, whoever relays and however often", async () => {
    const { signer, consent, id, grant } = await granted();
    const [one, two] = relayers;
    expect(await relay(grant, one, ground.deployment)).to.have.property("status", "mined");
    expect(await relay(grant, two, ground.deployment)).to.deep.equal({ status: "already" });
    const revoke = await signRevoke(signer, ground.at, consent);
    await relay(revoke, one, ground.deployment);
    await relay(revoke, two, ground.deployment);
    const ledger = new ConsentLedger(ground.rpc, ground.deployment);
    await ledger.sync();
    expect(ledger.stateOf(consent.grantor, id)).to.deep.include({ inForce: false, ended: "revoked" });
    ledger.close();
  });

  it("says why the contract refuses", async () => {
    const [relayer] = relayers;
    const { signer, consent, grant, at } = await granted();
    await relay(await signRevoke(signer, ground.at, consent), relayer, ground.deployment);
    expect(await reasonOf(relay(grant, relayer, ground.deployment))).to.equal("ConsentRevokedAlready");

    const ended = await granted();
    const revokeAll = await signRevokeAll(ended.signer, ground.at, ended.consent.grantor, { now: () => ended.at });
    await relay(revokeAll, relayer, ground.deployment);
    expect(await reasonOf(relay(ended.grant, relayer, ground.deployment))).to.equal("ConsentIssuedBeforeRevokeAll");

    const { consent: other } = consentBy(signer);
    const old = await signGrant(signer, ground.at, other, { now: () => at - MAX_WAIT - 60 });
    expect(await reasonOf(relay(old, relayer, ground.deployment))).to.equal("ConsentDeadlinePassed");
  });

  it("sends nothing that was altered or is for another registry", async () => {
    const [relayer] = relayers;
    const { grant, signer } = await granted();
    const before = await relayer.getNonce();
    const altered = { ...grant, deadline: grant.deadline - 1 };
    expect(await failureOf(relay(altered, relayer, ground.deployment))).to.be.instanceOf(SignedMessageError);
    const elsewhere = { ...ground.at, chainId: 1 };
    const foreign = await signGrant(signer, elsewhere, consentBy(signer).consent);
    expect(await failureOf(relay(foreign, relayer, ground.deployment))).to.be.instanceOf(SignedMessageError);
    expect(await relayer.getNonce()).to.equal(before);
  });

  it("leaves the check of a contract wallet's signature to the chain", async () => {
    const owner = Wallet.createRandom();
    const wallet = await connection.ethers.deployContract("OwnedWallet", [owner.address]);
    const grantor = (await wallet.getAddress()) as Hex;
    const { consent, id } = consentBy(ground.wallet.signer(relationship++), { grantor });
    const at = await clock();
    const grant = await signGrant(owner, ground.at, consent, { now: () => at, forContractWallet: true });
    expect(await failureOf(relay(grant, relayers[0], ground.deployment))).to.be.instanceOf(SignedMessageError);
    await relay(grant, relayers[0], ground.deployment, { forContractWallet: true });
    const ledger = new ConsentLedger(ground.rpc, ground.deployment);
    await ledger.sync();
    expect(ledger.stateOf(grantor, id).inForce).to.be.true;
    // Its signed end cannot be checked off chain, so it counts once it is mined.
    const revoke = await signRevoke(owner, ground.at, consent, { forContractWallet: true });
    expect(() => ledger.noteSigned(revoke)).to.throw(SignedMessageError);
    await relay(revoke, relayers[0], ground.deployment, { forContractWallet: true });
    await ledger.sync();
    expect(ledger.stateOf(grantor, id).ended).to.equal("revoked");
    ledger.close();
    const forged = { ...grant, signature: `0x${"11".repeat(64)}1b` as Hex };
    const refused = relay(forged, relayers[0], ground.deployment, { forContractWallet: true });
    expect(await reasonOf(refused)).to.equal("ConsentSignatureInvalid");
  });
});

describe("relaying to a node of its own", () => {
  it("tells the loser of a race that the grant is there already, and a relayer without ether so", async () => {
    const anvil = await startAnvil();
    try {
      const [deployer, one, two] = await Promise.all([0, 1, 2].map((i) => anvil.provider.getSigner(i)));
      const ground = await deployOn(anvil.provider, deployer as Signer, 7331);
      const signer = ground.wallet.signer(0);
      const { consent } = consentBy(signer);
      const grant = await signGrant(signer, ground.at, consent);
      await anvil.provider.send("evm_setAutomine", [false]);
      // Both are estimated before either is mined; then one block takes both and the second reverts there.
      const race = Promise.all([one, two].map((relayer) => relay(grant, relayer as Signer, ground.deployment)));
      while (((await anvil.provider.send("txpool_status", [])) as { pending: string }).pending !== "0x2") {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await anvil.provider.send("anvil_mine", ["0x1"]);
      await anvil.provider.send("evm_setAutomine", [true]);
      expect((await race).map(({ status }) => status).sort()).to.deep.equal(["already", "mined"]);

      const poor = Wallet.createRandom(anvil.provider);
      const revoke = await signRevoke(signer, ground.at, consent);
      const refused = await failureOf(relay(revoke, poor, ground.deployment));
      expect(refused).to.be.instanceOf(ContractRefusedError).and.to.have.property("hint", "fund the relayer");
    } finally {
      await anvil.stop();
    }
  });

  it("takes a transaction that no block takes for an outage", async () => {
    const anvil = await startAnvil();
    try {
      const ground = await deployOn(anvil.provider, await anvil.provider.getSigner(0), 7331);
      const signer = ground.wallet.signer(0);
      const grant = await signGrant(signer, ground.at, consentBy(signer).consent);
      await anvil.provider.send("evm_setAutomine", [false]);
      const relayer = await anvil.provider.getSigner(1);
      const waiting = await failureOf(relay(grant, relayer, ground.deployment, { waitMs: 50 }));
      expect(waiting).to.be.instanceOf(ChainUnavailableError);
    } finally {
      await anvil.stop();
    }
  });

  it("takes a node that is away for an outage, at once and with exit code 4", async () => {
    const anvil = await startAnvil();
    const ground = await deployOn(anvil.provider, await anvil.provider.getSigner(0), 7331);
    await anvil.stop();
    const rpc = openRpc(anvil.url, 7331);
    const signer = ground.wallet.signer(0);
    const grant = await signGrant(signer, ground.at, consentBy(signer).consent);
    const away = await failureOf(relay(grant, Wallet.createRandom(rpc), ground.deployment));
    const ledger = new ConsentLedger(rpc, ground.deployment);
    for (const failure of [away, await failureOf(ledger.sync())]) {
      expect(failure).to.be.instanceOf(ChainUnavailableError).and.to.have.property("exit", EXIT.unavailable);
    }
    ledger.close();
    rpc.destroy();
  });
});
