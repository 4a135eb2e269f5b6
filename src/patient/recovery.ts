import { concat, hex, utf8 } from "../bytes/bytes.ts";
import { random, type Random } from "../bytes/random.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import { openWith, sealTo, type HpkeKeyPair, type KemId } from "../seal/hpke.ts";
import type { Generation } from "./state.ts";

const MAGIC = utf8("medseal/recovery/1\n");

/** Where recovery boxes lie: a store that can delete, never public IPFS. */
export interface BoxStore {
  /** Durable when the promise resolves. */
  put(name: string, box: Uint8Array): Promise<void>;
}

/** Keeps the roots of a generation for the day the vault is lost. */
export interface RecoveryStore {
  store(stream: StreamDescriptor, generation: Pick<Generation, "number" | "dataRoot" | "auditRoot">): Promise<void>;
}

/** What a recovery box gives back. */
export interface RecoveredRoots {
  readonly stream: Uint8Array;
  readonly generation: number;
  readonly dataRoot: Uint8Array;
  readonly auditRoot: Uint8Array;
}

/** Seals each generation's roots to recovery key `version` (HPKE) and stores the box before anybody uses the roots. */
export function recoveryStore(
  boxes: BoxStore,
  key: { kem: KemId; publicKey: Uint8Array; version: number },
  rand: Random = random,
): RecoveryStore {
  return {
    async store(stream, { number, dataRoot, auditRoot }) {
      const head = new ByteWriter().raw(MAGIC).uint(key.version, 4).uint(key.kem, 2).finish();
      const roots = new ByteWriter()
        .fixed(stream.id, 32)
        .uint(number, 4)
        .fixed(dataRoot, 32)
        .fixed(auditRoot, 32)
        .finish();
      const { enc, ciphertext } = await sealTo(key.kem, key.publicKey, MAGIC, head, roots, rand);
      const box = concat(head, new ByteWriter().sized(enc, 2).finish(), ciphertext);
      // The name is random: a folder of boxes does not say which belong together.
      await boxes.put(`${hex(rand(16))}.box`, box);
    },
  };
}

/** @throws MalformedError, or the HPKE layer's error when it was sealed to another recovery key. */
export async function openRecoveryBox(box: Uint8Array, keys: HpkeKeyPair): Promise<RecoveredRoots> {
  const reader = new ByteReader(box, "recovery box").expect(MAGIC, "name and version 1");
  const version = reader.uint(4);
  const kem = reader.uint(2);
  const head = new ByteWriter().raw(MAGIC).uint(version, 4).uint(kem, 2).finish();
  const enc = reader.sized(2);
  const roots = new ByteReader(await openWith(keys, enc, MAGIC, head, reader.fixed(reader.left)), "recovery box");
  const recovered = {
    stream: roots.fixed(32),
    generation: roots.uint(4),
    dataRoot: roots.fixed(32),
    auditRoot: roots.fixed(32),
  };
  roots.end();
  return recovered;
}
