import { utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { deviceIdOf } from "./signature.ts";

const ENROLL_LABEL = utf8("medseal/v1/enroll");
const SERIAL_LABEL = utf8("medseal/v1/serial");
const NO_PREDECESSOR = new Uint8Array(32);

/** What a device's key is enrolled with, and where. */
export interface Enrollment {
  /** EIP-155 chain id, below 2^64. */
  readonly chainId: bigint;
  /** Address of DeviceRegistry, 20 bytes. */
  readonly registry: Uint8Array;
  /** P-256, compressed or uncompressed. */
  readonly publicKey: Uint8Array;
  /** Opaque id of the model, 32 bytes. */
  readonly modelId: Uint8Array;
  /** See `serialCommitment`. */
  readonly serialCommitment: Uint8Array;
  /** Address of the organisation that answers for the device, 20 bytes. */
  readonly custodian: Uint8Array;
  /** Id of the device that it takes over from, when its key is rotated. */
  readonly predecessorId?: Uint8Array;
}

/** What a device signs to show that it holds its key; the twin of `DeviceRegistry.enrollmentDigestOf`. See docs/formats.md, section 10. */
export function enrollmentDigest(enrollment: Enrollment): Uint8Array {
  return sha256(
    new ByteWriter()
      .raw(ENROLL_LABEL)
      .uint(enrollment.chainId, 8)
      .fixed(enrollment.registry, 20)
      .fixed(deviceIdOf(enrollment.publicKey), 32)
      .fixed(enrollment.modelId, 32)
      .fixed(enrollment.serialCommitment, 32)
      .fixed(enrollment.custodian, 20)
      .fixed(enrollment.predecessorId ?? NO_PREDECESSOR, 32)
      .finish(),
  );
}

/**
 * Commitment to a serial number, which alone would be guessed in no time.
 *
 * @param salt - 32 random bytes; whoever is to check the commitment needs them.
 */
export const serialCommitment = (serial: string, salt: Uint8Array): Uint8Array =>
  sha256(new ByteWriter().raw(SERIAL_LABEL).fixed(salt, 32).raw(utf8(serial)).finish());
