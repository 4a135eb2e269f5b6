/** What may stand in a log: counts, times in seconds, names from the configuration, codes. Neither readings nor keys fit its types' names. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export type LogLevel = "info" | "warn" | "error";

/** Tells of an event in one line of JSON. Events have fixed names; see docs/gateway.md, "Logs". */
export type Log = (level: LogLevel, event: string, fields?: Fields) => void;

export const jsonLog =
  (write: (line: string) => void, now: () => Date = () => new Date()): Log =>
  (level, event, fields = {}) =>
    write(JSON.stringify({ time: now().toISOString(), level, event, ...fields }));
