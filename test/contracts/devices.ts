import { randomBytes } from "node:crypto";
import { concat, getBytes, hexlify, toBeHex, type BytesLike, type Signer } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { hex0x } from "../../src/bytes/bytes.ts";
import type { Random } from "../../src/bytes/random.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { enrollmentDigest, serialCommitment } from "../../src/keys/enrollment.ts";
import { coordinatesOf, deviceIdOf, generateSigningKey, sign } from "../../src/keys/signature.ts";
import { word } from "./ground.ts";

/** As the interface counts them. */
export const STATUS = { unknown: 0n, active: 1n, suspended: 2n, retired: 3n } as const;

/** Roles that the tests set up: whose business each restricted function is. */
const ROLES = {
  registrar: { id: 1n, functions: ["enroll", "resume", "rotate"] },
  safety: { id: 2n, functions: ["suspend", "retire", "recall"] },
  organisation: { id: 3n, functions: ["acceptCustody"] },
} as const;

/** A device as its maker holds it: the key, and what it signs. */
export interface TestDevice {
  readonly id: Hex;
  readonly publicKey: Uint8Array;
  readonly key: { readonly x: Hex; readonly y: Hex };
  sign(digest: BytesLike): Hex;
}

export function newDevice(bytes?: Random): TestDevice {
  const { privateKey, publicKey } = generateSigningKey(bytes);
  const { x, y } = coordinatesOf(publicKey);
  const id = hex0x(deviceIdOf(publicKey));
  return {
    id,
    publicKey,
    key: { x: hex0x(x), y: hex0x(y) },
    sign: (digest) => hex0x(sign(privateKey, getBytes(digest))),
  };
}

/** What a device is enrolled with; the place is added by `proofOf`. */
export interface Terms {
  readonly modelId: Hex;
  readonly serial: Hex;
  readonly custodian: string;
  readonly predecessorId?: Hex;
}

export const newTerms = (custodian: string, differs: Partial<Terms> = {}): Terms => ({
  modelId: word(),
  serial: hex0x(serialCommitment("SN-4711", randomBytes(32))),
  custodian,
  ...differs,
});

/** Where a device is enrolled. */
export interface RegistryPlace {
  readonly chainId: bigint;
  readonly registry: Hex;
}

/** The device's signature that it holds its key, for these terms in this place. */
export function proofOf(device: TestDevice, terms: Terms, { chainId, registry }: RegistryPlace): Hex {
  const digest = enrollmentDigest({
    chainId,
    registry: getBytes(registry),
    publicKey: device.publicKey,
    modelId: getBytes(terms.modelId),
    serialCommitment: getBytes(terms.serial),
    custodian: getBytes(terms.custodian),
    ...(terms.predecessorId === undefined ? {} : { predecessorId: getBytes(terms.predecessorId) }),
  });
  return device.sign(digest);
}

/** A registry under an authority, one account for each part, and a way to enroll. The first account of the node is the admin. */
export async function deployDevices({ ethers }: NetworkConnection) {
  const [admin, registrar, safety, custodian, offeree, organisation, stranger] = await ethers.getSigners();
  if (!admin || !registrar || !safety || !custodian || !offeree || !organisation || !stranger) {
    throw new Error("the node has too few accounts");
  }
  const authority = await ethers.deployContract("Authority", [admin.address]);
  const registry = await ethers.deployContract("DeviceRegistry", [await authority.getAddress()]);
  const at = { chainId: (await ethers.provider.getNetwork()).chainId, registry: (await registry.getAddress()) as Hex };
  const members = { registrar: [registrar], safety: [safety], organisation: [custodian, offeree, organisation] };
  for (const [role, { id, functions }] of Object.entries(ROLES)) {
    const selectors = functions.map((name) => registry.interface.getFunction(name).selector);
    await authority.getFunction("setTargetFunctionRole")(at.registry, selectors, id);
    for (const member of members[role as keyof typeof ROLES]) await authority.getFunction("grantRole")(id, member, 0);
  }

  const proofHere = (device: TestDevice, terms: Terms, elsewhere: Partial<RegistryPlace> = {}): Hex =>
    proofOf(device, terms, { ...at, ...elsewhere });
  const enroll = (device: TestDevice, terms: Terms, proof = proofHere(device, terms), by: Signer = registrar) =>
    registry.connect(by).enroll(device.key, terms.modelId, terms.serial, terms.custodian, proof);
  /** A device of the custodian's that was just enrolled. */
  const enrolled = async (): Promise<TestDevice & { readonly terms: Terms }> => {
    const [device, terms] = [newDevice(), newTerms(custodian.address)];
    await enroll(device, terms);
    return { ...device, terms };
  };
  const accounts = { admin, registrar, safety, custodian, offeree, organisation, stranger };
  return { ...accounts, accounts, authority, registry, at, proofOf: proofHere, enroll, enrolled };
}

/** 32 bytes that nobody else has signed. */
export const newDigest = (): Hex => hexlify(randomBytes(32)) as Hex;

/** Order of the group of P-256 (SP 800-186). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The other signature of the same message: what hardware and OpenSSL give half of the time. */
export const highS = (signature: Hex): Hex =>
  concat([signature.slice(0, 66), toBeHex(P256_ORDER - BigInt(`0x${signature.slice(66)}`), 32)]) as Hex;
