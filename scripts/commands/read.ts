import { now } from "../../src/bytes/random.ts";
import type { Archive } from "../../src/archive/archive.ts";
import { checkChain } from "../../src/archive/chain.ts";
import { EXIT, MedSealError, UsageError } from "../../src/errors.ts";
import { acceptRelease, combine, type Access } from "../../src/grantee/access.ts";
import { NotPermittedError } from "../../src/grantee/errors.ts";
import { readStream, type ReadBatch } from "../../src/grantee/read.ts";
import type { Command } from "../cli/command.ts";
import { archiveOf, withChain, withStore, withView } from "../cli/chain.ts";
import { closest } from "../cli/closest.ts";
import { withIdentity } from "../cli/home.ts";
import { ownAddress } from "../cli/patient.ts";
import { FORMATS, type Format } from "../cli/readings.ts";
import { parseTime, roundWindow, shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary: "Reads what was released to you: every reading checked against its signature, the chain and the consent",
  options: {
    stream: { type: "string", value: "NAME", help: "as the patient calls it", required: true },
    patient: { type: "string", value: "NAME", help: "whose, as they name themselves; the only one without it" },
    from: { type: "string", value: "TIME", help: "from when; the start of what was granted without it" },
    to: { type: "string", value: "TIME", help: "to when; the end of what was granted without it" },
    purpose: { type: "string", value: "CODE", help: "what for; the consent's own purpose without it" },
    format: { type: "string", value: "csv|ndjson|fhir", help: "how; csv without it" },
  },
  examples: [
    ["read --stream heart-rate --format csv > heart-rate.csv", "the whole window"],
    [
      "read --stream heart-rate --from 2026-03-01T08:00:00Z --to 2026-03-01T09:00:00Z --format fhir",
      "an hour, as a FHIR R4 Bundle",
    ],
  ],
  run: (call) =>
    withIdentity(call, ({ vault, folder }) =>
      withChain((chain) =>
        withView(chain, folder, ({ ask, watch }) =>
          withStore(async (blocks) => {
            const format = call.text("format") ?? "csv";
            if (!Object.hasOwn(FORMATS, format))
              throw new UsageError(`"${format}" is no format`, { hint: "take csv, ndjson or fhir" });
            const time = now();
            const accesses: Access[] = [];
            const ended: MedSealError[] = [];
            for (const release of vault.releases) {
              try {
                accesses.push(await acceptRelease(release, ownAddress(vault), ask, time));
              } catch (error) {
                if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
                ended.push(error);
              }
            }
            const access = choose(combine(accesses), call.need("stream"), call.text("patient"), ended);
            const { consent } = access.link;
            const descriptor = access.keys.find(({ stream }) => stream.name === call.need("stream"))!.stream;
            const wish = {
              from: call.text("from") === undefined ? consent.dataStart : parseTime(call.need("from"), time),
              to: call.text("to") === undefined ? consent.dataEnd : parseTime(call.need("to"), time),
            };
            const window = roundWindow(wish, descriptor.epochLength, false);
            const gateways = [...new Set(access.keys.map(({ write }) => write.consent.grantee))];
            const archives = new Map<string, Archive>();
            for (const gateway of gateways) archives.set(gateway, await archiveOf(chain, blocks, gateway));
            const read = (digest: Uint8Array): Promise<Uint8Array> => blocks.get(digest);
            const deps = { archiveOf: (gateway: string) => archives.get(gateway) as Archive, read, ask, watch, time };
            const request = { stream: descriptor.id, ...window, purpose: call.text("purpose") ?? consent.purpose };
            const batches: ReadBatch[] = [];
            for await (const batch of readStream(access, request, deps)) batches.push(batch);
            const outside = batches.filter(({ leave }) => leave !== undefined).length;
            const generations = new Set(batches.map(({ header }) => header.generation));
            const gaps = [...generations].flatMap((one) =>
              checkChain(batches.filter(({ header }) => header.generation === one)),
            );
            FORMATS[format as Format](batches, wish, chain.deployment, (text) => process.stdout.write(text));
            call.io.note(
              `${descriptor.name}, ${shownWindow(wish)}: ${batches.length} batches, each checked${outside > 0 ? `; ${outside} WITHOUT leave to be written` : ""}${gaps.length > 0 ? `; ${gaps.length} places where a header is missing, repeated or exchanged: ${[...new Set(gaps.map(({ kind }) => kind))].join(", ")}` : ""}`,
            );
            if (outside > 0) process.exitCode = EXIT.refused;
          }),
        ),
      ),
    ),
};

function choose(
  accesses: readonly Access[],
  stream: string,
  patient: string | undefined,
  ended: readonly MedSealError[],
): Access {
  const [first] = ended;
  const mine = accesses.filter(({ release }) => patient === undefined || release.from === patient);
  const fits = mine.filter(({ keys }) => keys.some((one) => one.stream.name === stream && one.data !== undefined));
  const [access, ...more] = fits;
  const patients = [...new Set(fits.map(({ release }) => release.from))];
  if (patients.length > 1)
    throw new UsageError("several patients have released a stream of this name", {
      hint: `add --patient ${patients.join(" | ")}`,
    });
  if (access) return more.at(-1) ?? access;
  if (first)
    throw new NotPermittedError("nothing that is in force now lets you read this stream", {
      hint: `the last word on what you had: ${first.message}`,
    });
  const names = [...new Set(mine.flatMap(({ keys }) => keys.map((one) => one.stream.name)))];
  const near = closest(stream, names);
  throw new NotPermittedError("nothing that was released to you lets you read this stream", {
    hint:
      near !== undefined
        ? `did you mean ${near}?`
        : names.length > 0
          ? `you have: ${names.join(", ")}`
          : "look for mail with medseal inbox",
  });
}
