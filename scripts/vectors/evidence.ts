import { keccak256 } from "ethers";
import { hex, hex0x, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import type { Bundle, BundledBatch, BundledConsent } from "../../src/evidence/bundle.ts";
import { encodeBundle } from "../../src/evidence/format.ts";
import { readZip, writeZip } from "../../src/evidence/zip.ts";

import { readBundle } from "./evidence-report.ts";
import { LENGTH, START, writeConsent } from "./samples.ts";
import { bad, draw, flip, good, type Case, type Suite } from "./suite.ts";
import { CODE, sampleBundle, several } from "./evidence-sample.ts";

/** Manifest and blocks as they stand in a case. */
function inputsOf(bundle: Bundle, change: (manifest: string) => string = (same) => same, trusted: object = {}): object {
  const [[, manifest], ...blocks] = [...readZip(encodeBundle(bundle))] as [
    [string, Uint8Array],
    ...[string, Uint8Array][],
  ];
  return {
    manifest: change(new TextDecoder().decode(manifest)),
    blocks: Object.fromEntries(blocks.map(([name, block]) => [name.replace("blocks/", ""), block])),
    blockHash: keccak256(bundle.block),
    ...CODE,
    ...trusted,
  };
}

const other = hex0x(draw("another hash")(32));

async function evidenceCases(): Promise<Case[]> {
  const whole = sampleBundle([writeConsent]);
  const readings = sampleBundle([writeConsent, several], "readings");
  const shown = async (name: string, bundle: Bundle): Promise<Case> => {
    const inputs = inputsOf(bundle);
    return good(name, inputs, await readBundle(inputs as Parameters<typeof readBundle>[0]));
  };
  const [one] = whole.generations as [Bundle["generations"][0]];
  const [first, second] = one.batches as [BundledBatch, BundledBatch];
  const withBatches = (...batches: BundledBatch[]): Bundle => ({ ...whole, generations: [{ ...one, batches }] });
  const [gateway] = whole.gateways as [Bundle["gateways"][0]];
  const [anchor] = gateway.checkpoints as [Bundle["gateways"][0]["checkpoints"][0]];
  const anchored = (changed: Partial<typeof anchor>): Bundle => ({
    ...whole,
    gateways: [{ ...gateway, checkpoints: [{ ...anchor, ...changed }] }],
  });
  const [leave] = whole.consents as [BundledConsent];
  const digests = [...whole.blocks.keys()];
  const without = (digest: string): Bundle => ({
    ...whole,
    blocks: new Map([...whole.blocks].filter(([key]) => key !== digest)),
  });
  const altered = (digest: string): Bundle => ({
    ...whole,
    blocks: new Map(whole.blocks).set(digest, flip(whole.blocks.get(digest)!, 100)),
  });
  const { registryAccount: _account, ...silent } = whole;
  const { state: _state, ...stateless } = leave;
  const { headerKey: _key, ...closed } = second;
  const text = (from: string | RegExp, to: string): object => inputsOf(whole, (manifest) => manifest.replace(from, to));
  const refused = (name: string, bundle: Bundle, code = "ERR_EVIDENCE"): Case => bad(name, inputsOf(bundle), code);
  return [
    await shown("readings of two epochs, with two consents", readings),
    await shown("the headers alone", whole),
    await shown("without the state of the consents", { ...silent, consents: [stateless] }),
    await shown("without its checkpoint", without(digests[0]!)),
    await shown("with an altered checkpoint", altered(digests[0]!)),
    await shown("without a header", without(digests[1]!)),
    await shown("with an altered header", altered(digests[2]!)),
    await shown("without the second batch and its header", {
      ...withBatches(first),
      blocks: without(digests[2]!).blocks,
    }),
    await shown("without the key of a header", withBatches(first, closed)),
    await shown("with the key of another header", withBatches(first, { ...second, headerKey: first.headerKey! })),
    await shown("with a tag that no checkpoint names", withBatches(first, { ...second, tag: draw("no tag")(32) })),
    await shown("anchored before its gateway's leave to write began", anchored({ time: START - 601 })),
    await shown("filed by the exporter's word, with headers that are not late", {
      ...whole,
      generations: [{ ...one, filed: true }],
    }),
    bad("another block than the given one", inputsOf(whole, undefined, { blockHash: other }), "ERR_EVIDENCE"),
    bad("another RecordAnchor", inputsOf(whole, undefined, { anchorCode: other }), "ERR_EVIDENCE"),
    bad("another ConsentRegistry", inputsOf(whole, undefined, { registryCode: other }), "ERR_EVIDENCE"),
    refused("a block that nothing names", {
      ...whole,
      blocks: new Map(whole.blocks).set(hex(sha256(utf8("?"))), utf8("?")),
    }),
    refused("the header of a batch that is left out", withBatches(first)),
    refused("a checkpoint less than the head", { ...whole, gateways: [{ ...gateway, checkpoints: [] }] }),
    refused("an anchor behind the block", anchored({ block: 8 })),
    refused("a gateway twice", { ...whole, gateways: [gateway, gateway] }),
    refused("a consent twice", { ...whole, consents: [leave, leave] }),
    refused("a generation twice", { ...whole, generations: [one, one] }),
    refused("a number left out in an epoch", withBatches(first, { ...second, n: 1 })),
    refused("batches out of order", withBatches(second, first)),
    refused("a batch outside the window", { ...whole, to: START + LENGTH }),
    refused("another stream than the consent's", { ...whole, stream: draw("no stream")(32) }),
    refused(
      "the state of the leave to write of another",
      { ...whole, consents: [{ ...leave, state: { ...leave.state!, entry: leave.state!.endedBefore } }] },
      "ERR_STATE_PROOF",
    ),
    bad("white space", text(",", ", "), "ERR_MALFORMED"),
    bad("a member twice", text('"chainId":', '"chainId":1,"chainId":'), "ERR_MALFORMED"),
    bad("null for what is absent", text(/"registryAccount":\[[^\]]*\]/, '"registryAccount":null'), "ERR_MALFORMED"),
    bad("a line break in the name of the software", text("medseal vectors", "medseal\\nvectors"), "ERR_MALFORMED"),
    bad("a generation that says it is not filed", text('"write":0,', '"write":0,"filed":false,'), "ERR_MALFORMED"),
    bad("an epoch length that divides no day", text('"epochLength":3600', '"epochLength":7'), "ERR_MALFORMED"),
    bad("a window that is none of whole epochs", text(`"from":${START}`, `"from":${START + 1}`), "ERR_MALFORMED"),
  ];
}

