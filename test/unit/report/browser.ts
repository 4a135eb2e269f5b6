import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser at hand, or undefined. `MEDSEAL_CHROMIUM` names another one. */
export const chromiumPath = (): string | undefined =>
  [process.env["MEDSEAL_CHROMIUM"] ?? "", ...CANDIDATES].find((path) => path !== "" && existsSync(path));

type Answer = Record<string, unknown>;

interface Event {
  readonly method: string;
  readonly params: Answer;
}

/** A page of its own. */
export interface Page {
  /** What it told, such as `Network.requestWillBeSent`; other pages' late words are not among it. */
  readonly events: Event[];
  /** Sends it a command. */
  readonly send: (method: string, params?: object) => Promise<Answer>;
}

/** Headless Chromium over its debugging pipe: no port, and no package. */
export class Browser {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<number, { done: (answer: Answer) => void; failed: (error: Error) => void }>();
  /** Where each page puts what it tells, by its session. */
  readonly #told = new Map<string, Event[]>();
  #next = 1;

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    let rest = "";
    (child.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop() ?? "";
      for (const message of messages) this.#take(JSON.parse(message) as Answer);
    });
    child.once("exit", () => {
      for (const { failed } of this.#waiting.values()) failed(new Error("the browser has ended"));
    });
    (child.stdio[3] as Writable).on("error", () => undefined);
  }

  static async open(path: string): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), "medseal-browser-"));
    const off = ["quic", "gpu", "background-networking", "component-update", "sync", "extensions", "dev-shm-usage"];
    const flags = ["--headless", "--no-sandbox", "--no-first-run", ...off.map((one) => `--disable-${one}`)];
    const args = [...flags, "--hide-scrollbars", "--remote-debugging-pipe", `--user-data-dir=${profile}`];
    const child = spawn(path, args, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    return new Browser(child, profile);
  }

  async page(): Promise<Page> {
    const { targetId } = await this.#send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.#send("Target.attachToTarget", { targetId, flatten: true });
    const send = (method: string, params: object = {}): Promise<Answer> =>
      this.#send(method, params, sessionId as string);
    const events: Event[] = [];
    this.#told.set(sessionId as string, events);
    for (const domain of ["Page", "Network", "Runtime", "Log", "Accessibility"]) await send(`${domain}.enable`);
    await send("Page.setLifecycleEventsEnabled", { enabled: true });
    return { events, send };
  }

  #send(method: string, params: object = {}, sessionId?: string): Promise<Answer> {
    const id = this.#next++;
    const message = { id, method, params, ...(sessionId === undefined ? {} : { sessionId }) };
    return new Promise((done, failed) => {
      this.#waiting.set(id, { done, failed });
      (this.#child.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    });
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.#child.once("exit", done));
    await Promise.race([this.#send("Browser.close").catch(() => undefined), ended]);
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #take(message: Answer): void {
    const { id, result, error, method, params, sessionId } = message;
    const waiting = this.#waiting.get(id as number);
    if (method !== undefined)
      this.#told.get(sessionId as string)?.push({ method: method as string, params: params as Answer });
    if (waiting === undefined) return;
    this.#waiting.delete(id as number);
    if (error === undefined) waiting.done(result as Answer);
    else waiting.failed(new Error((error as { message: string }).message));
  }
}
