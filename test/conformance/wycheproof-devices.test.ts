import { expect } from "chai";
import { keccak256, toBeHex, type BytesLike } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import type { DeviceRegistry } from "../../typechain-types/index.ts";
import { hex0x } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { coordinatesOf, normalise } from "../../src/keys/signature.ts";
import { deployDevices } from "../contracts/devices.ts";
import { bytes, readJson, report, vectorPath, type WycheproofCase, type WycheproofGroup } from "./vectors.ts";

interface EcdsaCase extends WycheproofCase {
  readonly msg: string;
  readonly sig: string;
}

interface EcdsaGroup extends WycheproofGroup<EcdsaCase> {
  readonly publicKey: { readonly uncompressed: string };
}

const HALF_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n >> 1n;

/** Where DeviceRegistry keeps its devices; docs/contracts.md, "Storage". */
const DEVICES_SLOT = 1;

describe("Wycheproof, ECDSA P-256 (P1363) through DeviceRegistry.verifyBatch", () => {
  for (const [hardfork, verifier] of [
    ["osaka", "precompile"],
    ["prague", "Solidity"],
  ] as const) {
    it(`${verifier}: every invalid one refused, every low-s one accepted, every high-s one only once normalised`, async function () {
      this.timeout(300_000);
      const file = vectorPath(this, "wycheproof", "ecdsa_secp256r1_sha256_p1363_test.json");
      const connection = await network.create({ override: { hardfork } });
      try {
        const put = await registryOfAnyKey(connection);
        let [low, high, invalid] = [0, 0, 0];
        for (const group of readJson<{ testGroups: EcdsaGroup[] }>(file).testGroups) {
          const verify = await put(bytes(group.publicKey.uncompressed));
          for (const { tcId, result, msg, sig } of group.tests) {
            const [digest, signature] = [sha256(bytes(msg)), bytes(sig)];
            const as = `case ${tcId}`;
            if (result !== "valid") {
              expect(await verify(digest, signature), as).to.equal(false);
              const normalised = normalisedOrNone(signature);
              if (normalised) expect(await verify(digest, normalised), `${as}, normalised`).to.equal(false);
              invalid++;
            } else if (BigInt(`0x${sig.slice(64)}`) > HALF_ORDER) {
              expect(await verify(digest, signature), as).to.equal(false);
              expect(await verify(digest, normalise(signature)), `${as}, normalised`).to.equal(true);
              high++;
            } else {
              expect(await verify(digest, signature), as).to.equal(true);
              low++;
            }
          }
        }
        expect(Math.min(low, high, invalid)).to.be.above(0);
        const total = low + high + invalid;
        report(`ECDSA P-256, ${verifier} (${low} low-s, ${high} high-s, ${invalid} invalid)`, total, 0, "");
      } finally {
        await connection.close();
      }
    });
  }
});

/**
 * A registry into whose storage any key can be put: nobody has the secret keys of the published vectors, so none of them can prove
 * possession.
 */
async function registryOfAnyKey(connection: NetworkConnection) {
  const { registry, enrolled } = await deployDevices(connection);
  const { id } = await enrolled();
  const slot = BigInt(keccak256(id + toBeHex(DEVICES_SLOT, 32).slice(2)));
  const { networkHelpers } = connection;
  const address = await registry.getAddress();
  const now = await networkHelpers.time.latest();

  return async (publicKey: Uint8Array): Promise<(digest: BytesLike, signature: BytesLike) => Promise<boolean>> => {
    const { x, y } = coordinatesOf(publicKey);
    await networkHelpers.setStorageAt(address, slot, hex0x(x));
    await networkHelpers.setStorageAt(address, slot + 1n, hex0x(y));
    await expectKey(registry, id, hex0x(x), hex0x(y));
    return (digest, signature) => registry.verifyBatch(id, digest, signature, now);
  };
}

/** Fails when the key is not where the registry reads it. */
async function expectKey(registry: DeviceRegistry, id: string, x: string, y: string): Promise<void> {
  const { key } = await registry.deviceOf(id);
  expect([key.x, key.y]).to.deep.equal([x, y]);
}

function normalisedOrNone(signature: Uint8Array): Uint8Array | undefined {
  try {
    return normalise(signature);
  } catch (error) {
    expect(error).to.have.property("code", "ERR_SIGNATURE_FORMAT");
    return undefined;
  }
}
