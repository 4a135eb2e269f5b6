import { scrypt } from "node:crypto";
import { utf8 } from "../bytes/bytes.ts";
import { random, type Random } from "../bytes/random.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { EXIT, MedSealError, UsageError } from "../errors.ts";
import { open, seal, SEAL_OVERHEAD, SealCommitmentError } from "./seal.ts";

const FORMAT = "passphrase-sealed file";
const NAME = utf8("medseal/passphrase/1\n");
const SALT_SIZE = 32;
const MAX_MEMORY = 256 * 1024 * 1024;

/** Cost of scrypt (RFC 7914): N = 2^logN, block size r, parallelisation p. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 128 MiB and some tenths of a second a guess. */
export const DEFAULT_COST: ScryptCost = { logN: 17, r: 8, p: 1 };

/** Another passphrase, or the salt or cost in the file was altered. */
export class PassphraseError extends MedSealError {
  readonly code = "ERR_PASSPHRASE";
  override readonly exit = EXIT.notPermitted;

  constructor() {
    super("the passphrase does not open this file", { hint: "check the passphrase, and that this is the right file" });
  }
}

/** A passphrase stretched for one purpose, cost and salt: opens the file it was made for, and seals what replaces it. */
export class PassphraseKey {
  readonly #key: Uint8Array;
  readonly #header: Uint8Array;

  private constructor(key: Uint8Array, header: Uint8Array) {
    this.#key = key;
    this.#header = header;
  }

  /**
   * For a new file.
   *
   * @param purpose - What is inside, "vault" for one; stands in the file and is authenticated.
   * @throws UsageError for an empty passphrase.
   */
  static async make(
    passphrase: string,
    purpose: string,
    { cost = DEFAULT_COST, bytes = random }: { cost?: ScryptCost; bytes?: Random } = {},
  ): Promise<PassphraseKey> {
    const problem = problemOf(cost);
    if (problem !== undefined) throw new RangeError(problem);
    const salt = bytes(SALT_SIZE);
    const header = new ByteWriter()
      .raw(NAME)
      .text(purpose)
      .uint(cost.logN, 1)
      .uint(cost.r, 1)
      .uint(cost.p, 1)
      .fixed(salt, SALT_SIZE)
      .finish();
    return new PassphraseKey(await stretch(passphrase, salt, cost), header);
  }

  /**
   * For a file that is there, at its cost and salt.
   *
   * @throws MalformedError for a file of another format or purpose, or of a cost that would exhaust memory.
   */
  static async of(passphrase: string, purpose: string, file: Uint8Array): Promise<PassphraseKey> {
    const reader = new ByteReader(file, FORMAT)
      .expect(NAME, "name and version")
      .expect(new ByteWriter().text(purpose).finish(), "purpose");
    const cost = { logN: reader.uint(1), r: reader.uint(1), p: reader.uint(1) };
    const problem = problemOf(cost);
    if (problem !== undefined) reader.fail(problem);
    const salt = reader.fixed(SALT_SIZE);
    const header = file.slice(0, reader.offset);
    if (reader.left < SEAL_OVERHEAD) reader.fail("sealed block expected");
    return new PassphraseKey(await stretch(passphrase, salt, cost), header);
  }

  /** Header with cost and salt ‖ sealed block; docs/formats.md, "Passphrase". The plaintext is padded by the caller; its length shows. */
  seal(plaintext: Uint8Array): Uint8Array {
    return new ByteWriter()
      .raw(this.#header)
      .raw(seal(this.#key, this.#header, plaintext))
      .finish();
  }

  /** @throws PassphraseError for a wrong passphrase, SealAlteredError when the content was altered. */
  open(file: Uint8Array): Uint8Array {
    try {
      return open(this.#key, this.#header, file.slice(this.#header.length));
    } catch (error) {
      throw error instanceof SealCommitmentError ? new PassphraseError() : error;
    }
  }
}

/** Seals a plaintext under a passphrase, in a file of its own. */
export const sealWithPassphrase = async (
  passphrase: string,
  purpose: string,
  plaintext: Uint8Array,
  options: { cost?: ScryptCost; bytes?: Random } = {},
): Promise<Uint8Array> => (await PassphraseKey.make(passphrase, purpose, options)).seal(plaintext);

/** Opens what `sealWithPassphrase` made. */
export const openWithPassphrase = async (passphrase: string, purpose: string, file: Uint8Array): Promise<Uint8Array> =>
  (await PassphraseKey.of(passphrase, purpose, file)).open(file);

/** Bounds what a file may ask of the machine that opens it: 256 MiB, and eight times the default's work. */
function problemOf({ logN, r, p }: ScryptCost): string | undefined {
  if (![logN, r, p].every(Number.isInteger)) return "scrypt cost is not whole";
  if (logN < 10 || logN > 20 || r < 1 || r > 32 || p < 1 || p > 4) return "scrypt cost out of bounds";
  return 128 * 2 ** logN * r > MAX_MEMORY ? "scrypt cost takes more than 256 MiB" : undefined;
}

/** Passphrases that look the same are the same: Unicode NFC, as RFC 8265 has it. */
function stretch(passphrase: string, salt: Uint8Array, { logN, r, p }: ScryptCost): Promise<Uint8Array> {
  if (passphrase === "") throw new UsageError("the passphrase is empty");
  const options = { N: 2 ** logN, r, p, maxmem: 128 * r * (2 ** logN + p + 2) + 1024 * 1024 };
  return new Promise((resolve, reject) =>
    scrypt(utf8(passphrase.normalize("NFC")), salt, 32, options, (error, key) =>
      error === null ? resolve(new Uint8Array(key)) : reject(error),
    ),
  );
}
