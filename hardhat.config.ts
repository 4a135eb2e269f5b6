import { createRequire } from "node:module";
import toolbox from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { configVariable, defineConfig } from "hardhat/config";
import { quietDependencies } from "./tools/quiet-dependencies.ts";
import { typechainOrder } from "./tools/typechain-order.ts";

/** The npm package `solc` is the compiler, so a build downloads nothing. */
export const compiler = {
  version: "0.8.37",
  path: createRequire(import.meta.url).resolve("solc/soljson.js"),
  settings: {
    // Named because OpenZeppelin uses `mcopy` and Hardhat knows no default for this compiler.
    evmVersion: "cancun",
    optimizer: { enabled: true, runs: 200 },
    // The hash of the metadata varies with what else Hardhat compiles in the same run; without it the code of a contract,
    // and so the hash that clients pin, follows from its own sources alone.
    metadata: { bytecodeHash: "none" },
  },
};

export default defineConfig({
  plugins: [toolbox, typechainOrder, quietDependencies],
  solidity: {
    // One build for every network: what is tested, measured and deployed is the same bytecode.
    profiles: { default: { compilers: [compiler] }, production: { compilers: [compiler] } },
  },
  paths: { tests: { mocha: "test", solidity: "test/contracts" } },
  test: {
    mocha: { timeout: 300_000 },
    // A short campaign of each invariant; the figure is raised for a long one.
    solidity: { invariant: { runs: Number(process.env["MEDSEAL_INVARIANT_RUNS"] ?? 8), depth: 100 } },
  },
  typechain: { outDir: "./typechain-types" },
  networks: {
    /** Signs with the node's own accounts; `npx hardhat keystore` holds a key for nodes without. */
    external: { type: "http", url: configVariable("MEDSEAL_RPC") },
  },
});
