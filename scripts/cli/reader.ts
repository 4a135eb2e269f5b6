import { hex } from "../../src/bytes/bytes.ts";
import { now } from "../../src/bytes/random.ts";
import type { ConsentLedger } from "../../src/chain/ledger.ts";
import type { Archive } from "../../src/archive/archive.ts";
import { EXIT, MedSealError, UsageError } from "../../src/errors.ts";
import { acceptRelease, combine, type Access } from "../../src/grantee/access.ts";
import { NotPermittedError } from "../../src/grantee/errors.ts";
import type { ReaderDeps, ReadRequest } from "../../src/grantee/read.ts";
import type { BlockFiles } from "../../src/ipfs/block-files.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import type { Call, OptionSpec } from "./command.ts";
import { archiveOf, onceFinal, withBlocks, withChain, withView, type Blocks, type Chain } from "./chain.ts";
import { closest } from "./closest.ts";
import { withVault, type Session } from "./home.ts";
import { ownAddress } from "./patient.ts";
import { senderOf } from "./people.ts";
import { parseTime, roundWindow, type Window } from "./times.ts";
import type { Contact, Vault } from "./vault.ts";

/** What names a window of a stream that was released to the caller. */
export const WINDOW: Readonly<Record<string, OptionSpec>> = {
  stream: { type: "string", value: "NAME", help: "as the patient calls it" },
  patient: { type: "string", value: "NAME", help: "whose, as they name themselves; the only one without it" },
  from: { type: "string", value: "TIME", help: "from when; the start of what was granted without it" },
  to: { type: "string", value: "TIME", help: "to when; the end of what was granted without it" },
};

/** A window that something released lets the caller look into. */
export interface OpenWindow {
  readonly patient: Contact;
  readonly access: Access;
  readonly descriptor: StreamDescriptor;
  /** As asked for, and rounded outward to epochs. */
  readonly wish: Window;
  readonly request: ReadRequest;
  readonly deps: ReaderDeps;
  /** Where blocks are read from, when that is a folder. */
  readonly files: BlockFiles | undefined;
  readonly chain: Chain;
  readonly ledger: ConsentLedger;
}

/** A window that is open to the future is looked through up to now, and this much further, in seconds. */
const AHEAD = 86_400;

/** What was released to an identity and is in force. */
export interface Reader {
  readonly vault: Vault;
  /** Of the identity. */
  readonly folder: string;
  readonly chain: Chain;
  /** What something released lets it look into, of the patient that --patient names. */
  readonly streams: readonly StreamDescriptor[];
  /** The same of one patient. */
  streamsOf(patient: string): readonly StreamDescriptor[];
  /**
   * Finds what was released for a stream, and fetches the archives of its gateways.
   *
   * @param by - Name, or what the stream is.
   * @param window - `patient`: whose, where --patient does not say it.
   * @throws UsageError, NotPermittedError.
   */
  open(
    by: string | StreamDescriptor,
    window: { from?: string | undefined; to?: string | undefined; patient?: string },
  ): Promise<OpenWindow>;
}

/**
 * Finds what was released to the identity for the stream, and fetches the archives of its gateways. With --wait, see `onceFinal`.
 *
 * @throws UsageError, NotPermittedError.
 */
export const withWindow = <T>(call: Call, work: (window: OpenWindow, whole: boolean) => Promise<T>): Promise<T> =>
  withReader(call, async (reader, whole) =>
    work(await reader.open(call.need("stream"), { from: call.text("from"), to: call.text("to") }), whole),
  );

/** The same for several streams. */
export function withReader<T>(call: Call, work: (reader: Reader, whole: boolean) => Promise<T>): Promise<T> {
  return withVault(call, (session) =>
    onceFinal(call, (whole) => readWith(call, session, (reader) => work(reader, whole))),
  );
}

