import type { Signer } from "ethers";
import { network } from "hardhat";
import { deployDevices, newDevice, newDigest, newTerms } from "../../test/contracts/devices.ts";
import { under, type Rules } from "./rules.ts";
import { CHANGED_SLOT, log, measure, NEW_SLOT, READ_SLOT, word, type GasRow } from "./floor.ts";

type DeviceFunction =
  "enroll" | "suspend" | "resume" | "retire" | "rotate" | "recall" | "offerCustody" | "acceptCustody" | "verifyBatch";

export type DeviceRows = Readonly<Record<`DeviceRegistry.${DeviceFunction}`, GasRow>>;

/** What verifying costs where OpenZeppelin does it in Solidity, and how many times the gas with the precompile. */
export type WithoutPrecompile = Readonly<
  Record<`DeviceRegistry.${"enroll" | "rotate" | "verifyBatch"}`, { readonly gas: number; readonly times: number }>
>;

// EIP-7951 for P-256; the Yellow Paper's for SHA-256; EIP-2929 for the first look at another account; EIP-3529 for what is given back.
const P256_VERIFY = 6_900;
const sha256 = (bytes: number): number => 60 + 12 * Math.ceil(bytes / 32);
const COLD_ACCOUNT = 2_600;
const CLEARED_SLOT = CHANGED_SLOT - 4_800;

/** Where the authority is, then its three slots: whether it is closed, whose the function is, who is a member. */
const AUTHORITY = READ_SLOT + COLD_ACCOUNT + 3 * READ_SLOT;
/** Two digests, the signature, the five slots of a device. */
const ENROLLED = sha256(82) + sha256(193) + P256_VERIFY + 5 * NEW_SLOT + log(4, 96);
/** The latest change and their number are read, one more is written. */
const CHANGED = READ_SLOT + CHANGED_SLOT + NEW_SLOT + log(2, 0);

/** @param rows - The same functions where there is a precompile. */
export async function gasWithoutPrecompile(rows: DeviceRows): Promise<WithoutPrecompile> {
  const bare = await deviceGas("prague");
  const without = (["enroll", "rotate", "verifyBatch"] as const).map((name) => {
    const row = `DeviceRegistry.${name}` as const;
    const { gas } = bare[row];
    return [row, { gas, times: Math.round((gas / rows[row].gas) * 10) / 10 }] as const;
  });
  return Object.fromEntries(without) as WithoutPrecompile;
}

/** DeviceRegistry's functions. The status has changed before and the model was recalled before; `rotate` is the first change. */
export async function deviceGas(rules: Rules): Promise<DeviceRows> {
  const connection = await network.create(under(rules));
  try {
    const { registry, registrar, safety, custodian, offeree, stranger, enroll, enrolled, proofOf } =
      await deployDevices(connection);
    const by = (account: Signer) => registry.connect(account);
    const device = await enrolled();
    await by(safety).suspend(device.id);
    await by(registrar).resume(device.id);
    const model = word();
    await by(safety).recall(model, 1, 2, 0);

    const suspended = await measure(() => by(safety).suspend(device.id), AUTHORITY + READ_SLOT + CHANGED);
    const resumed = await measure(() => by(registrar).resume(device.id), AUTHORITY + READ_SLOT + CHANGED);
    const offered = await measure(
      () => by(custodian).offerCustody(device.id, offeree),
      3 * READ_SLOT + NEW_SLOT + log(4, 0),
    );
    const accepted = await measure(
      () => by(offeree).acceptCustody(device.id),
      AUTHORITY + 2 * READ_SLOT + CHANGED_SLOT + CLEARED_SLOT + log(4, 0),
    );
    const retired = await measure(() => by(safety).retire(device.id), AUTHORITY + READ_SLOT + CHANGED);
    const recalled = await measure(
      () => by(safety).recall(model, 0x01010101, 0x02020202, 0x01010101),
      AUTHORITY + CHANGED_SLOT + log(2, 128),
    );

    const other = newDevice();
    const enrolledRow = await measure(() => enroll(other, newTerms(custodian.address)), AUTHORITY + ENROLLED);
    const [old, next, digest] = [await enrolled(), newDevice(), newDigest()];
    const verified = await measure(
      async () => {
        const at = await connection.networkHelpers.time.latest();
        const call = await registry.verifyBatch.populateTransaction(old.id, digest, old.sign(digest), at);
        return stranger.sendTransaction(call);
      },
      P256_VERIFY + 4 * READ_SLOT,
    );
    const proof = proofOf(next, { ...old.terms, predecessorId: old.id });
    const rotated = await measure(
      () => by(registrar).rotate(old.id, next.key, proof),
      AUTHORITY + 3 * READ_SLOT + ENROLLED + 2 * NEW_SLOT + log(2, 0) + log(3, 0),
    );
    return {
      "DeviceRegistry.enroll": enrolledRow,
      "DeviceRegistry.suspend": suspended,
      "DeviceRegistry.resume": resumed,
      "DeviceRegistry.retire": retired,
      "DeviceRegistry.rotate": rotated,
      "DeviceRegistry.recall": recalled,
      "DeviceRegistry.offerCustody": offered,
      "DeviceRegistry.acceptCustody": accepted,
      "DeviceRegistry.verifyBatch": verified,
    };
  } finally {
    await connection.close();
  }
}
