import { connect, type Socket } from "node:net";
import { EXIT, MedSealError } from "../errors.ts";
import { PATIENCE } from "./hello.ts";
import { LineSplitter } from "./lines.ts";
import type { Listen } from "./listen.ts";
import { LONGEST_LINE, MONITOR_PROTOCOL } from "./monitor-lines.ts";

/** Why the monitor does not get readings now: nobody is there, or it does not want them, or it does not keep to the protocol. */
export type LinkTrouble = "ERR_MONITOR_AWAY" | "ERR_CREDENTIAL" | "ERR_BUSY" | "ERR_PROTOCOL";

/** The monitor beside the gateway does not take readings. */
export class MonitorLinkError extends MedSealError {
  readonly code: LinkTrouble;
  override readonly exit = EXIT.unavailable;

  constructor(code: LinkTrouble, cause?: unknown) {
    super("the monitor does not take readings", { hint: "look whether medseal monitor --listen runs", cause });
    this.code = code;
  }
}

export interface LinkOptions {
  readonly at: Listen;
  readonly credential: string;
  /** Names the gateway's journal: places of another one are others. */
  readonly journal: string;
  /** Ends the connection. */
  readonly stop?: AbortSignal;
}

/** A gateway's connection to its monitor. */
export class MonitorLink {
  readonly #socket: Socket;
  readonly #lines = new LineSplitter(LONGEST_LINE);
  #error: MonitorLinkError | undefined;
  #isWelcome = false;
  #changed: () => void = () => undefined;
  /** The first place behind all that was sent. */
  sent = 0;
  /** The first place that the monitor has not durably taken. */
  taken = 0;
  /** The addresses of those whose readings it watches. */
  patients: ReadonlySet<string> = new Set();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", (cause) => this.#fail("ERR_MONITOR_AWAY", cause));
    socket.on("close", () => this.#fail("ERR_MONITOR_AWAY"));
    socket.on("data", (piece: Buffer) => this.#read(piece));
    socket.on("drain", () => this.#changed());
  }

  /** @throws MonitorLinkError. */
  static async open({ at, credential, journal, stop }: LinkOptions): Promise<MonitorLink> {
    const link = new MonitorLink(connect({ ...at, noDelay: true, ...(stop ? { signal: stop } : {}) }));
    const impatience = setTimeout(() => link.#fail("ERR_PROTOCOL"), PATIENCE);
    link.#socket.write(`${JSON.stringify({ feed: MONITOR_PROTOCOL, credential, journal })}\n`);
    while (!link.#isWelcome && !link.#error) await new Promise<void>((changed) => link.onChange(changed));
    clearTimeout(impatience);
    if (link.#error) throw link.#error;
    return link;
  }

  /** Told of what changes: what was taken, room for more, the end. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  /** What went wrong, once it did. */
  get error(): MonitorLinkError | undefined {
    return this.#error;
  }

  /** Whether the other side has read so much that more may be sent. */
  get hasRoom(): boolean {
    return !this.#socket.writableNeedDrain;
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(piece: Buffer): void {
    if (this.#error) return;
    const lines = this.#lines.push(piece);
    if (!lines) return this.#fail("ERR_PROTOCOL");
    for (const line of lines) if (!this.#hear(line)) return this.#fail("ERR_PROTOCOL");
    this.#changed();
  }

  /** @returns whether it is what a monitor says. */
  #hear(line: Buffer): boolean {
    const { feed, taken, patients, code } = said(line);
    if (code === "ERR_CREDENTIAL" || code === "ERR_BUSY") {
      this.#fail(code);
      return true;
    }
    if (!Number.isSafeInteger(taken)) return false;
    if (!this.#isWelcome) {
      if (feed !== MONITOR_PROTOCOL || !Array.isArray(patients)) return false;
      this.patients = new Set(patients.filter((one) => typeof one === "string"));
      this.#isWelcome = true;
      this.sent = taken as number;
    } else if ((taken as number) < this.taken || (taken as number) > this.sent) return false;
    this.taken = taken as number;
    return true;
  }

  #fail(code: LinkTrouble, cause?: unknown): void {
    if (!this.#error) {
      this.#error = new MonitorLinkError(code, cause);
      this.#socket.destroy();
    }
    this.#changed();
  }
}

function said(line: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
