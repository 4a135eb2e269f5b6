import { expect } from "chai";
import { keccak256, toBeHex, type BytesLike } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import type { DeviceRegistry } from "../../typechain-types/index.ts";
import { hex0x } from "../../src/bytes/bytes.ts";
import { coordinatesOf } from "../../src/keys/signature.ts";
import { deployDevices } from "../contracts/devices.ts";
import { normalisedOrNone, p256Groups, reportKinds } from "./p256.ts";

/** Where DeviceRegistry keeps its devices; docs/contracts.md, "Storage". */
const DEVICES_SLOT = 1;

describe("Wycheproof, ECDSA P-256 (P1363) through DeviceRegistry.verifyBatch", () => {
  for (const [hardfork, verifier] of [
    ["osaka", "precompile"],
    ["prague", "Solidity"],
  ] as const) {
    it(`${verifier}: every invalid one refused, every low-s one accepted, every high-s one only once normalised`, async function () {
      this.timeout(300_000);
      const groups = p256Groups(this);
      const connection = await network.create({ override: { hardfork } });
      try {
        const put = await registryOfAnyKey(connection);
        for (const { publicKey, cases } of groups) {
          const verify = await put(publicKey);
          for (const { as, kind, digest, signature } of cases) {
            expect(await verify(digest, signature), as).to.equal(kind === "low");
            const normalised = kind === "low" ? undefined : normalisedOrNone(signature);
            if (normalised) expect(await verify(digest, normalised), `${as}, normalised`).to.equal(kind === "high");
            else expect(kind, as).to.not.equal("high");
          }
        }
        reportKinds(`ECDSA P-256, ${verifier}`, groups);
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
