import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** `src/` layers, low to high: a layer may import from those before it, see docs/architecture.md. */
const onlyChain = {
  patterns: [{ group: ["**/typechain-types/**"], message: "only src/chain imports typechain-types" }],
};

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
  { files: ["src/**"], ignores: ["src/chain/**"], rules: { "no-restricted-imports": ["error", onlyChain] } },
  {
    files: ["test/**"],
    rules: { "@typescript-eslint/no-unused-expressions": "off", "@typescript-eslint/require-await": "off" },
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
