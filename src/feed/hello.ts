/** Milliseconds that the other side of a connection has to say who it is. */
export const PATIENCE = 10_000;

/** What the first line of a connection says. */
export interface Hello {
  readonly feed: unknown;
  readonly credential: string;
  readonly [member: string]: unknown;
}

/** What is no hello is turned away like a wrong credential. */
export function helloIn(line: Buffer): Hello {
  try {
    const { credential, ...more } = JSON.parse(line.toString("utf8")) as Record<string, unknown>;
    return { feed: undefined, ...more, credential: typeof credential === "string" ? credential : "" };
  } catch {
    return { feed: undefined, credential: "" };
  }
}
