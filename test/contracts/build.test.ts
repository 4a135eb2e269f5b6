import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { artifacts } from "hardhat";
import { LARGEST_CODE } from "../../scripts/bench/code-sizes.ts";
import { CONTRACTS, standardInput, type CompiledContract } from "../../scripts/package/standard-input.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** What `npm pack` writes afresh, with the npm compiler and nothing of Hardhat. */
const FOLDER = join(ROOT, "dist", "contracts");

interface Packed {
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

// the build     every contract is small
// npm pack      holds ABIs, bytecode and the compiler's input, and nothing heavy · the compiler alone gives what Hardhat gives, byte for byte
describe("the build", () => {
  it("knows every contract that can be deployed, each at most 10 KB of code", async () => {
    const deployable: string[] = [];
    for (const name of await artifacts.getAllFullyQualifiedNames()) {
      const { deployedBytecode, contractName, sourceName } = await artifacts.readArtifact(name);
      if (!/^contracts\/\w+\.sol$/.test(sourceName) || deployedBytecode === "0x") continue;
      deployable.push(contractName);
      expect(deployedBytecode.length / 2 - 1, contractName).to.be.at.most(LARGEST_CODE);
    }
    expect(deployable).to.have.members([...CONTRACTS]);
  });
});

describe("npm pack", () => {
  let packed: Packed | undefined;
  let said: string;
  before(() => {
    rmSync(FOLDER, { recursive: true, force: true });
    const options = { cwd: ROOT, encoding: "utf8", shell: process.platform === "win32" } as const;
    const { stdout, stderr } = spawnSync("npm", ["pack", "--dry-run", "--json"], options);
    const parsed = JSON.parse(stdout) as readonly Packed[] | Readonly<Record<string, Packed>>;
    [packed] = Object.values(parsed);
    said = stderr;
  });

  it("holds what integrators build on, and nothing heavy", () => {
    const paths = (packed?.files ?? []).map(({ path }) => path);
    expect(paths, said).to.include.members([
      ...CONTRACTS.map((name) => `dist/contracts/${name}.json`),
      "dist/contracts/solc-0.8.37-input.json",
      "contracts/interfaces/IConsentRegistry.sol",
    ]);
    expect(paths.filter((path) => /node_modules|^\.tools|^\.env$|artifacts|^cache/.test(path))).to.deep.equal([]);
    expect(packed?.unpackedSize).to.be.below(8_000_000);
  });

  it("holds what the compiler makes of its standard input, and that is what Hardhat makes", async () => {
    const read = (name: string): unknown => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8"));
    expect(read("solc-0.8.37-input")).to.deep.equal(standardInput());
    for (const name of CONTRACTS) {
      const { contractName, abi, bytecode } = read(name) as CompiledContract;
      const artifact = await artifacts.readArtifact(name);
      expect(contractName).to.equal(name);
      expect(bytecode, name).to.equal(artifact.bytecode);
      expect(abi, name).to.deep.equal(artifact.abi);
    }
  });
});
