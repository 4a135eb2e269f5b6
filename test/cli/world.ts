import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { slugOf } from "../../scripts/cli/home.ts";
import { freshVault, type Vault } from "../../scripts/cli/vault.ts";
import { newPhrase } from "../../src/chain/wallet.ts";
import type { Notice } from "../../src/monitor/notice.ts";
import { passphraseStore, type StateStore } from "../../src/state/store.ts";
import { Turns } from "./turns.ts";

export const CLI = resolve(import.meta.dirname, "../../scripts/cli.ts");

const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");

/** Of scrypt: a thousandth of what a vault costs otherwise. */
const CHEAP = { logN: 10, r: 1, p: 1 };

const vaultIn = (folder: string, passphrase: string): StateStore<Vault> =>
  passphraseStore<Vault>(join(folder, "vault"), "medseal/vault/1", passphrase, CHEAP);

export interface Ran {
  /** Exit code, or the signal that ended it. */
  readonly exit: number | string;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface Running {
  kill(signal: NodeJS.Signals): void;
  readonly pid: number;
  readonly done: Promise<Ran>;
  readonly stdin: Writable;
  /** What it wrote to stderr, and to stdout, so far. */
  said(): string;
  shown(): string;
}

/** Where chain and store are, in the environment of a command. */
export interface Place {
  readonly MEDSEAL_RPC: string;
  readonly MEDSEAL_IPFS: string;
  readonly MEDSEAL_DEPLOYMENTS: string;
}

/** A folder with a home, a passphrase and a running world; commands run in it as processes of their own, unless told otherwise. */
export class World {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly #inTurn: boolean;
  /** Of its own. */
  #isRunning = false;
  #turns: Turns | undefined;
  readonly #ends: (() => Promise<unknown>)[] = [];

  private constructor(folder: string, env: Record<string, string>, inTurn: boolean) {
    this.folder = folder;
    this.env = env;
    this.#inTurn = inTurn;
  }

  /**
   * @param running - Without it there is neither chain nor store; with a place, they are somebody else's.
   * @param inTurn - Commands that are waited for run one after the other in one process, which takes a tenth of the time.
   */
  static async open(running: boolean | Place, { inTurn = false } = {}): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "medseal-cli-"));
    await mkdir(join(folder, "home"), { mode: 0o700 });
    await writeFile(join(folder, "pass"), "four plain words here\n", { mode: 0o600 });
    const env = { MEDSEAL_HOME: join(folder, "home"), MEDSEAL_PASSPHRASE_FILE: join(folder, "pass"), TZ: "UTC" };
    const world = new World(folder, env, inTurn);
    if (running !== true) {
      Object.assign(env, running || {});
      return world;
    }
    // In processes of their own: one leaves another behind, one takes a tool with locks of its own.
    const ready = printed("up", await world.start("up --background --rpc-port 0 --ipfs-port 0 --json").done);
    world.#isRunning = true;
    const { MEDSEAL_RPC, MEDSEAL_IPFS, MEDSEAL_DEPLOYMENTS } = JSON.parse(ready) as Place;
    Object.assign(env, { MEDSEAL_RPC, MEDSEAL_IPFS, MEDSEAL_DEPLOYMENTS });
    printed("deploy", await world.start("deploy").done);
    return world;
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  /** Words are parted by spaces, and by the quotes of a shell kept together. */
  try(line: string, env: Record<string, string | undefined> = {}): Promise<Ran> {
    return this.#inTurn ? this.#turn(line, env) : this.start(line, env).done;
  }

  /** Started as a process of its own, and not waited for. @param fed - Its stdin stays open. */
  start(line: string, env: Record<string, string | undefined> = {}, fed = false): Running {
    return this.#spawn([CLI, ...wordsOf(line)], env, fed);
  }

  /** Another program of the project, by its path there. */
  program(script: string, line: string): Running {
    return this.#spawn([resolve(import.meta.dirname, "../..", script), ...wordsOf(line)], {}, false);
  }

  #spawn(args: readonly string[], env: Record<string, string | undefined>, fed: boolean): Running {
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      env: this.#environment(env),
      stdio: ["pipe", "pipe", "pipe"],
    });
    if (!fed) child.stdin.end();
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    const done = new Promise<Ran>((ended) =>
      child.once("close", (code, signal) => ended({ exit: code ?? signal ?? "", out, err })),
    );
    return {
      kill: (signal) => void child.kill(signal),
      pid: child.pid as number,
      done,
      stdin: child.stdin,
      said: () => err,
      shown: () => out,
    };
  }

  /** Commands one after the other in one process: what each printed, and how it ended. */
  async tryInTurn(lines: readonly string[]): Promise<readonly Ran[]> {
    const ran: Ran[] = [];
    for (const line of lines) ran.push(await this.#turn(line, {}));
    return ran;
  }

  #turn(line: string, env: Record<string, string | undefined>): Promise<Ran> {
    this.#turns ??= new Turns(this.folder, this.#environment({}));
    return this.#turns.run({ words: wordsOf(line), env: { ...this.env, ...env } });
  }

  #environment(more: Record<string, string | undefined>): Record<string, string | undefined> {
    const { MEDSEAL_HOME: _home, MEDSEAL_AS: _as, MEDSEAL_RPC: _rpc, MEDSEAL_IPFS: _ipfs, ...rest } = process.env;
    return { ...rest, ...this.env, ...more };
  }

  /** A new identity as `keys new` makes it, but for its vault's cost: each command opens it. */
  async identity(name: string, env: Record<string, string> = {}): Promise<void> {
    const { folder, passphrase } = await this.#placeOf(name, env);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await vaultIn(folder, passphrase).save(await freshVault(name, newPhrase()));
  }

  /** Makes the vault of one that `keys new` has made cheap to open from now on. */
  async cheapen(name: string): Promise<void> {
    const { folder, passphrase } = await this.#placeOf(name, {});
    const vault = await vaultIn(folder, passphrase).load();
    if (!vault) throw new Error(`${name} has no vault`);
    await vaultIn(folder, passphrase).save(vault);
  }

  async #placeOf(name: string, env: Record<string, string>): Promise<{ folder: string; passphrase: string }> {
    const all = { ...this.env, ...env };
    const passphrase = (await readFile(all["MEDSEAL_PASSPHRASE_FILE"] as string, "utf8")).trim();
    return { folder: join(all["MEDSEAL_HOME"] as string, slugOf(name)), passphrase };
  }

  /** What it printed. @throws Error when it fails. */
  async run(line: string): Promise<string> {
    return printed(line, await this.try(line));
  }

  async json(line: string): Promise<unknown> {
    return JSON.parse(await this.run(`${line} --json`));
  }

  /** What is to end with this world, also where a test's set-up fails. */
  endsWith(work: () => Promise<unknown>): void {
    this.#ends.push(work);
  }

  async close(): Promise<void> {
    for (const work of this.#ends) await work();
    await this.#turns?.end();
    if (this.#isRunning) printed("down", await this.start("down").done);
    await rm(this.folder, { recursive: true, force: true });
  }
}

function printed(line: string, { exit, out, err }: Ran): string {
  if (exit !== 0) throw new Error(`medseal ${line} ended with ${exit}: ${err}`);
  return out;
}

/** Those that a monitor has written down, or printed, by now; not one of which only the beginning is there. */
export const noticesIn = (text: string): Notice[] =>
  text
    .split("\n")
    .slice(0, -1)
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Notice);