function fileCases(): Case[] {
  const files = new Map([
    ["evidence.json", utf8("{}\n")],
    ["blocks/a", Uint8Array.of(1, 2)],
  ]);
  const file = writeZip(files);
  const inputs = (changed: Uint8Array): object => ({ file: changed });
  const begin = (name: string): number => Buffer.from(file).indexOf(name);
  // CRC, sizes and names stand in the local header and again in the directory.
  const directory = Buffer.from(file).indexOf("PK\x01\x02", 0, "latin1");
  return [
    good(
      "two files",
      inputs(file),
      [...files].map(([name, content]) => ({ name, content })),
    ),
    bad("nothing", inputs(new Uint8Array(0)), "ERR_MALFORMED"),
    bad("no file", inputs(file.slice(-22)), "ERR_MALFORMED"),
    bad("a byte too many", inputs(Uint8Array.of(...file, 0)), "ERR_MALFORMED"),
    bad("a byte before it", inputs(Uint8Array.of(0, ...file)), "ERR_MALFORMED"),
    bad("the last byte cut off", inputs(file.slice(0, -1)), "ERR_MALFORMED"),
    bad("a byte of a file altered", inputs(flip(file, begin("{}"))), "ERR_MALFORMED"),
    bad("its CRC altered", inputs(flip(file, 14)), "ERR_MALFORMED"),
    bad("compressed, by its header", inputs(file.with(8, 8)), "ERR_MALFORMED"),
    bad("a size beyond the end", inputs(file.with(21, 0x7f)), "ERR_MALFORMED"),
    bad(
      "another name in the directory",
      inputs(flip(file, Buffer.from(file).lastIndexOf("evidence"))),
      "ERR_MALFORMED",
    ),
    bad("another CRC in the directory", inputs(flip(file, directory + 16)), "ERR_MALFORMED"),
    bad("a time", inputs(file.with(10, 1)), "ERR_MALFORMED"),
    bad("an upper-case name", inputs(writeZip(new Map([["Evidence.json", utf8("{}\n")]]))), "ERR_MALFORMED"),
    bad("a name that climbs", inputs(writeZip(new Map([["../evidence.json", utf8("{}\n")]]))), "ERR_MALFORMED"),
    bad("a comment", inputs(Uint8Array.of(...file.with(file.length - 2, 1), 0x21)), "ERR_MALFORMED"),
  ];
}

export const evidenceSuites = async (): Promise<Suite[]> => [
  { format: "evidence", section: 27, zstd: true, cases: await evidenceCases() },
  { format: "evidence-file", section: 27, cases: fileCases() },
];
