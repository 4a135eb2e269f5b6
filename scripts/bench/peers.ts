import { createRequire } from "node:module";
import { AbiCoder, Signature, ZeroAddress, ZeroHash, type ContractTransactionResponse, type Signer } from "ethers";
import { network } from "hardhat";
import { word } from "./floor.ts";
import { under, type Rules } from "./rules.ts";

/** Gas of what others do for the same purpose, as they publish it: EAS's own bytecode, OpenZeppelin's own sources. */
export interface PeerGas {
  readonly "EAS register": number;
  readonly "EAS attest": number;
  readonly "EAS attestByDelegation": number;
  readonly "EAS revoke": number;
  readonly "EAS revokeByDelegation": number;
  readonly "EAS timestamp": number;
  readonly "AccessControl grantRole": number;
  readonly "AccessControl revokeRole": number;
}

const require = createRequire(import.meta.url);
const artifactOf = (name: string): { abi: object[]; bytecode: string } =>
  require(`@ethereum-attestation-service/eas-contracts/artifacts/contracts/${name}.sol/${name}.json`) as {
    abi: object[];
    bytecode: string;
  };

const MESSAGE_TYPE = (named: readonly (readonly [name: string, type: string])[]) => [
  ...named.map(([name, type]) => ({ name, type })),
  { name: "value", type: "uint256" },
  { name: "nonce", type: "uint256" },
  { name: "deadline", type: "uint64" },
];
const ATTEST_TYPES = {
  Attest: MESSAGE_TYPE([
    ["attester", "address"],
    ["schema", "bytes32"],
    ["recipient", "address"],
    ["expirationTime", "uint64"],
    ["revocable", "bool"],
    ["refUID", "bytes32"],
    ["data", "bytes"],
  ]),
};
const REVOKE_TYPES = {
  Revoke: MESSAGE_TYPE([
    ["revoker", "address"],
    ["schema", "bytes32"],
    ["uid", "bytes32"],
  ]),
};

/** The peers in steady state: a schema is there, the attester has attested and signed before, the admin has granted. */
export async function peerGas(rules: Rules): Promise<PeerGas> {
  const connection = await network.create(under(rules));
  try {
    const { ethers } = connection;
    const [admin, patient, relayer] = (await ethers.getSigners()) as unknown as [Signer, Signer, Signer];
    return { ...(await attestations(ethers, patient, relayer)), ...(await roles(ethers, admin)) };
  } finally {
    await connection.close();
  }
}

type Ethers = Awaited<ReturnType<typeof network.create>>["ethers"];

async function attestations(ethers: Ethers, patient: Signer, relayer: Signer) {
  const deploy = async (name: string, ...args: unknown[]) => {
    const { abi, bytecode } = artifactOf(name);
    return (await ethers.getContractFactory(abi as never, bytecode)).deploy(...args);
  };
  const schemas = await deploy("SchemaRegistry");
  const eas = await deploy("EAS", await schemas.getAddress());
  const [own, relayed] = [eas.connect(patient), eas.connect(relayer)] as const;
  const call = (contract: typeof own, name: string, ...args: unknown[]) => contract.getFunction(name).send(...args);
  const register = (text: string) => call(schemas, "register", text, ZeroAddress, true);

  const registered = await (await register("bytes32 consentId")).wait();
  const schema = registered?.logs[0]?.topics[1];
  if (schema === undefined) throw new Error("the schema was not registered");
  const attester = await patient.getAddress();
  /** An attestation of an opaque id to nobody: no more than a sealed consent shows. */
  const newData = () => ({
    recipient: ZeroAddress,
    expirationTime: 0,
    revocable: true,
    refUID: ZeroHash,
    data: AbiCoder.defaultAbiCoder().encode(["bytes32"], [word()]),
    value: 0,
  });
  const attest = () => call(own, "attest", { schema, data: newData() });
  const { chainId } = await ethers.provider.getNetwork();
  const domain = {
    name: (await eas.getFunction("getName")()) as string,
    version: (await eas.getFunction("version")()) as string,
    chainId,
    verifyingContract: await eas.getAddress(),
  };
  const signed = async (types: Record<string, { name: string; type: string }[]>, message: object) => {
    const nonce: unknown = await eas.getFunction("getNonce")(attester);
    const { v, r, s } = Signature.from(await patient.signTypedData(domain, types, { ...message, nonce, deadline: 0 }));
    return { v, r, s };
  };
  const attestByDelegation = async () => {
    const data = newData();
    const signature = await signed(ATTEST_TYPES, { attester, schema, ...data });
    return call(relayed, "attestByDelegation", { schema, data, signature, attester, deadline: 0 });
  };
  const revokeByDelegation = async (uid: string) => {
    const signature = await signed(REVOKE_TYPES, { revoker: attester, schema, uid, value: 0 });
    return call(relayed, "revokeByDelegation", {
      schema,
      data: { uid, value: 0 },
      signature,
      revoker: attester,
      deadline: 0,
    });
  };
  const uidOf = async (attesting: Promise<ContractTransactionResponse>): Promise<string> =>
    (await (await attesting).wait())?.logs[0]?.data ?? "";

  const uids = [await uidOf(attest()), await uidOf(attestByDelegation())] as const;
  return {
    "EAS register": await gasOf(register("bytes32 root")),
    "EAS attest": await gasOf(attest()),
    "EAS attestByDelegation": await gasOf(attestByDelegation()),
    "EAS revoke": await gasOf(call(own, "revoke", { schema, data: { uid: uids[0], value: 0 } })),
    "EAS revokeByDelegation": await gasOf(revokeByDelegation(uids[1])),
    "EAS timestamp": await gasOf(call(relayed, "timestamp", word())),
  };
}

async function roles(ethers: Ethers, admin: Signer) {
  const contract = (await ethers.deployContract("Roles")).connect(admin);
  const account = ethers.Wallet.createRandom().address;
  const [first, second] = [word(), word()];
  const change = (name: string, role: string) => contract.getFunction(name).send(role, account);
  await change("grantRole", first);
  return {
    "AccessControl grantRole": await gasOf(change("grantRole", second)),
    "AccessControl revokeRole": await gasOf(change("revokeRole", second)),
  };
}

const gasOf = async (sending: Promise<ContractTransactionResponse>): Promise<number> =>
  Number((await (await sending).wait())?.gasUsed ?? 0n);
