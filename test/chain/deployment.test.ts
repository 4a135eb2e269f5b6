import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { HDNodeWallet } from "ethers";
import {
  deployedAt,
  deploymentFile,
  parseDeployment,
  parseIgnitionAddresses,
  pinDeployment,
  pinnedCode,
  readDeployment,
  writeDeployment,
} from "../../src/chain/deployment.ts";
import { CodeDiffersError, DeploymentError, WrongChainError } from "../../src/chain/errors.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import { newPhrase, RelationshipWallet, relationshipPath } from "../../src/chain/wallet.ts";
import { EXIT, UsageError } from "../../src/errors.ts";
import { CHAIN_ID, DEPLOYMENT, REGISTRY } from "./fake-node.ts";
import { failureOf } from "./failure.ts";

describe("the record of a deployment", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "medseal-deployment-"))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("comes back from its file", async () => {
    await writeDeployment(join(folder, "new"), DEPLOYMENT);
    expect(await readDeployment(join(folder, "new"), CHAIN_ID)).to.deep.equal(DEPLOYMENT);
  });

  it("is refused when it is missing, for another chain, or has a field too many, too few or of another form", async () => {
    const missing = await failureOf(readDeployment(folder, CHAIN_ID));
    expect(missing).to.be.instanceOf(DeploymentError).and.to.have.property("exit", EXIT.usage);
    await writeFile(
      deploymentFile(folder, 5),
      JSON.stringify({ format: "medseal-deployment", version: 1, ...DEPLOYMENT }),
    );
    expect(await failureOf(readDeployment(folder, 5))).to.be.instanceOf(DeploymentError);

    const good = { format: "medseal-deployment", version: 1, ...DEPLOYMENT };
    parseDeployment(JSON.stringify(good));
    const registry = (edit: object) => ({
      ...good,
      contracts: { ...good.contracts, ConsentRegistry: { ...good.contracts.ConsentRegistry, ...edit } },
    });
    const { RecordAnchor } = good.contracts;
    const bad = [
      "",
      "[]",
      "null",
      ...[
        { ...good, version: 2 },
        { ...good, format: "deployment" },
        { ...good, note: 1 },
        { ...good, chainId: 0 },
        { ...good, chainId: "1" },
        { ...good, contracts: { RecordAnchor } },
        { ...good, contracts: null },
        registry({ address: REGISTRY.toLowerCase() }),
        registry({ codeHash: "0x" }),
        registry({ block: -1 }),
        registry({ owner: REGISTRY }),
      ].map((value) => JSON.stringify(value)),
    ];
    for (const text of bad) expect(() => parseDeployment(text), text).to.throw(DeploymentError);
  });

  it("has the contracts of alerts, both or none", () => {
    const { RecordAnchor, ConsentRegistry } = DEPLOYMENT.contracts;
    const all = { ...DEPLOYMENT.contracts, AlertRules: RecordAnchor, RuleEvaluator: ConsentRegistry };
    const record = (contracts: object): string =>
      JSON.stringify({ format: "medseal-deployment", version: 1, chainId: 5, contracts });
    expect(parseDeployment(record(all)).contracts).to.deep.equal(all);
    const { AlertRules: _, ...half } = all;
    expect(() => parseDeployment(record(half))).to.throw(DeploymentError);
    expect(() => deployedAt(DEPLOYMENT, "AlertRules")).to.throw(DeploymentError);
    expect(deployedAt({ chainId: 5, contracts: all }, "AlertRules")).to.deep.equal(RecordAnchor);
  });

  it("takes addresses from what Ignition wrote", () => {
    const text = JSON.stringify({
      "MedSeal#ConsentRegistry": REGISTRY.toLowerCase(),
      "MedSeal#RecordAnchor": REGISTRY,
    });
    expect(parseIgnitionAddresses(text)).to.deep.equal({ ConsentRegistry: REGISTRY, RecordAnchor: REGISTRY });
    for (const bad of ['{"MedSeal#ConsentRegistry":"0x12"}', "{}", "{", "null", '{"MedSeal#ConsentRegistry":1}']) {
      expect(() => parseIgnitionAddresses(bad), bad).to.throw(DeploymentError);
    }
  });

  it("pins the code that is there, and from then on takes no other", async () => {
    const node = (code: string): Rpc => ({ send: async (method) => (method === "eth_chainId" ? "0x1" : code) });
    const addresses = { ConsentRegistry: REGISTRY, RecordAnchor: REGISTRY };
    const deployment = await pinDeployment(node("0x6001"), 1, addresses, 7);
    expect(await pinnedCode(node("0x6001"), deployment, "ConsentRegistry")).to.equal("0x6001");
    for (const code of ["0x6002", "0x", "0x600100"]) {
      expect(await failureOf(pinnedCode(node(code), deployment, "ConsentRegistry"))).to.be.instanceOf(CodeDiffersError);
    }
    expect(await failureOf(pinDeployment(node("0x"), 1, addresses, 7))).to.be.instanceOf(DeploymentError);
    expect(await failureOf(pinDeployment(node("0x6001"), 2, addresses, 7))).to.be.instanceOf(WrongChainError);
  });
});

describe("the wallet of relationships", () => {
  const PHRASE = "test test test test test test test test test test test junk";

  it("has the addresses that other wallets find at the same BIP-44 paths", () => {
    // Account 0 of the phrase that every development chain uses; others from ethers by the full path.
    expect(new RelationshipWallet(PHRASE).signer(0).address).to.equal("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    const path = relationshipPath(5);
    expect(path).to.equal("m/44'/60'/5'/0/0");
    const other = HDNodeWallet.fromPhrase(PHRASE, "", path);
    expect(new RelationshipWallet(PHRASE).signer(5).address).to.equal(other.address);
  });

  it("has another address for every relationship, phrase and passphrase, and the same one again", () => {
    const phrase = newPhrase();
    const addresses = [
      new RelationshipWallet(phrase),
      new RelationshipWallet(phrase, "x"),
      new RelationshipWallet(PHRASE),
    ].flatMap((wallet) => [0, 1, 2, 2 ** 31 - 1].map((index) => wallet.signer(index).address));
    expect(new Set(addresses)).to.have.property("size", addresses.length);
    expect(new RelationshipWallet(` ${phrase.toUpperCase()}\n`).signer(1).address).to.equal(addresses[1]);
  });

  it("refuses a wrong phrase without repeating it, and numbers that are none", () => {
    const wrong = PHRASE.replace("junk", "test");
    try {
      new RelationshipWallet(wrong);
      expect.fail("took a wrong phrase");
    } catch (error) {
      expect(error).to.be.instanceOf(UsageError);
      expect(JSON.stringify(error) + String(error)).to.not.contain("test");
    }
    for (const index of [-1, 0.5, 2 ** 31, NaN]) {
      expect(() => new RelationshipWallet(PHRASE).signer(index)).to.throw(UsageError);
    }
  });

  it("draws its phrase from the randomness it is given", () => {
    expect(newPhrase(() => new Uint8Array(32)).split(" ")).to.have.length(24);
    expect(newPhrase(() => new Uint8Array(32))).to.equal(newPhrase(() => new Uint8Array(32)));
    expect(newPhrase()).to.not.equal(newPhrase());
  });
});
