import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { artifacts } from "hardhat";
import { compile, CONTRACTS, standardInput } from "../../scripts/package/standard-input.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** Most bytes of code that a contract may have. */
const LARGEST = 10_000;

interface Packed {
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

// the build     every contract is small · the compiler alone gives what Hardhat gives, byte for byte
// npm pack      holds ABIs, bytecode and the compiler's input, and nothing heavy
describe("the build", () => {
  it("knows every contract that can be deployed, each at most 10 KB of code", async () => {
    const deployable: string[] = [];
    for (const name of await artifacts.getAllFullyQualifiedNames()) {
      const { deployedBytecode, contractName, sourceName } = await artifacts.readArtifact(name);
      if (!/^contracts\/\w+\.sol$/.test(sourceName) || deployedBytecode === "0x") continue;
      deployable.push(contractName);
      expect(deployedBytecode.length / 2 - 1, contractName).to.be.at.most(LARGEST);
    }
    expect(deployable).to.have.members([...CONTRACTS]);
  });

  it("is the same from the compiler's standard input, without Hardhat", async () => {
    const compiled = compile(standardInput());
    for (const { contractName, abi, bytecode } of compiled) {
      const artifact = await artifacts.readArtifact(contractName);
      expect(bytecode, contractName).to.equal(artifact.bytecode);
      expect(abi, contractName).to.deep.equal(artifact.abi);
    }
    expect(compiled.length).to.equal(CONTRACTS.length);
  });
});

describe("npm pack", () => {
  it("holds what integrators build on, and nothing heavy", () => {
    const options = { cwd: ROOT, encoding: "utf8", shell: process.platform === "win32" } as const;
    const { stdout, stderr } = spawnSync("npm", ["pack", "--dry-run", "--json"], options);
    const parsed = JSON.parse(stdout) as readonly Packed[] | Readonly<Record<string, Packed>>;
    const [packed] = Object.values(parsed);
    const paths = (packed?.files ?? []).map(({ path }) => path);
    expect(paths, stderr).to.include.members([
      ...CONTRACTS.map((name) => `dist/contracts/${name}.json`),
      "dist/contracts/solc-0.8.37-input.json",
      "contracts/interfaces/IConsentRegistry.sol",
    ]);
    expect(paths.filter((path) => /node_modules|^\.tools|^\.env$|artifacts|^cache/.test(path))).to.deep.equal([]);
    expect(packed?.unpackedSize).to.be.below(8_000_000);
  });
});