export const RECORDING = "recording.csv";
/** Where the recording begins, and an hour around it. */
export const START = "2026-03-01T08:00:00Z";
export const HOUR = "2026-03-01T08:00:00Z..2026-03-01T09:00:00Z";

/** Ann, a gateway that recorded for her, and Dr Lee who was granted three minutes of her heart rate and has found them. @param ready - Called before anything is recorded. */
export async function wardOf(world: World, ready = (): Promise<void> => Promise.resolve()): Promise<void> {
  const rows = Array.from({ length: 300 }, (_, i) => `${i},${70 + (i % 9)},${96 + (i % 3)}`);
  await writeFile(world.path(RECORDING), ["Time [s], HR, SpO2", ...rows, ""].join("\n"));
  for (const name of ["Ann", "Gateway", "Lee", "Relayer"]) await world.identity(name);
  for (const name of ["Ann", "Gateway", "Lee"]) await world.run(`keys card --as ${name} --out ${name}.card`);
  for (const name of ["Gateway", "Lee"]) await world.run(`contacts add ${name}.card --as Ann --yes`);
  for (const name of ["Gateway", "Ann"]) await world.run(`contacts add ${name}.card --as Lee --yes`);
  await world.run("contacts add Ann.card --as Gateway --yes");
  for (const name of ["Gateway", "Relayer"]) await world.run(`fund --as ${name}`);
  await world.run("stream open heart-rate --code 8867-4 --unit /min --epoch 1min --as Ann");
  await world.run("stream open oxygen --code 59408-5 --unit % --epoch 1min --as Ann");
  await world.run(`gateway authorize --to Gateway --data ${HOUR} --until 7d --out gw.grant --yes --as Ann`);
  const window = "2026-03-01T08:01:00Z..2026-03-01T08:04:00Z";
  await world.run(
    `consent grant --to Lee --stream heart-rate --data ${window} --until 7d --out lee.grant --yes --as Ann`,
  );
  await world.run("relay gw.grant lee.grant --wait --as Relayer");
  await world.run("gateway lease --to Gateway --out gw.lease --as Ann");
  await world.run("gateway accept gw.lease --out gw.receipt --as Gateway");
  await world.run("gateway confirm gw.receipt --as Ann");
  await world.run("release --to Lee --out lee.mail --as Ann");
  await world.run("gateway post lee.mail --as Gateway");
  await ready();
  await world.run(`ingest ${RECORDING} --start ${START} --as Gateway`);
  await world.run("inbox --gateway Gateway --as Lee");
}
