import { getAddress } from "ethers";
import { hex0x } from "../../src/bytes/bytes.ts";
import { proveHead } from "../../src/chain/head-proof.ts";
import { ACTIONS } from "../../src/consent/actions.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { UsageError } from "../../src/errors.ts";
import { NotPermittedError } from "../../src/grantee/errors.ts";
import { parseInstant } from "../../src/observation/instant.ts";
import { openProof } from "../../src/proof/check.ts";
import { headersAt, readingsAt, type HeaderCandidate, type ReadingCandidate } from "../../src/proof/find.ts";
import { encodeProof } from "../../src/proof/format.ts";
import { prove, type Proof } from "../../src/proof/proof.ts";
import type { Call, Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { withWindow, type OpenWindow } from "../cli/reader.ts";
import { shownLines, shownObject } from "../cli/shown.ts";

export const command: Command = {
  summary:
    "Proves one reading to somebody without keys: what its device signed and its gateway anchored. It hands over the key of one header and nothing that opens another; of other readings it says nothing",
  options: {
    stream: { type: "string", value: "NAME", help: "as the patient calls it", required: true },
    at: { type: "string", value: "INSTANT", help: "its time, as medseal read shows it", required: true },
    patient: { type: "string", value: "NAME", help: "whose, as they name themselves; the only one without it" },
    code: { type: "string", value: "CODE", help: "of several readings of one time, that of this code" },
    nth: { type: "string", value: "N", help: "of several that still fit, the first (1), the second (2), …" },
    header: { type: "boolean", help: "prove the header alone, without a reading; an audit grant suffices" },
    block: {
      type: "string",
      value: "NUMBER",
      help: "rest on the state of this block, not of the newest final one: a shorter proof; its node learns which checkpoint matters",
    },
    wait: { type: "boolean", help: "until the reading's checkpoint, or the block of --block, is final" },
    out: { type: "string", value: "FILE", help: "where to; stdout without it" },
  },
  examples: [
    ["prove --stream heart-rate --at 2026-03-01T08:02:00Z --out proof.json", "one reading"],
    ["prove --stream heart-rate --at 2026-03-01T08:02:00Z --header --out header.json", "only its header"],
    ["prove --stream heart-rate --at 2026-03-01T08:02:00Z --wait --out proof.json", "of what has just been anchored"],
  ],
  async run(call) {
    const at = call.need("at");
    if (!parseInstant(at)) throw new UsageError("--at is no instant", { hint: "write 2026-03-01T08:02:00Z" });
    const block = numberOf(call, "block");
    const out = call.text("out");
    if (out !== undefined) await checkNew(out);
    const { proof, mayShare } = await withWindow(call, async (window) => ({
      proof: await proofOf(call, window, at, block),
      mayShare: (window.access.link.consent.actions & ACTIONS.SHARE) !== 0,
    }));
    const shown = openProof(proof);
    const text = encodeProof(proof);
    if (!mayShare)
      call.io.note(
        "Your consent says nothing of letting others use what you read: passing this on is for you to answer for.",
      );
    if (out === undefined) {
      process.stdout.write(text);
      return;
    }
    await writeNew(out, text);
    call.io.result(
      { out, bytes: text.length, ...shownObject(proof, shown) },
      `${out}: ${text.length.toLocaleString("en")} bytes. Whoever has it sees this, and nothing of other readings:`,
      ...shownLines(proof, shown),
    );
  },
};

async function proofOf(call: Call, window: OpenWindow, at: string, block: number | undefined): Promise<Proof> {
  const candidate = await candidateOf(call, window, at);
  const { opened, headerKey } = candidate;
  const { rpc, deployment, historyOf } = window.chain;
  const gateway = getAddress(hex0x(opened.place.gateway)) as Hex;
  const state = await proveHead(rpc, deployment, gateway, block);
  return prove(opened, headerKey, await historyOf(gateway), state, "leaf" in candidate ? candidate : undefined);
}

async function candidateOf(
  call: Call,
  { access, descriptor, deps }: OpenWindow,
  at: string,
): Promise<HeaderCandidate | ReadingCandidate> {
  if (call.flag("header")) return chosen(call, await headersAt(access, descriptor.id, at, deps), "header");
  if (access.keys.every(({ data }) => data === undefined))
    throw new NotPermittedError("you may audit this stream, not read it", { hint: "add --header" });
  return chosen(call, await readingsAt(access, descriptor.id, at, call.text("code"), deps), "reading");
}

/** @throws UsageError unless just one is meant. */
function chosen<T>(call: Call, found: readonly T[], what: string): T {
  const nth = numberOf(call, "nth");
  if (found.length === 0)
    throw new UsageError(`there is no ${what} of this time`, { hint: "write the time as medseal read shows it" });
  if (nth === undefined && found.length > 1)
    throw new UsageError(`there are ${found.length} of this time`, {
      hint: `add ${what === "reading" ? "--code, or " : ""}--nth 1 to ${found.length}`,
    });
  const one = found[(nth ?? 1) - 1];
  if (one === undefined) throw new UsageError(`--nth is not 1 to ${found.length}`);
  return one;
}

function numberOf(call: Call, name: string): number | undefined {
  const text = call.text(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,12}$/.test(text)) throw new UsageError(`--${name} is no whole number`);
  return Number(text);
}
