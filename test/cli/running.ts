import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../../scripts/world/anvil.ts";
import { CLI, type World } from "./world.ts";

interface Logged {
  readonly event: string;
  readonly code?: string;
}

/** How a gateway is to run. */
export interface GatewayWay {
  /** `NAME:DEVICE,…` */
  readonly source: string;
  /** Cadences of sealing and of anchoring; a second without them. */
  readonly seal?: string;
  readonly anchor?: string;
  /** Further members of its configuration. */
  readonly settings?: object;
  /** Where a monitor beside it listens. */
  readonly monitor?: string;
  /** Beside the world's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Words of a command before it, such as one that keeps it on some cores. */
  readonly before?: readonly string[];
}

/** `medseal gateway run` in a process of its own. */
export class RunningGateway {
  readonly #world: World;
  readonly config: string;
  readonly #way: GatewayWay;
  #child: ChildProcess | undefined;
  #ports = { feed: 0, http: 0 };
  stderr = "";

  private constructor(world: World, way: GatewayWay) {
    this.#world = world;
    this.#way = way;
    this.config = world.path("gateway/gateway.json");
  }

  static async init(world: World, way: GatewayWay): Promise<RunningGateway> {
    const { source, seal = "1s", anchor = "1s", settings, monitor } = way;
    const gateway = new RunningGateway(world, way);
    world.endsWith(() => gateway.kill());
    await mkdir(world.path("gateway"), { mode: 0o700 });
    await world.run(
      `gateway init --config ${gateway.config} --source ${source} --trial --seal ${seal} --anchor ${anchor} --feed 127.0.0.1:0 --http 127.0.0.1:${await freePort()} ${monitor === undefined ? "" : `--monitor ${monitor} `}--as Gateway`,
    );
    if (settings) {
      const config = JSON.parse(await readFile(gateway.config, "utf8")) as object;
      await writeFile(gateway.config, JSON.stringify({ ...config, ...settings }));
    }
    return gateway;
  }

  get feedPort(): number {
    return this.#ports.feed;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  spool(file: string): string {
    return join(this.#world.path("gateway/spool"), file);
  }

  async credential(source: string): Promise<string> {
    return (await readFile(this.#world.path(`gateway/${source}.credential`), "utf8")).trim();
  }

  /** @param env - Beside the world's and its own. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { MEDSEAL_HOME: _home, MEDSEAL_AS: _as, ...rest } = process.env;
    const words = [process.execPath, CLI, "gateway", "run", "--config", this.config, "--as", "Gateway", "--json"];
    const [command = "", ...args] = [...(this.#way.before ?? []), ...words];
    const child = spawn(command, args, {
      cwd: this.#world.folder,
      env: { ...rest, ...this.#world.env, ...this.#way.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    const out = await new Promise<string>((said, failed) => {
      child.stdout.setEncoding("utf8").once("data", said);
      child.once("close", (code) => failed(new Error(`the gateway ended with ${code}: ${this.stderr.slice(-2000)}`)));
    });
    this.#ports = JSON.parse(out) as { feed: number; http: number };
  }

  /** @returns its exit code. */
  async stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    child.kill(signal);
    const [code] = (await once(child, "close")) as [number | null];
    return code;
  }

  log(event: string): Logged[] {
    const lines = this.stderr.split("\n").filter((line) => line.startsWith("{"));
    return lines.map((line) => JSON.parse(line) as Logged).filter((one) => one.event === event);
  }

  async page(path: string): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#ports.http}${path}`)).text();
  }

  async until(done: () => Promise<boolean>, patience = 180_000): Promise<void> {
    for (const end = Date.now() + patience; !(await done()); await pause(50))
      if (Date.now() > end) throw new Error(`it did not come to that: ${this.stderr.slice(-2000)}`);
  }
}
