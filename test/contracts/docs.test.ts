import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { artifacts } from "hardhat";
import { Interface, type InterfaceAbi } from "ethers";
import { CONTRACTS } from "../../scripts/package/standard-input.ts";

/** In the standard and never emitted: no domain changes. */
const NEVER = ["EIP712DomainChanged"];
/** What several contracts have from OpenZeppelin stands in the table once. */
const SHARED = ["authority", "setAuthority", "isConsumingScheduledOp", "eip712Domain"];

// docs/contracts.md   each contract's part names its every function and event, and what an observer learns names every function
describe("docs/contracts.md", () => {
  const namesOf = async (contract: string): Promise<{ functions: string[]; events: string[] }> => {
    const { abi } = await artifacts.readArtifact(contract);
    const [functions, events]: [string[], string[]] = [[], []];
    const made = new Interface(abi as InterfaceAbi);
    made.forEachFunction(({ name }) => functions.push(name));
    made.forEachEvent(({ name }) => events.push(name));
    return { functions, events: events.filter((name) => !NEVER.includes(name)) };
  };
  const quoted = (text: string): string[] => [...text.matchAll(/`(\w+)(?:\([^`]*\))?`/g)].map(([, name = ""]) => name);
  let docs: string;
  before(async () => (docs = await readFile(join(import.meta.dirname, "../../docs/contracts.md"), "utf8")));

  it("names every function and event of every contract", async () => {
    const parts = docs.split(/^## /m);
    for (const contract of CONTRACTS) {
      const named = quoted(parts.find((part) => part.startsWith(`${contract}\n`)) ?? "");
      const { functions, events } = await namesOf(contract);
      expect(named, contract).to.include.members([...functions, ...events]);
    }
  });

  it("says of every function what an observer learns from it", async () => {
    const rows = docs.slice(docs.indexOf("<!-- observer:"), docs.indexOf("<!-- observer: end")).split("\n");
    for (const contract of CONTRACTS) {
      const told = rows
        .filter((row) => row.startsWith(`| ${contract} |`))
        .flatMap((row) => quoted(row.split("|")[2] ?? ""));
      const { functions } = await namesOf(contract);
      const own = functions.filter((name) => !SHARED.includes(name));
      expect([...told].sort(), contract).to.deep.equal([...own].sort());
    }
    for (const name of SHARED) expect(rows.flatMap(quoted)).to.include(name);
  });
});
