import { utf8 } from "../bytes/bytes.ts";
import type { ActionName } from "../consent/actions.ts";
import type { Hex } from "../consent/consent.ts";
import type { Recipient } from "../envelope/envelope.ts";
import { UsageError } from "../errors.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import { WindowError } from "./errors.ts";

/** A grantee or gateway as the patient knows them. */
export interface Party {
  readonly name: string;
  readonly address: Hex;
  readonly recipient: Recipient;
}

/** What a consent is to say; times in Unix seconds. */
export interface ConsentTerms {
  readonly to: Party;
  /** Names of streams in the vault. */
  readonly streams: readonly string[];
  readonly actions: readonly ActionName[];
  readonly purpose: string;
  readonly dataStart: number;
  readonly dataEnd: number;
  readonly periodStart: number;
  readonly periodEnd: number;
}

/** @throws UsageError when a text is empty or longer than the formats have room for. */
export function checkName(text: string): void {
  const { length } = utf8(text);
  if (length === 0 || length > 255) throw new UsageError("a name has 1 to 255 bytes of UTF-8");
}

/** @throws WindowError with the two nearest windows on epoch bounds. */
export function checkWindow(
  stream: StreamDescriptor,
  { dataStart, dataEnd }: Pick<ConsentTerms, "dataStart" | "dataEnd">,
): void {
  const length = stream.epochLength;
  if (dataStart % length === 0 && dataEnd % length === 0) return;
  const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  const down = (seconds: number): number => seconds - (seconds % length);
  const up = (seconds: number): number => down(seconds + length - 1);
  const inner = `${iso(up(dataStart))} to ${iso(down(dataEnd))}`;
  const outer = `${iso(down(dataStart))} to ${iso(up(dataEnd))}`;
  throw new WindowError(`the window does not start and end on bounds of ${length} s epochs`, {
    hint: `take ${inner}, or ${outer}`,
  });
}
