import { expect } from "chai";
import { network } from "hardhat";
import { consentId } from "../../src/consent/consent.ts";
import { consentOf, deployBoth, signGrant, signRevoke, signRevokeAll } from "./ground.ts";

const orders = <T>(items: readonly T[]): T[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, i) => orders(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));

describe("ConsentRegistry, in whatever order messages come", () => {
  it("ends in one state for all 24 orders of {grant A, revokeAll, grant B, revoke A} by three relayers", async () => {
    const connection = await network.create();
    const { ethers, networkHelpers } = connection;
    const { registry, relayer, clinician, gateway, stranger, domain } = await deployBoth(connection);
    const relayers = [relayer, gateway, stranger];
    const states = new Map<string, number>();
    let turn = 0;

    for (const order of orders(["grant A", "revokeAll", "grant B", "revoke A"] as const)) {
      const patient = ethers.Wallet.createRandom();
      const a = consentOf(patient.address, clinician.address);
      const b = consentOf(patient.address, clinician.address);
      // Signed in this order, a second apart, by a clock of the patient's own.
      const signedAt = await networkHelpers.time.latest();
      const grantA = await signGrant(patient, domain, a, signedAt);
      const revokeAll = await signRevokeAll(patient, domain, patient.address, signedAt + 1);
      const grantB = await signGrant(patient, domain, b, signedAt + 2);
      const revokeA = await signRevoke(patient, domain, a);

      for (const message of order) {
        const relayed = registry.connect(relayers[turn++ % 3]);
        const grant = message === "grant A" ? grantA : grantB;
        if (message === "revokeAll") await relayed.revokeAllBySig(patient, signedAt + 1, revokeAll);
        else if (message === "revoke A") await relayed.revokeBySig(patient, consentId(a), revokeA);
        else {
          const granting = relayed.grantBySig(patient, grant.id, grant.issuedAt, grant.deadline, grant.signature);
          const ended = order.indexOf("revokeAll") < order.indexOf("grant A");
          const revoked = order.indexOf("revoke A") < order.indexOf("grant A");
          if (message === "grant A" && ended) {
            await expect(granting).to.be.revertedWithCustomError(registry, "ConsentIssuedBeforeRevokeAll");
          } else if (message === "grant A" && revoked) {
            await expect(granting).to.be.revertedWithCustomError(registry, "ConsentRevokedAlready");
          } else await granting;
        }
      }

      const state = {
        a: await registry.isActive(patient, consentId(a)),
        aRevoked: (await registry.entryOf(patient, consentId(a))).revokedAt !== 0n,
        b: await registry.isActive(patient, consentId(b)),
        endedBefore: Number(await registry.endedBefore(patient)) - signedAt,
      };
      states.set(JSON.stringify(state), (states.get(JSON.stringify(state)) ?? 0) + 1);
    }

    expect([...states]).to.deep.equal([[JSON.stringify({ a: false, aRevoked: true, b: true, endedBefore: 1 }), 24]]);
  });
});
