import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Who may import what; the README lists the layers of `src/`. */
const contracts = { group: ["**/typechain-types/**"], message: "only src/chain imports typechain-types" };
const ipfs = {
  group: ["ipfs-http-client", "helia", "@helia/*", "interface-blockstore", "datastore-fs"],
  message: "only src/ipfs speaks to IPFS",
};
const higher = {
  group: ["chain", "consent", "envelope", "archive", "patient", "gateway", "grantee", "auditor", "monitor"].map(
    (layer) => `**/${layer}/**`,
  ),
  message: "the layers below know neither chain nor use cases",
};
const imports = (...patterns) => ({ rules: { "no-restricted-imports": ["error", { patterns }] } });
const low = ["bytes", "files", "observation", "intake", "keys", "seal", "log", "state", "alerts"].map(
  (layer) => `src/${layer}/**`,
);

export default tseslint.config(
  { ignores: ["typechain-types/", "artifacts/", "cache/", "coverage/", ".tools/"] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js"] } } },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "no-restricted-syntax": [
        "error",
        { selector: "TSEnumDeclaration", message: "Node runs the sources by stripping types; enums need a compiler" },
      ],
    },
  },
  { files: ["src/**"], ...imports(contracts, ipfs) },
  { files: ["src/chain/**"], ...imports(ipfs) },
  { files: ["src/ipfs/**"], ...imports(contracts, higher) },
  { files: low, ...imports(contracts, ipfs, higher) },
  {
    files: ["test/**"],
    rules: {
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/explicit-module-boundary-types": "off",
    },
  },
  {
    files: ["**/*.mjs", "*.js"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: { process: "readonly", console: "readonly", SharedArrayBuffer: "readonly", Atomics: "readonly" },
    },
    rules: { "@typescript-eslint/explicit-module-boundary-types": "off" },
  },
);
