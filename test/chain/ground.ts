import { type BaseWallet, type ContractRunner, type Signer } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { now } from "../../src/bytes/random.ts";
import { pinDeployment, type Deployment } from "../../src/chain/deployment.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import { newPhrase, RelationshipWallet } from "../../src/chain/wallet.ts";
import { hex0x } from "../../src/bytes/bytes.ts";
import { random } from "../../src/bytes/random.ts";
import { consentId, type Consent, type Hex } from "../../src/consent/consent.ts";
import { draftConsent, type ConsentWish } from "../../src/consent/draft.ts";
import { linkOf, type Link } from "../../src/consent/scope.ts";
import type { RegistryAddress } from "../../src/consent/typed-data.ts";
import { ConsentRegistry__factory } from "../../typechain-types/factories/ConsentRegistry__factory.ts";
import { RecordAnchor__factory } from "../../typechain-types/factories/RecordAnchor__factory.ts";

export interface Ground {
  readonly rpc: Rpc;
  readonly deployment: Deployment;
  readonly at: RegistryAddress;
  readonly wallet: RelationshipWallet;
}

/** Both contracts on a chain, pinned, and a patient's wallet without ether. */
export async function deployOn(provider: Rpc & ContractRunner, deployer: Signer, chainId: number): Promise<Ground> {
  const registry = await (await new ConsentRegistry__factory(deployer).deploy()).waitForDeployment();
  const anchor = await (await new RecordAnchor__factory(deployer).deploy()).waitForDeployment();
  const addresses = { ConsentRegistry: await registry.getAddress(), RecordAnchor: await anchor.getAddress() };
  const deployment = await pinDeployment(provider, chainId, addresses, 0);
  const at = { chainId, registry: deployment.contracts.ConsentRegistry.address };
  return { rpc: provider, deployment, at, wallet: new RelationshipWallet(newPhrase()) };
}

/** Both contracts on a chain of this process, and accounts of it as patients. */
export async function groundWithPatients(
  { ethers }: NetworkConnection,
  count: number,
): Promise<{ ground: Ground; patients: Signer[] }> {
  const [deployer, ...others] = (await ethers.getSigners()) as unknown as [Signer, ...Signer[]];
  return { ground: await deployOn(ethers.provider, deployer, 31337), patients: others.slice(0, count) };
}

export const streamId = (): Hex => hex0x(random(32));
export const anyAddress = (): Hex => hex0x(random(20));

/** A consent that permits reading one stream all the time; what differs is named. */
export function consentBy(
  grantor: BaseWallet,
  differs: Partial<ConsentWish> = {},
): { consent: Consent; id: Hex; link: Link } {
  const streams = differs.streams ?? [streamId()];
  const time = now();
  const consent = draftConsent({
    grantor: grantor.address,
    grantee: anyAddress(),
    purpose: "TREAT",
    dataStart: 0,
    dataEnd: time + 86_400,
    periodStart: time - 3600,
    periodEnd: time + 90 * 86_400,
    actions: ["READ"],
    ...differs,
    streams,
  });
  return { consent, id: consentId(consent), link: linkOf(consent, streams) };
}

/** A node that notes every request, so that a test can see what it was told. */
export function recording(rpc: Rpc): Rpc & { readonly requests: string[] } {
  const requests: string[] = [];
  return {
    requests,
    send(method, params) {
      requests.push(JSON.stringify([method, params]).toLowerCase());
      return rpc.send(method, params);
    },
  };
}
