import { existsSync } from "node:fs";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { ContractFactory, JsonRpcProvider } from "ethers";
import { slugOf } from "../../scripts/cli/home.ts";
import type { Vault } from "../../scripts/cli/vault.ts";
import { hex0x } from "../../src/bytes/bytes.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { fileOf } from "../../src/ipfs/blocks.ts";
import { digestOf } from "../../src/ipfs/cid.ts";
import { coordinatesOf, deviceIdOf, sign } from "../../src/keys/signature.ts";
import { passphraseStore } from "../../src/state/store.ts";
import { DeviceRegistry__factory } from "../../typechain-types/factories/DeviceRegistry__factory.ts";
import { newTerms, proofOf } from "../contracts/devices.ts";
import { wardOf, World } from "./world.ts";

const AUTHORITY = new URL("../../artifacts/test/contracts/mocks/Authority.sol/Authority.json", import.meta.url);
const HELD = new URL("held.ts", import.meta.url).href;
/** Milliseconds after which a run writes down what it has checked, and some. */
const NOTING = 2_300;

interface Report {
  readonly ok: boolean;
  readonly resumed: number;
  readonly findings: readonly { kind: string; object: string; cid: string }[];
}

describe("medseal verify, interrupted, and with devices of a registry", function () {
  this.timeout(300_000);
  let world: World;
  let rpc: JsonRpcProvider;
  let registry: string;
  let recall: () => Promise<void>;
  /** Of each minute that Lee may read. */
  let entries: Entry[];

  before(async () => {
    world = await World.open(true, { inTurn: true });
    rpc = new JsonRpcProvider(world.env["MEDSEAL_RPC"], undefined, { cacheTimeout: -1, pollingInterval: 100 });
    await wardOf(world, retireGateway);
    const lines = (await world.run("read --stream heart-rate --format ndjson --as Lee")).trim().split("\n");
    const [one, two, three] = [0, 60, 120].map((i) => JSON.parse(lines[i] as string) as Shown);
    entries = await Promise.all(
      [one, two, three].map(
        async (shown) =>
          (await world.json(`verify --gateway Gateway --batch ${shown?.proof.entry.tag} --as Lee`)) as Entry,
      ),
    );
  });
  after(async () => {
    rpc?.destroy();
    await world.close();
  });

  /** The gateway's own key as that of a device which was retired before it recorded. */
  async function retireGateway(): Promise<void> {
    const passphrase = (await readFile(world.path("pass"), "utf8")).trim();
    const path = join(world.path("home"), slugOf("Gateway"), "vault");
    const { signing } = (await passphraseStore<Vault>(path, "medseal/vault/1", passphrase).load()) as Vault;
    const [admin, owner] = [await rpc.getSigner(0), await rpc.getSigner(1)];
    const { abi, bytecode } = JSON.parse(await readFile(AUTHORITY, "utf8")) as { abi: []; bytecode: string };
    const authority = await new ContractFactory(abi, bytecode, admin).deploy(admin.address);
    await authority.waitForDeployment();
    const contract = await new DeviceRegistry__factory(admin).deploy(await authority.getAddress());
    await contract.waitForDeployment();
    registry = await contract.getAddress();
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
    recall = async () => void (await (await contract.recall(terms.modelId, 0, 2 ** 32 - 1, 0)).wait());
  }

  it("names each header that a retired device signed, and those of a recalled one", async () => {
    const found = async (): Promise<string[]> => {
      const ran = await world.try(`verify --stream heart-rate --devices ${registry} --json --as Lee`);
      expect(ran.exit, ran.err).to.equal(1);
      return (JSON.parse(ran.out) as Report).findings.map(({ kind, cid }) => `${kind} ${cid}`);
    };
    const all = (kind: string): string[] => entries.map(({ header }) => `${kind} ${header}`);
    expect(await found()).to.have.members(all("device-retired"));
    await recall();
    expect(await found()).to.have.members([...all("device-retired"), ...all("device-recalled")]);
    expect(await world.run("verify --stream heart-rate --as Lee"), "nobody asked").to.match(/as signed and anchored/);
  });

  async function there(file: string): Promise<void> {
    while (!existsSync(file)) await pause(20);
  }

  /** Until Lee's run has written down what it checked. */
  async function noted(): Promise<void> {
    const folder = join(world.path("home"), slugOf("Lee"), "verified");
    while ((await readdir(folder).catch(() => [])).length === 0) await pause(50);
  }

  it("goes on where it was killed, checks less, and finds the same", async () => {
    const blocks = join(world.folder, "blocks");
    await cp(join(world.path("home"), ".world", "ipfs", "blocks"), blocks, { recursive: true });
    const [first, second, third] = entries as [Entry, Entry, Entry];
    const fileAt = (cid: string): string => fileOf(blocks, digestOf(cid));
    const altered = await readFile(fileAt(second.batch));
    await writeFile(fileAt(second.batch), altered.with(100, (altered[100] as number) ^ 1));
    // A run is held up at its first header, then one of its threads at the last batch.
    const [begin, end] = [fileAt(first.header), fileAt(third.batch)];
    for (const file of [begin, end]) await writeFile(`${file}.held`, "");
    const line = `verify --stream heart-rate --blocks ${blocks} --workers 3 --as Lee --json`;
    const killed = world.start(line, { NODE_OPTIONS: `--import ${HELD}` });
    await there(`${begin}.reached`);
    await pause(NOTING);
    await rm(`${begin}.held`);
    await there(`${end}.reached`);
    await noted();
    killed.kill("SIGKILL");
    expect((await killed.done).exit).to.equal("SIGKILL");
    await rm(`${end}.held`);

    const report = async (more = ""): Promise<Report> => JSON.parse((await world.try(`${line}${more}`)).out) as Report;
    const { resumed, ...after } = await report();
    expect(resumed, "the first batch").to.equal(1);
    const { resumed: none, ...anew } = await report(" --anew");
    expect(none).to.equal(0);
    expect(after).to.deep.equal(anew);
    expect(after.findings.map(({ kind, cid }) => `${kind} ${cid}`)).to.deep.equal([`altered ${second.batch}`]);
  });

  it("says of a tag that is in no checkpoint that it is not anchored", async () => {
    const tag = "ab".repeat(32);
    for (const line of [`--gateway Gateway --batch ${tag}`, `--stream heart-rate --batch ${tag}`]) {
      const ran = await world.try(`verify ${line} --as Lee`);
      expect(ran.exit, line).to.equal(1);
      expect(ran.err)
        .to.match(/not anchored/)
        .and.to.match(/ERR_UNANCHORED/);
    }
  });
});

interface Entry {
  readonly header: string;
  readonly batch: string;
}

interface Shown {
  readonly proof: { readonly entry: { readonly tag: string } };
}
