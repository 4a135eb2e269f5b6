import { now } from "../../src/bytes/random.ts";
import type { Archive } from "../../src/archive/archive.ts";
import { EXIT, MedSealError, UsageError } from "../../src/errors.ts";
import { acceptRelease, combine, type Access } from "../../src/grantee/access.ts";
import { NotPermittedError } from "../../src/grantee/errors.ts";
import type { ReaderDeps, ReadRequest } from "../../src/grantee/read.ts";
import type { BlockStore } from "../../src/ipfs/store.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import type { Call, OptionSpec } from "./command.ts";
import { archiveOf, withChain, withStore, withView, type Chain } from "./chain.ts";
import { closest } from "./closest.ts";
import { withIdentity } from "./home.ts";
import { ownAddress } from "./patient.ts";
import { parseTime, roundWindow, type Window } from "./times.ts";
import type { Vault } from "./vault.ts";

/** What names a window of a stream that was released to the caller. */
export const WINDOW: Readonly<Record<string, OptionSpec>> = {
  stream: { type: "string", value: "NAME", help: "as the patient calls it" },
  patient: { type: "string", value: "NAME", help: "whose, as they name themselves; the only one without it" },
  from: { type: "string", value: "TIME", help: "from when; the start of what was granted without it" },
  to: { type: "string", value: "TIME", help: "to when; the end of what was granted without it" },
};

/** A window that something released lets the caller look into. */
export interface OpenWindow {
  readonly access: Access;
  readonly descriptor: StreamDescriptor;
  /** As asked for, and rounded outward to epochs. */
  readonly wish: Window;
  readonly request: ReadRequest;
  readonly deps: ReaderDeps;
  readonly chain: Chain;
}

/** What was released to an identity, stream by stream. */
export interface Reader {
  readonly vault: Vault;
  readonly chain: Chain;
  /** Names of all streams that something released lets it look into. */
  readonly streams: readonly StreamDescriptor[];
  /**
   * Finds what was released for a stream, and fetches the archives of its gateways.
   *
   * @param by - Name, or what the stream is.
   * @throws UsageError, NotPermittedError.
   */
  open(
    by: string | StreamDescriptor,
    window: { from?: string | undefined; to?: string | undefined },
  ): Promise<OpenWindow>;
}

/** Finds what was released to the identity for the stream, and fetches the archives of its gateways. @throws UsageError, NotPermittedError. */
export const withWindow = <T>(call: Call, work: (window: OpenWindow) => Promise<T>): Promise<T> =>
  withReader(call, async (reader) =>
    work(await reader.open(call.need("stream"), { from: call.text("from"), to: call.text("to") })),
  );

export function withReader<T>(call: Call, work: (reader: Reader) => Promise<T>): Promise<T> {
  return withIdentity(call, ({ vault, folder }) =>
    withChain((chain) =>
      withView(chain, folder, ({ ask, watch }) =>
        withStore(async (blocks) => {
          const time = now();
          const { accesses, ended } = await accessesOf(vault, (release) =>
            acceptRelease(release, ownAddress(vault), ask, time),
          );
          const all = combine(accesses);
          const patient = call.text("patient");
          const open: Reader["open"] = async (by, { from: begin, to: end }) => {
            const name = typeof by === "string" ? by : by.name;
            const access = choose(all, name, patient, ended);
            const { consent } = access.link;
            const { stream: descriptor } = access.keys.find(({ stream }) => stream.name === name)!;
            const wish = {
              from: begin === undefined ? consent.dataStart : parseTime(begin, time),
              to: end === undefined ? consent.dataEnd : parseTime(end, time),
            };
            if (wish.from >= wish.to) throw new UsageError("--to does not come after --from");
            const { from, to } = roundWindow(wish, descriptor.epochLength, false);
            const archives = await archivesOf(access, chain, blocks);
            const read = (digest: Uint8Array): Promise<Uint8Array> => blocks.get(digest);
            const deps = { archiveOf: (gateway: string) => archives.get(gateway) as Archive, read, ask, watch, time };
            const request = { stream: descriptor.id, from, to, purpose: call.text("purpose") ?? consent.purpose };
            return { access, descriptor, wish, request, deps, chain };
          };
          const mine = all.filter(({ release }) => patient === undefined || release.from === patient);
          const streams = mine.flatMap(({ keys }) => keys.map(({ stream }) => stream));
          return work({ vault, chain, streams, open });
        }),
      ),
    ),
  );
}

/** What is in force of all that was released, and why the rest is not. */
async function accessesOf(
  { releases }: Vault,
  accept: (release: Vault["releases"][number]) => Promise<Access>,
): Promise<{ accesses: Access[]; ended: MedSealError[] }> {
  const accesses: Access[] = [];
  const ended: MedSealError[] = [];
  for (const release of releases) {
    try {
      accesses.push(await accept(release));
    } catch (error) {
      if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
      ended.push(error);
    }
  }
  return { accesses, ended };
}

async function archivesOf(access: Access, chain: Chain, blocks: BlockStore): Promise<Map<string, Archive>> {
  const gateways = [...new Set(access.keys.map(({ write }) => write.consent.grantee))];
  const archives = new Map<string, Archive>();
  for (const gateway of gateways) archives.set(gateway, await archiveOf(chain, blocks, gateway));
  return archives;
}

function choose(
  accesses: readonly Access[],
  stream: string,
  patient: string | undefined,
  ended: readonly MedSealError[],
): Access {
  const mine = accesses.filter(({ release }) => patient === undefined || release.from === patient);
  const fits = mine.filter(({ keys }) => keys.some((one) => one.stream.name === stream));
  const patients = [...new Set(fits.map(({ release }) => release.from))];
  if (patients.length > 1)
    throw new UsageError("several patients have released a stream of this name", {
      hint: `add --patient ${patients.map((name) => JSON.stringify(name)).join(" | ")}`,
    });
  // The newest counts; one that lets read before one that only lets audit.
  const access = fits.findLast(({ keys }) => keys.some(({ data }) => data !== undefined)) ?? fits.at(-1);
  if (access) return access;
  const names = [...new Set(mine.flatMap(({ keys }) => keys.map((one) => one.stream.name)))];
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
