import type { Signer } from "ethers";
import { network } from "hardhat";
import { now } from "../../src/bytes/random.ts";
import { anchorAt, registryAt } from "../../src/chain/contracts.ts";
import { RelationshipWallet, newPhrase } from "../../src/chain/wallet.ts";
import type { Consent, Hex } from "../../src/consent/consent.ts";
import { draftConsent } from "../../src/consent/draft.ts";
import { signGrant, signRevoke, signRevokeAll } from "../../src/consent/sign.ts";
import { CHANGED_SLOT, ECRECOVER, log, measure, NEW_SLOT, READ_SLOT, word, type GasRow } from "./floor.ts";
import { under, type Rules } from "./rules.ts";

export interface ConsentRows {
  readonly anchor: GasRow;
  readonly grant: GasRow;
  readonly grantBySig: GasRow;
  readonly revoke: GasRow;
  readonly revokeBySig: GasRow;
  readonly revokeAll: GasRow;
  readonly revokeAllBySig: GasRow;
  /** One message of a batch of ten, the transaction shared. */
  readonly grantManyBySig: GasRow;
  readonly revokeManyBySig: GasRow;
}

/** The leanest rolling head in Solidity that was measured, and the leanest relayed consent among public peers. */
const LEANEST_ANCHOR = 28_569;
const LEANEST_RELAYED_GRANT = 59_570;

/** Messages in a measured batch. */
const BATCH = 10;

const each = ({ gas, floor, limit = Infinity }: GasRow): GasRow => {
  const share = { gas: Math.round(gas / BATCH), floor: Math.round(floor / BATCH), limit };
  return { ...share, ratio: Math.round((gas / floor) * 1000) / 1000, pass: share.gas <= limit };
};

/** Functions of RecordAnchor and ConsentRegistry. */
export async function consentGas(rules: Rules): Promise<ConsentRows> {
  const connection = await network.create(under(rules));
  try {
    const { ethers } = connection;
    const [, patient, gateway, relayer] = (await ethers.getSigners()) as unknown as [Signer, Signer, Signer, Signer];
    const registryAddress = (await (await ethers.deployContract("ConsentRegistry")).getAddress()) as Hex;
    const anchorAddress = (await (await ethers.deployContract("RecordAnchor")).getAddress()) as Hex;
    const at = { chainId: Number((await ethers.provider.getNetwork()).chainId), registry: registryAddress };
    const registry = registryAt(registryAddress, patient);
    const relayed = registryAt(registryAddress, relayer);
    const recordAnchor = anchorAt(anchorAddress, gateway);

    const grantor = (await patient.getAddress()) as Hex;
    const wallet = new RelationshipWallet(newPhrase());
    let relationship = 0;
    /** A patient without ether, a new address for each relationship. */
    const signedConsent = (): { consent: Consent; signer: ReturnType<RelationshipWallet["signer"]> } => {
      const signer = wallet.signer(relationship++);
      return { signer, consent: consentFor(signer.address as Hex) };
    };

    // Steady state: the gateway's head is not its first, the patient has granted and ended before.
    let head: string = `0x${"0".repeat(64)}`;
    const anchor = async (): Promise<GasRow> => {
      const measured = await measure(
        () => recordAnchor.anchor(word(), word(), 0x0101, head),
        CHANGED_SLOT + log(2, 128),
        Math.floor(1.15 * LEANEST_ANCHOR),
      );
      head = await recordAnchor.headOf(await gateway.getAddress());
      return measured;
    };
    while ((await anchor()) && head.slice(2).match(/../g)?.includes("00"));
    const anchored = await anchor();

    await (await registry.revokeAll()).wait();
    const ids = [word(), word()] as const;
    await (await registry.grant(ids[0])).wait();
    const grant = await measure(() => registry.grant(ids[1]), READ_SLOT + NEW_SLOT + log(3, 32));
    const revoke = await measure(() => registry.revoke(ids[1]), CHANGED_SLOT + log(3, 0), grant.gas);
    const revokeAll = await measure(() => registry.revokeAll(), CHANGED_SLOT + log(2, 32), grant.gas);

    const { consent, signer } = signedConsent();
    const grantMessage = await signGrant(signer, at, consent);
    const grantBySig = await measure(
      () =>
        relayed.grantBySig(
          consent.grantor,
          grantMessage.consentId,
          grantMessage.issuedAt,
          grantMessage.deadline,
          grantMessage.signature,
        ),
      ECRECOVER + READ_SLOT + NEW_SLOT + log(3, 32),
      LEANEST_RELAYED_GRANT,
    );
    const revokeMessage = await signRevoke(signer, at, consent);
    const revokeBySig = await measure(
      () => relayed.revokeBySig(consent.grantor, revokeMessage.consentId, revokeMessage.signature),
      ECRECOVER + CHANGED_SLOT + log(3, 0),
      grantBySig.gas,
    );
    const all = await signRevokeAll(patient, at, grantor, { issuedAt: now() + 60 });
    const revokeAllBySig = await measure(
      () => relayed.revokeAllBySig(grantor, all.issuedAt, all.signature),
      ECRECOVER + CHANGED_SLOT + log(2, 32),
      grantBySig.gas,
    );

    const patients = Array.from({ length: BATCH }, signedConsent);
    const grants = await Promise.all(patients.map(({ consent, signer }) => signGrant(signer, at, consent)));
    const revocations = await Promise.all(patients.map(({ consent, signer }) => signRevoke(signer, at, consent)));
    const grantMany = await measure(
      () => relayed.grantManyBySig(grants),
      BATCH * (ECRECOVER + READ_SLOT + NEW_SLOT + log(3, 32)),
      grantBySig.gas,
    );
    const revokeMany = await measure(
      () => relayed.revokeManyBySig(revocations),
      BATCH * (ECRECOVER + CHANGED_SLOT + log(3, 0)),
      revokeBySig.gas,
    );

    return {
      anchor: anchored,
      ...{ grant, grantBySig, revoke, revokeBySig, revokeAll, revokeAllBySig },
      grantManyBySig: each(grantMany),
      revokeManyBySig: each(revokeMany),
    };
  } finally {
    await connection.close();
  }
}

/** A consent to read one stream for treatment. */
export const consentFor = (grantor: Hex): Consent => {
  const time = now();
  const terms = {
    purpose: "TREAT",
    dataStart: 0,
    dataEnd: time,
    periodStart: time,
    periodEnd: time + 86_400,
    actions: ["READ"] as const,
  };
  return draftConsent({ grantor, grantee: "0x1111111111111111111111111111111111111111", streams: [word()], ...terms });
};
