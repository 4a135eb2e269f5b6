import { encodeRlp, keccak256, type RlpStructuredData } from "ethers";
import { fromHex, hex0x } from "../bytes/bytes.ts";
import { isBytes32, type Hex } from "../consent/consent.ts";
import { NodeLiesError, StateProofError } from "./errors.ts";
import { decodeShortest } from "./rlp.ts";
import { askPlain, needBlock, toQuantity, type BlockHeader, type BlockTag, type Rpc } from "./rpc.ts";

/** Fields of a block header in the order of its RLP, by their names in JSON-RPC; those from the base fee on came with later forks. */
const FIELDS = [
  "parentHash",
  "sha3Uncles",
  "miner",
  "stateRoot",
  "transactionsRoot",
  "receiptsRoot",
  "logsBloom",
  "difficulty",
  "number",
  "gasLimit",
  "gasUsed",
  "timestamp",
  "extraData",
  "mixHash",
  "nonce",
  "baseFeePerGas",
  "withdrawalsRoot",
  "blobGasUsed",
  "excessBlobGas",
  "parentBeaconBlockRoot",
  "requestsHash",
] as const;
const NUMBERS = new Set<string>([
  "difficulty",
  "number",
  "gasLimit",
  "gasUsed",
  "timestamp",
  "baseFeePerGas",
  "blobGasUsed",
  "excessBlobGas",
]);
const OLDEST = 15;
const [STATE_ROOT, NUMBER, TIMESTAMP] = [3, 8, 11];

/** The RLP of a block's header. @throws ChainUnavailableError, NodeLiesError. */
export async function readBlockHeader(rpc: Rpc, tag: BlockTag): Promise<Uint8Array> {
  const { number, hash } = await needBlock(rpc, tag);
  const block = await askPlain(rpc, "eth_getBlockByNumber", [toQuantity(number), false]);
  const header = encodeBlockHeader((block ?? {}) as Record<string, unknown>);
  if (decodeBlockHeader(header).hash !== hash) throw new NodeLiesError("one block has two hashes");
  return header;
}

/**
 * The RLP of a block's header, from the node's JSON.
 *
 * @throws NodeLiesError when it does not hash to the block's hash; then the node lies, or the chain has headers of another form.
 */
export function encodeBlockHeader(block: Readonly<Record<string, unknown>>): Uint8Array {
  const present = FIELDS.filter((name) => typeof block[name] === "string");
  try {
    const encoded = encodeRlp(present.map((name) => item(name, block[name] as string)));
    if (keccak256(encoded) === block["hash"]) return fromHex(encoded);
  } catch {
    // A field that is no hex; said below.
  }
  throw new NodeLiesError("a block's header does not have the hash that it names, or a form unknown here");
}

const item = (name: string, value: string): string => {
  if (!NUMBERS.has(name)) return value;
  const digits = value.replace(/^0x0*/, "");
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`;
};

/** What a header says, and its hash. @throws StateProofError */
export function decodeBlockHeader(encoded: Uint8Array): BlockHeader {
  const fields = decodeShortest(hex0x(encoded), "its block header");
  const list = Array.isArray(fields) ? fields : [];
  const stateRoot = list[STATE_ROOT];
  if (list.length < OLDEST || !isBytes32(stateRoot)) throw new StateProofError("its block header is none");
  return {
    number: number(list[NUMBER]),
    hash: keccak256(hex0x(encoded)) as Hex,
    stateRoot,
    timestamp: number(list[TIMESTAMP]),
  };
}

function number(value: RlpStructuredData | undefined): number {
  if (typeof value !== "string" || value.length > 2 + 12) throw new StateProofError("its block header has no number");
  return value === "0x" ? 0 : Number(value);
}
