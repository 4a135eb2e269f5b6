import { concat, keccak256, toBeHex, type Signer } from "ethers";
import { network } from "hardhat";
import { consentOf, DAY, deployBoth, word } from "../../test/contracts/ground.ts";
import { fromHex, hex0x } from "../../src/bytes/bytes.ts";
import { anchorInterface, registryAt, registryInterface } from "../../src/chain/contracts.ts";
import { RelationshipWallet, newPhrase } from "../../src/chain/wallet.ts";
import { consentId, type Hex } from "../../src/consent/consent.ts";
import { linkOf, scopeOf, sortStreams, type Link } from "../../src/consent/scope.ts";
import { signGrant, signRevoke } from "../../src/consent/sign.ts";
import { inclusionProof, leafHash, merkleRoot } from "../../src/log/merkle.ts";
import { consentFor } from "./consents.ts";

/** Gas that one more item of a list costs a transaction, its calldata included. */
export interface ListRow {
  readonly item: string;
  readonly few: number;
  readonly many: number;
  readonly gasAnItem: number;
}

export type ListRows = Readonly<Record<string, ListRow>>;

/** Every list that a caller may hand to ConsentRegistry or RecordAnchor. */
export async function listGas(): Promise<ListRows> {
  const connection = await network.create();
  try {
    const { ethers } = connection;
    const { registry, anchor } = await deployBoth(connection);
    const signers: Signer[] = await ethers.getSigners();
    const { chainId } = await ethers.provider.getNetwork();
    const ground = {
      chainId: Number(chainId),
      registry: (await registry.getAddress()) as Hex,
      anchor: (await anchor.getAddress()) as Hex,
      signers,
      addresses: await Promise.all(signers.map((signer) => signer.getAddress())),
      call: (to: string, data: string) => ethers.provider.call({ to, data }),
    };
    return { ...(await batches(ground)), ...(await chains(ground)), ...(await inclusions(ground)) };
  } finally {
    await connection.close();
  }
}

interface Ground {
  readonly chainId: number;
  readonly registry: Hex;
  readonly anchor: Hex;
  readonly signers: readonly Signer[];
  readonly addresses: readonly string[];
  call(to: string, data: string): Promise<string>;
}

async function batches(ground: Ground): Promise<ListRows> {
  const wallet = new RelationshipWallet(newPhrase());
  let relationship = 0;
  const relayed = async (items: number): Promise<readonly [grants: number, ends: number]> => {
    const patients = Array.from({ length: items }, () => wallet.signer(relationship++));
    const consents = patients.map((signer) => ({ signer, consent: consentFor(signer.address as Hex) }));
    const grants = await Promise.all(consents.map(({ signer, consent }) => signGrant(signer, ground, consent)));
    const ends = await Promise.all(consents.map(({ signer, consent }) => signRevoke(signer, ground, consent)));
    return [
      await send(ground, ground.registry, registryInterface.encodeFunctionData("grantManyBySig", [grants])),
      await send(ground, ground.registry, registryInterface.encodeFunctionData("revokeManyBySig", [ends])),
    ];
  };
  const [[grantsFew, endsFew], [grantsMany, endsMany]] = [await relayed(10), await relayed(100)];
  return {
    grantManyBySig: row("message", [10, grantsFew], [100, grantsMany]),
    revokeManyBySig: row("message", [10, endsFew], [100, endsMany]),
  };
}

async function chains(ground: Ground): Promise<ListRows> {
  const { registry, signers, addresses } = ground;
  /** Asks for one of the streams that each passes on to the next. */
  const ask = async (links: number, width: number): Promise<number> => {
    const streams = sortStreams(Array.from({ length: width }, word));
    const chain: Link[] = [];
    for (let i = 0; i < links; i++) {
      const before = chain.at(-1);
      const consent = consentOf(addresses[i] ?? "", addresses[i + 1] ?? "", {
        scope: scopeOf(streams),
        actions: 1 | 32,
        ...(before === undefined ? {} : { parent: consentId(before.consent) }),
      });
      await (await registryAt(registry, signers[i] as Signer).grant(consentId(consent))).wait();
      chain.push(linkOf(consent, streams));
    }
    const asked = [addresses[links] ?? "", 1, "TREAT", streams.at(-1) ?? "", DAY] as const;
    const given = chain.map((link) => ({ ...link, streams: [...link.streams] }));
    return affirmed(ground, registry, registryInterface.encodeFunctionData("isPermitted", [given, ...asked]));
  };
  return {
    "isPermitted, links": row("consent", [1, await ask(1, 1)], [4, await ask(4, 1)]),
    "isPermitted, streams of a link": row("stream", [16, await ask(1, 16)], [256, await ask(1, 256)]),
  };
}

async function inclusions(ground: Ground): Promise<ListRows> {
  const [gateway] = ground.addresses;
  const headNow = () => ground.call(ground.anchor, anchorInterface.encodeFunctionData("headOf", [gateway as string]));
  const anchor = async (root: string, digest: string, size: number): Promise<string> => {
    const data = anchorInterface.encodeFunctionData("anchor", [root, digest, size, await headNow()]);
    await send(ground, ground.anchor, data);
    return keccak256(concat([root, digest, toBeHex(size, 8)]));
  };
  /** Shows an entry of a tree so deep, with so many checkpoints after it. */
  const show = async (depth: number, later: number): Promise<number> => {
    const [tag, headerDigest, batchDigest, checkpointDigest] = [word(), word(), word(), word()];
    const leaves = [leafHash(fromHex(concat([tag, headerDigest, batchDigest])))];
    while (leaves.length < 2 ** depth) leaves.push(leafHash(fromHex(word())));
    const [root, headBefore] = [hex0x(merkleRoot(leaves)), await headNow()];
    await anchor(root, checkpointDigest, leaves.length);
    const laterInners: string[] = [];
    for (let i = 0; i < later; i++) laterInners.push(await anchor(word(), word(), 1));
    const inclusion = {
      ...{ tag, headerDigest, batchDigest, index: 0, size: leaves.length, root, checkpointDigest },
      ...{ proof: inclusionProof(leaves, 0).map(hex0x), headBefore, laterInners },
    };
    const data = anchorInterface.encodeFunctionData("verifyInclusion", [gateway as string, inclusion]);
    return affirmed(ground, ground.anchor, data);
  };
  return {
    "verifyInclusion, proof": row("level", [4, await show(4, 0)], [10, await show(10, 0)]),
    "verifyInclusion, laterInners": row("checkpoint", [10, await show(4, 10)], [110, await show(4, 110)]),
  };
}

export function row(
  item: string,
  [few, atFew]: readonly [number, number],
  [many, atMany]: readonly [number, number],
): ListRow {
  return { item, few, many, gasAnItem: Math.round((atMany - atFew) / (many - few)) };
}

async function send({ signers: [sender] }: Ground, to: string, data: string): Promise<number> {
  const sent = await sender?.sendTransaction({ to, data });
  return Number((await sent?.wait())?.gasUsed ?? 0n);
}

/** Gas of a view that must say yes, asked in a transaction. */
async function affirmed(ground: Ground, to: string, data: string): Promise<number> {
  if (BigInt(await ground.call(to, data)) !== 1n) throw new Error("the view says no: the bench does not call it well");
  return send(ground, to, data);
}
