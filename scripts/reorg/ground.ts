import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonRpcSigner, type JsonRpcProvider } from "ethers";
import { fromHex } from "../../src/bytes/bytes.ts";
import { random } from "../../src/bytes/random.ts";
import type { Deployment } from "../../src/chain/deployment.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { relay } from "../../src/chain/relay.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import type { Hex } from "../../src/consent/consent.ts";
import type { SignedMessage } from "../../src/consent/signed.ts";
import { gatewayAnchor } from "../../src/gateway/anchor.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { MemoryStore } from "../../src/ipfs/memory.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import type { CheckpointPlace } from "../../src/log/checkpoint.ts";
import { twinRows } from "../../src/state/twin.ts";
import { startAnvil } from "../../test/chain/anvil.ts";
import { deployOn } from "../../test/chain/ground.ts";
import { newIdentity, type Identity } from "../demo/parties.ts";

/** Blocks that lie on a block when it is final, on the chain client with its usual finality. */
const FINAL_AFTER = 64;

/** A chain that can be reorganised, and a gateway on it that can be stopped and started again. */
export interface Ground {
  readonly rpc: JsonRpcProvider;
  readonly deployment: Deployment;
  readonly ledger: ConsentLedger;
  readonly blocks: MemoryStore;
  readonly identity: Identity;
  readonly place: CheckpointPlace;
  gateway: Gateway;
  relayed(message: SignedMessage): Promise<void>;
  /** Makes everything so far final. */
  finalise(): Promise<void>;
  /** Replaces the last blocks by as many others. */
  reorganise(depth: number): Promise<void>;
  /** A new process takes over the journal. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openGround(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-reorg-"));
  const anvil = await startAnvil("--slots-in-an-epoch", "32");
  const { provider } = anvil;
  const [gatewayKey, relayer, other] = (await provider.listAccounts()) as [JsonRpcSigner, JsonRpcSigner, JsonRpcSigner];
  const chainId = Number((await provider.getNetwork()).chainId);
  const { deployment, at: registry } = await deployOn(provider, relayer, chainId);
  const ledger = new ConsentLedger(provider, deployment);
  const watch = watchLedger(ledger, { freshWithin: Infinity });
  const blocks = new MemoryStore();
  const identity = await newIdentity("Gateway", gatewayKey);
  const { address } = identity.party;
  const anchorAddress = deployment.contracts.RecordAnchor.address;
  const place = { chainId: BigInt(chainId), anchor: fromHex(anchorAddress), gateway: fromHex(address) };
  const keys = { hpke: identity.hpke, signing: generateSigningKey(), secret: random(32) };
  const start = (): Gateway =>
    new Gateway({
      address,
      place,
      registry,
      blocks,
      anchor: gatewayAnchor(provider, deployment, gatewayKey, address),
      watch,
      ask: () => Promise.resolve(true),
      rows: twinRows(join(folder, "journal.sqlite")),
      keys,
      entries: 16,
    });
  const ground: Ground = {
    rpc: provider,
    deployment,
    ledger,
    blocks,
    identity,
    place,
    gateway: start(),
    async relayed(message) {
      await relay(message, relayer, deployment);
    },
    async finalise() {
      await provider.send("anvil_mine", [`0x${(FINAL_AFTER + 2).toString(16)}`]);
    },
    async reorganise(depth) {
      // A transaction in each block: blocks without any would be the same ones again.
      const from = (await other.getAddress()) as Hex;
      const transfers = Array.from({ length: depth }, (_, i) => [
        { from, to: from, value: `0x${(i + 1).toString(16)}` },
        i,
      ]);
      await provider.send("anvil_reorg", [depth, transfers]);
    },
    async restart() {
      await ground.gateway.close();
      ground.gateway = start();
    },
    async close() {
      await ground.gateway.close();
      ledger.close();
      await anvil.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return ground;
}
