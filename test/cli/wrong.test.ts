import { createHash } from "node:crypto";
import { chmod, copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { sharedWard } from "./shared-ward.ts";
import { HOUR, RECORDING, START, type Ran, type World } from "./world.ts";

/** What is tried, as whom, and what must come of it. */
interface Try {
  readonly line: string;
  readonly exit: number;
  /** Of the error on stderr. */
  readonly says: RegExp;
  readonly env?: Record<string, string | undefined>;
}

const NOWHERE = "http://127.0.0.1:9";
const WINDOW = "2026-03-01T08:01:00Z..2026-03-01T08:04:00Z";
const grant = (rest: string): string => `consent grant --as Ann --yes --out x.grant ${rest}`;

const TRIES: Readonly<Record<string, readonly Try[]>> = {
  "the verb itself": [
    { line: "consnet list", exit: 2, says: /no verb consnet[^]*did you mean consent/ },
    { line: "consent", exit: 2, says: /consent what\?/ },
    { line: "consent lst", exit: 2, says: /did you mean consent list/ },
    { line: "whoami --jsn", exit: 2, says: /no option --jsn[^]*did you mean --json/ },
    { line: "whoami extra", exit: 2, says: /extra|positional/ },
    { line: "read --as Lee", exit: 2, says: /--stream is missing/ },
    { line: "read --stream", exit: 2, says: /--stream/ },
  ],
  "the identity": [
    { line: "whoami", exit: 2, says: /several identities[^]*--as/ },
    { line: "whoami --as Bob", exit: 2, says: /no identity of this name[^]*there are: ann/ },
    { line: "keys new Ann", exit: 2, says: /identity of this name already/ },
    { line: "keys new ***", exit: 2, says: /letters or digits/ },
    { line: "keys new Eve --passphrase-file short", exit: 2, says: /at least 8/ },
    { line: "keys new Eve --phrase-file short", exit: 2, says: /phrase is not valid/ },
    { line: "whoami --as Ann --passphrase-file wrong", exit: 3, says: /passphrase/ },
    { line: "whoami --as Ann --passphrase-file missing", exit: 2, says: /passphrase file cannot be read/ },
    { line: "whoami --as Ann --passphrase-file open", exit: 3, says: /can be read by others[^]*chmod 600/ },
    {
      line: "whoami --as Ann",
      exit: 2,
      says: /no terminal[^]*--passphrase-file/,
      env: { MEDSEAL_PASSPHRASE_FILE: undefined },
    },
    { line: "keys card --as Ann --out Ann.card", exit: 2, says: /exists already/ },
  ],
  "a contact": [
    { line: "contacts add nobody.card --as Ann --yes", exit: 2, says: /cannot be read/ },
    { line: "contacts add Lee.card --as Ann", exit: 2, says: /no terminal[^]*--yes/ },
    { line: `contacts add ${RECORDING} --as Ann --yes`, exit: 1, says: /no contact card/ },
    { line: "contacts add forged.card --as Ann --yes", exit: 1, says: /not signed by the address/ },
    { line: "contacts add Gateway.card --name Lee --as Ann --yes", exit: 2, says: /another one as "Lee"/ },
    {
      line: grant(`--to Leo --data ${WINDOW} --until 7d`),
      exit: 2,
      says: /no contact is called "Leo"[^]*did you mean "Lee"/,
    },
  ],
  "a stream": [
    { line: "stream open heart-rate --code 8867-4 --unit /min --as Ann", exit: 2, says: /open already/ },
    { line: "stream open x --code 8867-4 --unit /min --epoch 7min --as Ann", exit: 2, says: /must divide a day/ },
    { line: "stream open x --unit /min --as Ann", exit: 2, says: /--code is missing/ },
    { line: "stream open --like missing.csv --as Ann", exit: 2, says: /missing\.csv|cannot be/ },
    { line: `stream open --like ${RECORDING} --as Ann`, exit: 2, says: /--start/ },
  ],
  "a consent": [
    {
      line: grant(`--to Lee --stream heart --data ${WINDOW} --until 7d`),
      exit: 2,
      says: /no stream is called "heart"/,
    },
    { line: grant(`--to Lee --data yesterday --until 7d`), exit: 2, says: /no window of time/ },
    {
      line: grant(`--to Lee --data 2026-03-01T08:00:30Z..2026-03-01T08:03:00Z --until 7d`),
      exit: 2,
      says: /08:01:00Z to [^ ]*08:03:00Z \(--round\), or [^ ]*08:00:00Z to/,
    },
    { line: grant(`--to Lee --data ${WINDOW} --until 2026-01-01`), exit: 2, says: /in the past/ },
    { line: grant(`--to Lee --data ${WINDOW} --until soon`), exit: 2, says: /no time/ },
    {
      line: grant(`--to Lee --data ${WINDOW} --until 7d --purpose TRAET`),
      exit: 2,
      says: /no purpose of use[^]*did you mean TREAT/,
    },
    { line: grant(`--to Lee --data ${WINDOW} --until 7d --action WRITE`), exit: 2, says: /no action to grant/ },
    {
      line: `consent grant --as Ann --to Lee --data ${WINDOW} --until 7d --out x.grant`,
      exit: 2,
      says: /no terminal[^]*--yes/,
    },
    {
      line: `consent grant --as Ann --to Lee --data ${WINDOW} --until 7d --out lee.grant --yes`,
      exit: 2,
      says: /exists already/,
    },
    { line: "consent grant --as Ann --request Ann.card --out x.grant --yes", exit: 1, says: /request is malformed/ },
    {
      line: "consent grant --as Gateway --request ann.request --out x.grant --yes",
      exit: 1,
      says: /sealed to somebody else/,
    },
    { line: "consent show --as Ann", exit: 2, says: /no consent is named/ },
    { line: "consent show --to Nobody --as Ann", exit: 2, says: /no such consent/ },
    { line: "consent revoke --to Lee --out lee.grant --yes --as Ann", exit: 2, says: /exists already/ },
    { line: "release --to Gateway --out x.mail --as Ann", exit: 2, says: /no consent lets them read or audit/ },
    { line: "release --to Eve --out x.mail --as Ann", exit: 2, says: /no such consent/ },
    { line: "gateway lease --to Lee --out x.lease --as Ann", exit: 2, says: /no consent lets them write/ },
    { line: `gateway confirm ${"0".repeat(64)} --as Ann`, exit: 2, says: /receipt belongs to no lease/ },
    { line: "gateway confirm Ann.card --as Ann", exit: 2, says: /no receipt/ },
  ],
  "a signed message": [
    { line: "relay Ann.card --as Relayer", exit: 1, says: /signed message is not valid/ },
    { line: "relay forged.grant --as Relayer", exit: 1, says: /signature|signed/ },
    { line: "relay unsent.grant --as Lee", exit: 1, says: /cannot pay[^]*fund/ },
    { line: "relay --as Relayer", exit: 2, says: /no file is named/ },
  ],
  "a gateway": [
    { line: "gateway accept gw.lease --as Lee", exit: 1, says: /for somebody else/ },
    { line: `gateway accept ${RECORDING} --as Gateway`, exit: 1, says: /mail is malformed/ },
    { line: `gateway post ${RECORDING} --as Gateway`, exit: 1, says: /mail is malformed/ },
    { line: `ingest ${RECORDING} --as Gateway`, exit: 2, says: /--start/ },
    { line: "ingest missing.csv --as Gateway", exit: 2, says: /no such file/ },
    {
      line: `ingest ${RECORDING} --start 2026-03-01T12:00:00Z --as Gateway`,
      exit: 2,
      says: /nothing of the recording was taken[^]*lease/,
    },
    { line: `ingest ${RECORDING} --start ${START} --as Lee`, exit: 2, says: /no lease is in force here/ },
    { line: `ingest ${RECORDING} --start tomorrow --as Gateway`, exit: 2, says: /start/ },
  ],
  "a reader": [
    { line: "read --stream heartrate --as Lee", exit: 3, says: /did you mean heart-rate/ },
    { line: "read --stream oxygen --as Lee", exit: 3, says: /nothing that was released/ },
    { line: "read --stream heart-rate --as Relayer", exit: 3, says: /medseal inbox/ },
    { line: "read --stream heart-rate --format xml --as Lee", exit: 2, says: /no format[^]*csv, ndjson or fhir/ },
    { line: "read --stream heart-rate --to 2026-03-01T09:00:00Z --as Lee", exit: 3, says: /does not permit/ },
    {
      line: "read --stream heart-rate --from 2026-03-01T08:03:00Z --to 2026-03-01T08:02:00Z --as Lee",
      exit: 2,
      says: /--to does not come after/,
    },
    { line: "read --stream heart-rate --purpose HRESCH --as Lee", exit: 3, says: /does not permit/ },
    { line: "inbox --gateway Gatway --as Lee", exit: 2, says: /did you mean "Gateway"/ },
    { line: "prove --stream heart-rate --at noon --as Lee", exit: 2, says: /no instant/ },
    {
      line: "prove --stream heart-rate --at 2026-03-01T08:02:00.5Z --as Lee",
      exit: 2,
      says: /no reading of this time/,
    },
    {
      line: "prove --stream heart-rate --at 2026-03-01T08:02:00Z --nth 2 --as Lee",
      exit: 2,
      says: /--nth is not 1 to 1/,
    },
    { line: "prove --stream heart-rate --at 2026-03-01T08:04:00Z --as Lee", exit: 3, says: /outside|cover|granted/ },
    { line: "verify --proof lee.grant", exit: 1, says: /proof is malformed/ },
    { line: "evidence verify Lee.card", exit: 1, says: /evidence is malformed/ },
    { line: "evidence export --stream heart-rate --out lee.grant --as Lee", exit: 2, says: /exists already/ },
    { line: "verify", exit: 2, says: /one of --gateway, --patient, --stream and --proof/ },
    { line: "verify --gateway 0x12", exit: 2, says: /no address/ },
    { line: `verify --gateway Gateway --batch ${"a".repeat(64)} --as Lee`, exit: 1, says: /is not anchored/ },
  ],
  "no chain, no store, another one": [
    { line: "consent list --as Ann", exit: 4, says: /chain cannot be reached/, env: { MEDSEAL_RPC: NOWHERE } },
    { line: `verify --gateway Gateway --as Lee`, exit: 4, says: /store|IPFS/, env: { MEDSEAL_IPFS: NOWHERE } },
    { line: "read --stream heart-rate --as Lee", exit: 4, says: /store|IPFS/, env: { MEDSEAL_IPFS: NOWHERE } },
    {
      line: `ingest ${RECORDING} --start ${START} --as Gateway`,
      exit: 4,
      says: /store|IPFS/,
      env: { MEDSEAL_IPFS: NOWHERE },
    },
    { line: "relay lee.grant --as Relayer", exit: 4, says: /chain/, env: { MEDSEAL_RPC: NOWHERE } },
    { line: "consent list --as Ann", exit: 2, says: /no chain is named[^]*medseal up/, env: { MEDSEAL_RPC: "" } },
    {
      line: "consent list --as Ann",
      exit: 2,
      says: /no deployment on chain \d+[^]*deploy/,
      env: { MEDSEAL_DEPLOYMENTS: "elsewhere" },
    },
    { line: "deploy", exit: 4, says: /chain cannot be reached/, env: { MEDSEAL_RPC: NOWHERE } },
    { line: "fund --as Ann", exit: 4, says: /chain/, env: { MEDSEAL_RPC: NOWHERE } },
  ],
  "the shell": [
    { line: "completion tcsh", exit: 2, says: /no completion for tcsh/ },
    { line: "up --rpc-port no", exit: 2, says: /no port/, env: { MEDSEAL_HOME: "another" } },
  ],
};

describe("the command line, tried wrong in every way that its help suggests", function () {
  this.timeout(300_000);
  let world: World;

  before(async () => {
    ({ world } = await sharedWard());
    await world.run(
      `consent request --to Ann --stream heart-rate --data ${HOUR} --until 7d --out ann.request --as Lee`,
    );
    const oxygen = `consent grant --to Lee --stream oxygen --data ${WINDOW} --until 7d --out unsent.grant --yes --as Ann`;
    await world.run(oxygen);
    const write = (name: string, text: string, mode = 0o600): Promise<void> =>
      writeFile(world.path(name), text, { mode });
    await write("short", "abc\n");
    await write("wrong", "four plain words there\n");
    await copyFile(world.path("pass"), world.path("open"));
    await chmod(world.path("open"), 0o644);
    await write("forged.card", (await readFile(world.path("Lee.card"), "utf8")).replace('"Lee"', '"Ann"'));
    const signed = JSON.parse(await readFile(world.path("lee.grant"), "utf8")) as { deadline: number };
    await write("forged.grant", JSON.stringify({ ...signed, deadline: signed.deadline + 1 }));
  });

  for (const [what, tries] of Object.entries(TRIES)) {
    it(`${what}: ${tries.length} ways`, async () => {
      const before = await held(world);
      const results: { attempt: Try; ran: Ran }[] = [];
      for (const attempt of tries) results.push({ attempt, ran: await world.try(attempt.line, attempt.env) });
      for (const { attempt, ran } of results) console.log(`      ${row(attempt, ran)}`);
      for (const { attempt, ran } of results) {
        const { line, exit, says } = attempt;
        expect(ran.exit, `${line}: ${ran.err}`).to.equal(exit);
        expect(ran.err, line).to.match(says);
        expect(ran.err, line)
          .to.match(/^error: /m)
          .and.not.match(/^ +at /m);
        if (!line.startsWith("ingest")) expect(ran.out, line).to.equal("");
      }
      expect(await held(world), "what the identities keep").to.deep.equal(before);
    });
  }
});

const row = ({ line, env = {} }: Try, { exit, err }: Ran): string => {
  const set = Object.entries(env).map(([name, value]) => `${name}=${value ?? ""} `);
  const said = /^error: (.*)$/m.exec(err)?.[1] ?? "";
  return `${exit}  ${set.join("")}medseal ${line}\n           ${said}`;
};

/** Names of the files of every identity, and digests of the vaults. */
async function held(world: World): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(world.path("home"), { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (path.includes("/.world/") || path.includes("/.ipfs") || !entry.isFile()) continue;
    if (/sqlite|lock$/.test(entry.name)) continue;
    found[path] = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  }
  return found;
}
