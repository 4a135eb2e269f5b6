import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ContractFactory, JsonRpcProvider } from "ethers";
import { slugOf } from "../../scripts/cli/home.ts";
import type { Vault } from "../../scripts/cli/vault.ts";
import { hex0x } from "../../src/bytes/bytes.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { coordinatesOf, deviceIdOf, sign } from "../../src/keys/signature.ts";
import { passphraseStore } from "../../src/state/store.ts";
import { DeviceRegistry__factory } from "../../typechain-types/factories/DeviceRegistry__factory.ts";
import { newTerms, proofOf } from "../contracts/devices.ts";
import { wardOf, World } from "./world.ts";

const AUTHORITY = new URL("../../artifacts/test/contracts/mocks/Authority.sol/Authority.json", import.meta.url);

/** A ward as `wardOf` makes it, for tests that only look at what was recorded in it: commands run in turn. */
export interface SharedWard {
  readonly world: World;
  /** The newest block before anything was recorded. */
  readonly first: number;
  /** A DeviceRegistry in which the gateway's own key is that of a device which was retired before it recorded. */
  readonly registry: string;
  readonly rpc: JsonRpcProvider;
  /** Recalls that device. */
  readonly recall: () => Promise<void>;
}

let shared: Promise<SharedWard> | undefined;

/** The same one for all files of a run. */
export const sharedWard = (): Promise<SharedWard> => (shared ??= open());

// Of the whole run: mocha calls it when the last file is through.
after(async () => {
  const ward = await shared?.catch(() => undefined);
  ward?.rpc.destroy();
  await ward?.world.close();
});

async function open(): Promise<SharedWard> {
  const world = await World.open(true, { inTurn: true });
  const rpc = new JsonRpcProvider(world.env["MEDSEAL_RPC"], undefined, { cacheTimeout: -1, pollingInterval: 100 });
  let prepared = { first: 0, registry: "", recall: (): Promise<void> => Promise.resolve() };
  await wardOf(world, async () => {
    prepared = { ...(await retireGateway(world, rpc)), first: await rpc.getBlockNumber() };
  });
  return { world, rpc, ...prepared };
}

async function retireGateway(world: World, rpc: JsonRpcProvider): Promise<Pick<SharedWard, "registry" | "recall">> {
  const passphrase = (await readFile(world.path("pass"), "utf8")).trim();
  const path = join(world.path("home"), slugOf("Gateway"), "vault");
  const { signing } = (await passphraseStore<Vault>(path, "medseal/vault/1", passphrase).load()) as Vault;
  const [admin, owner] = [await rpc.getSigner(0), await rpc.getSigner(1)];
  const { abi, bytecode } = JSON.parse(await readFile(AUTHORITY, "utf8")) as { abi: []; bytecode: string };
  const authority = await new ContractFactory(abi, bytecode, admin).deploy(admin.address);
  await authority.waitForDeployment();
  const contract = await new DeviceRegistry__factory(admin).deploy(await authority.getAddress());
  await contract.waitForDeployment();
  const registry = await contract.getAddress();
  const { x, y } = coordinatesOf(signing.publicKey);
  const device = {
    id: hex0x(deviceIdOf(signing.publicKey)),
    publicKey: signing.publicKey,
    key: { x: hex0x(x), y: hex0x(y) },
    sign: (digest: Parameters<typeof hex0x>[0]) => hex0x(sign(signing.privateKey, digest)),
  };
  const terms = newTerms(owner.address);
  const at = { chainId: (await rpc.getNetwork()).chainId, registry: registry as Hex };
  const proof = proofOf(device, terms, at);
  await (await contract.enroll(device.key, terms.modelId, terms.serial, terms.custodian, proof)).wait();
  await (await contract.retire(device.id)).wait();
  return {
    registry,
    recall: async () => void (await (await contract.recall(terms.modelId, 0, 2 ** 32 - 1, 0)).wait()),
  };
}
