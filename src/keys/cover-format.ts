import { utf8 } from "../bytes/bytes.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { Cover } from "./cover.ts";
import { DEPTH, sizeOf, type KeyNode } from "./tree.ts";

const FORMAT = "cover";
const NAME = utf8("medseal/cover/1\n");

/**
 * name "medseal/cover/1\n" ‖ u16 count ‖ count × (u8 level ‖ u32 first epoch ‖ key(32)), ascending; docs/formats.md, "Cover".
 *
 * @throws RangeError when the nodes are not in canonical order.
 */
export function encodeCover(cover: Cover): Uint8Array {
  const writer = new ByteWriter().raw(NAME).uint(cover.length, 2);
  cover.forEach((node, i) => {
    const problem = problemOf(node, cover[i - 1]);
    if (problem !== undefined) throw new RangeError(problem);
    writer.uint(node.level, 1).uint(node.first, 4).fixed(node.key, 32);
  });
  return writer.finish();
}

/** @throws MalformedError unless these are the very bytes that `encodeCover` gives for some cover. */
export function decodeCover(bytes: Uint8Array): Cover {
  const reader = new ByteReader(bytes, FORMAT).expect(NAME, "name and version");
  const nodes: KeyNode[] = [];
  for (let left = reader.uint(2); left > 0; left--) {
    const node = { level: reader.uint(1), first: reader.uint(4), key: reader.fixed(32) };
    const problem = problemOf(node, nodes.at(-1));
    if (problem !== undefined) reader.fail(problem);
    nodes.push(node);
  }
  reader.end();
  return nodes;
}

/** One set of epochs has one encoding: sorted, disjoint, and no parent written as its two children. */
function problemOf(node: KeyNode, before: KeyNode | undefined): string | undefined {
  if (node.level > DEPTH) return "level above 32";
  if (node.first % sizeOf(node) !== 0) return "first epoch is no multiple of the node's size";
  if (before === undefined) return undefined;
  const end = before.first + sizeOf(before);
  if (node.first < end) return "nodes are not sorted and disjoint";
  const siblings = node.level === before.level && node.first === end && before.first % (2 * sizeOf(before)) === 0;
  return siblings ? "two siblings stand for their parent" : undefined;
}
