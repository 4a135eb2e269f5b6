import { hex } from "../../src/bytes/bytes.ts";
import { now } from "../../src/bytes/random.ts";
import type { ConsentLedger } from "../../src/chain/ledger.ts";
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
import { withVault } from "./home.ts";
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
  readonly access: Access;
  readonly descriptor: StreamDescriptor;
  /** As asked for, and rounded outward to epochs. */
  readonly wish: Window;
  readonly request: ReadRequest;
  readonly deps: ReaderDeps;
  readonly chain: Chain;
  readonly ledger: ConsentLedger;
}

/** A window that is open to the future is looked through up to now, and this much further, in seconds. */
const AHEAD = 86_400;

/** Finds what was released to the identity for the stream, and fetches the archives of its gateways. @throws UsageError, NotPermittedError. */
export function withWindow<T>(call: Call, work: (window: OpenWindow) => Promise<T>): Promise<T> {
  return withVault(call, ({ vault, folder }) =>
    withChain((chain) =>
      withView(chain, folder, ({ ask, watch, ledger }) =>
        withStore(async (blocks) => {
          const time = now();
          const me = ownAddress(vault);
          const { found, ended } = await accessesOf(vault, (release) => acceptRelease(release, me, ask, time));
          const given = (name: string): number | undefined =>
            call.text(name) === undefined ? undefined : parseTime(call.need(name), time);
          const asked = {
            stream: call.need("stream"),
            patient: call.text("patient"),
            from: given("from"),
            to: given("to"),
          };
          const access = choose(found, asked, ended);
          const { consent } = access.link;
          const { stream: descriptor } = access.keys.find(({ stream }) => stream.name === asked.stream)!;
          const open = Math.max(consent.dataStart + descriptor.epochLength, time + AHEAD);
          const wish = { from: asked.from ?? consent.dataStart, to: asked.to ?? Math.min(consent.dataEnd, open) };
          if (wish.from >= wish.to) throw new UsageError("--to does not come after --from");
          const rounded = roundWindow(wish, descriptor.epochLength, false);
          const to = asked.to === undefined ? Math.min(rounded.to, consent.dataEnd) : rounded.to;
          const archives = await archivesOf(access, chain, blocks);
          const read = (digest: Uint8Array): Promise<Uint8Array> => blocks.get(digest);
          const deps = { archiveOf: (gateway: string) => archives.get(gateway) as Archive, read, ask, watch, time };
          const purpose = call.text("purpose") ?? consent.purpose;
          const request = { stream: descriptor.id, from: rounded.from, to, purpose };
          return work({ access, descriptor, wish, request, deps, chain, ledger });
        }),
      ),
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

async function archivesOf(access: Access, chain: Chain, blocks: BlockStore): Promise<Map<string, Archive>> {
  const gateways = [...new Set(access.keys.map(({ write }) => write.consent.grantee))];
  const archives = new Map<string, Archive>();
  for (const gateway of gateways) archives.set(gateway, await archiveOf(chain, blocks, gateway));
  return archives;
}

interface Asked {
  readonly stream: string;
  readonly patient: string | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

function choose(found: readonly Found[], asked: Asked, ended: readonly MedSealError[]): Access {
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
  if (chosen) return chosen.access;
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
