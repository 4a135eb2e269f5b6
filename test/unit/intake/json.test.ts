import { expect } from "chai";
import fc from "fast-check";
import { readdirSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { JsonSplitter, type Piece } from "../../../src/intake/json-split.ts";
import { numberText, parseJson } from "../../../src/intake/json.ts";
import { LIMITS } from "../../../src/intake/limits.ts";
import { needs, VECTORS } from "./support.ts";

const SUITE = join(VECTORS, "json-testsuite");
/** Valid JSON by RFC 8259, which only says that names should be unique; refused here, as the last one to win would change a reading. */
const DUPLICATES = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

describe("the JSON reader", () => {
  it("refuses half a surrogate pair, which could not be given back as it stood", () => {
    const outcome = parseJson(new TextEncoder().encode('{"code":"\\ud800"}'), LIMITS);
    expect(!outcome.ok && outcome.problem.code).to.equal("ERR_ROW_ENCODING");
    expect(parseJson(new TextEncoder().encode('{"code":"\\ud83d\\ude00"}'), LIMITS).ok).to.equal(true);
  });

  it("answers the JSON test suite: y accepted, n refused, i either", function () {
    needs(this, SUITE);
    const counts = { y: 0, n: 0, i: 0 };
    for (const name of readdirSync(SUITE).filter((file) => file.endsWith(".json"))) {
      const outcome = parseJson(readFileSync(join(SUITE, name)), LIMITS);
      const kind = name[0] as "y" | "n" | "i";
      counts[kind]++;
      if (DUPLICATES.includes(name)) {
        expect(!outcome.ok && outcome.problem.code, name).to.equal("ERR_JSON_DUPLICATE_KEY");
      } else if (kind !== "i") expect(outcome.ok, name).to.equal(kind === "y");
      if (outcome.ok) expect(() => JSON.parse(readFileSync(join(SUITE, name), "utf8")) as unknown, name).not.to.throw();
    }
    console.log(`      ${counts.y} accepted or refused for duplicate keys, ${counts.n} refused, ${counts.i} either`);
    expect(counts.y).to.be.greaterThan(40);
    expect(counts.n).to.be.greaterThan(90);
  });

  it("has the suite's files with equal keys among its exceptions", function () {
    needs(this, SUITE);
    const present = DUPLICATES.filter((name) => existsSync(join(SUITE, name)));
    expect(readdirSync(SUITE).filter((name) => name.startsWith("y_object_duplicated"))).to.have.members(present);
  });

  it("refuses nesting that would exhaust the stack", () => {
    for (const text of ["[".repeat(1_000_000), '{"a":'.repeat(500_000), `${"[".repeat(65)}${"]".repeat(65)}`]) {
      const outcome = parseJson(Buffer.from(text), LIMITS);
      expect(!outcome.ok && outcome.problem.code).to.equal("ERR_JSON_DEPTH");
    }
    expect(parseJson(Buffer.from(`${"[".repeat(64)}${"]".repeat(64)}`), LIMITS).ok).to.equal(true);
  });

  it("keeps the text of every number", () => {
    for (const text of ["6.30", "-0", "1E+2", "9007199254740993", "0.1000000000000000055511151231257827"]) {
      const outcome = parseJson(Buffer.from(text), LIMITS);
      expect(outcome.ok && numberText(outcome.value)).to.equal(text);
    }
  });

  it("says the line, never the content", () => {
    const outcome = parseJson(Buffer.from('{\n"a": 1,\n"b": secret}'), LIMITS);
    expect(outcome).to.deep.equal({ ok: false, problem: { code: "ERR_JSON", reason: "not valid JSON" }, line: 3 });
  });
});

describe("the JSON splitter", () => {
  const split = (text: string, size: number): Piece[] => {
    const [bytes, splitter, pieces] = [Buffer.from(text), new JsonSplitter(LIMITS), [] as Piece[]];
    for (let i = 0; i < bytes.length; i += size) pieces.push(...splitter.push(bytes.subarray(i, i + size)));
    return [...pieces, ...splitter.end()];
  };
  const json = fc.json({ maxDepth: 3 });
  const bundle = fc
    .tuple(fc.array(json), json, fc.constantFrom("", " ", "\n", "\r\n\t"))
    .map(([entries, other, blank]) => ({
      entries,
      text: `${blank}{"a":${other},${blank}"entry"${blank}:${blank}[${blank}${entries.join(`${blank},${blank}`)}${blank}]${blank},"z":${other}}${blank}`,
    }));

  it("gives back each entry and the rest, however the bytes arrive", () => {
    fc.assert(
      fc.property(bundle, fc.integer({ min: 1, max: 50 }), ({ entries, text }, size) => {
        const pieces = split(text, size);
        expect(pieces.filter(({ kind }) => kind === "entry").map(({ bytes }) => bytes.toString().trim())).to.deep.equal(
          entries.map((entry) => entry.trim()),
        );
        const shell = pieces.at(-1);
        expect(shell?.kind).to.equal("shell");
        const whole = JSON.parse(text) as Record<string, unknown>;
        expect(JSON.parse(shell?.bytes.toString() ?? "")).to.deep.equal({ ...whole, entry: [] });
      }),
    );
  });

  it("gives the same pieces of broken documents, however the bytes arrive", () => {
    const soup = fc.array(fc.constantFrom("{", "}", "[", "]", '"entry":[', '"', "\\", ",", ":", "\n", "a", "{}"), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(soup, fc.integer({ min: 1, max: 9 }), (parts, size) => {
        const text = `{${parts.join("")}`;
        expect(split(text, size)).to.deep.equal(split(text, text.length));
      }),
      { numRuns: 1000 },
    );
  });
});