function readWith<T>(
  call: Call,
  { vault, folder }: Pick<Session, "vault" | "folder">,
  work: (reader: Reader) => Promise<T>,
): Promise<T> {
  return withChain((chain) =>
    withView(chain, folder, ({ ask, watch, ledger }) =>
      withBlocks(call.text("blocks"), async (blocks) => {
        const time = now();
        const me = ownAddress(vault);
        const { found, ended } = await accessesOf(vault, (release) => acceptRelease(release, me, ask, time));
        const archives = new Map<string, Archive>();
        const read = (digest: Uint8Array): Promise<Uint8Array> => blocks.get(digest);
        const deps = { archiveOf: (gateway: string) => archives.get(gateway) as Archive, read, ask, watch, time };
        const patient = call.text("patient");
        const open: Reader["open"] = async (by, { from: begin, to: end, patient: whose }) => {
          const given = (text: string | undefined): number | undefined =>
            text === undefined ? undefined : parseTime(text, time);
          const stream = typeof by === "string" ? by : by.name;
          const asked = { stream, patient: patient ?? whose, from: given(begin), to: given(end) };
          const chosen = choose(found, asked, ended);
          const { access } = chosen;
          const { consent } = access.link;
          const { stream: descriptor } = access.keys.find((one) => one.stream.name === stream)!;
          const ahead = Math.max(consent.dataStart + descriptor.epochLength, time + AHEAD);
          const wish = { from: asked.from ?? consent.dataStart, to: asked.to ?? Math.min(consent.dataEnd, ahead) };
          if (wish.from >= wish.to) throw new UsageError("--to does not come after --from");
          const rounded = roundWindow(wish, descriptor.epochLength, false);
          const to = asked.to === undefined ? Math.min(rounded.to, consent.dataEnd) : rounded.to;
          await addArchives(archives, access, chain, blocks);
          const purpose = call.text("purpose") ?? consent.purpose;
          const request = { stream: descriptor.id, from: rounded.from, to, purpose };
          return { ...chosen, descriptor, wish, request, deps, files: blocks.files, chain, ledger };
        };
        const mine = found.filter((one) => patient === undefined || one.patient.name === patient);
        const streamsIn = (some: readonly Found[]): StreamDescriptor[] =>
          some.flatMap(({ access }) => access.keys.map(({ stream }) => stream));
        const streamsOf = (name: string): StreamDescriptor[] =>
          streamsIn(found.filter((one) => one.patient.name === name));
        return work({ vault, folder, chain, streams: streamsIn(mine), streamsOf, open });
      }),
    ),
  );
}

interface Found {
  readonly patient: Contact;
  readonly access: Access;
}

/** What is in force of all that was released, by patient, and why the rest is not. */
async function accessesOf(
  vault: Vault,
  accept: (release: Vault["releases"][number]) => Promise<Access>,
): Promise<{ found: Found[]; ended: MedSealError[] }> {
  const byPatient = new Map<Contact, Access[]>();
  const ended: MedSealError[] = [];
  for (const release of vault.releases) {
    try {
      const patient = senderOf(vault, release);
      byPatient.set(patient, [...(byPatient.get(patient) ?? []), await accept(release)]);
    } catch (error) {
      if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
      ended.push(error);
    }
  }
  const found = [...byPatient].flatMap(([patient, some]) => combine(some).map((access) => ({ patient, access })));
  return { found, ended };
}

/** Of the gateways that write what the access is about, those that are not there yet. */
async function addArchives(
  archives: Map<string, Archive>,
  { keys }: Access,
  chain: Chain,
  blocks: Blocks,
): Promise<void> {
  for (const { write } of keys) {
    const { grantee } = write.consent;
    if (!archives.has(grantee)) archives.set(grantee, await archiveOf(chain, blocks, grantee));
  }
}

interface Asked {
  readonly stream: string;
  readonly patient: string | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

function choose(found: readonly Found[], asked: Asked, ended: readonly MedSealError[]): Found {
  const { stream, patient, from, to } = asked;
  const mine = found.filter((one) => patient === undefined || one.patient.name === patient);
  const fits = mine.filter(({ access }) => streamIn(access, stream) !== undefined);
  const patients = [...new Set(fits.map((one) => one.patient.name))];
  if (patients.length > 1)
    throw new UsageError("several patients have released a stream of this name", {
      hint: `add --patient ${patients.map((name) => JSON.stringify(name)).join(" | ")}`,
    });
  if (new Set(fits.map(({ access }) => streamIn(access, stream))).size > 1)
    throw new UsageError("the patient has released two streams of this name", {
      hint: "ask them to end one of the consents",
    });
  // The newest whose window holds what was asked for; one that lets read before one that only lets audit.
  const inside = fits.filter(({ access: { link } }) => {
    const { dataStart, dataEnd } = link.consent;
    return (from ?? dataStart) >= dataStart && (to ?? dataEnd) <= dataEnd;
  });
  const candidates = inside.length > 0 ? inside : fits;
  const reads = candidates.filter(({ access }) => access.keys.some(({ data }) => data !== undefined));
  const chosen = reads.at(-1) ?? candidates.at(-1);
  if (chosen) return chosen;
  const names = [...new Set(mine.flatMap(({ access }) => access.keys.map((one) => one.stream.name)))];
  const near = closest(stream, names);
  if (near === undefined && ended.length > 0)
    throw new NotPermittedError("nothing that is in force now lets you read this stream", {
      hint: `of what was released to you: ${ended.at(-1)?.message ?? ""}`,
    });
  throw new NotPermittedError("nothing that was released to you lets you read this stream", {
    hint:
      near !== undefined
        ? `did you mean ${near}?`
        : names.length > 0
          ? `you have: ${names.join(", ")}`
          : "look for mail with medseal inbox",
  });
}

const streamIn = ({ keys }: Access, name: string): string | undefined => {
  const found = keys.find(({ stream }) => stream.name === name);
  return found && hex(found.stream.id);
};
