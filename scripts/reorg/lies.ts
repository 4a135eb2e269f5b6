import { HDNodeWallet, type Signer } from "ethers";
import { network } from "hardhat";
import { fromHex, hex, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { keyedRandom, type Random } from "../../src/bytes/random.ts";
import { Archive } from "../../src/archive/archive.ts";
import { openBatches } from "../../src/archive/batches.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import { anchoredCheckpoints } from "../../src/chain/anchor.ts";
import { ConsentLedger } from "../../src/chain/ledger.ts";
import { relay } from "../../src/chain/relay.ts";
import { openRpc } from "../../src/chain/rpc.ts";
import { RelationshipWallet } from "../../src/chain/wallet.ts";
import { watchLedger } from "../../src/chain/watch.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { signGrant, signRevoke } from "../../src/consent/sign.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import { EXIT, MedSealError } from "../../src/errors.ts";
import { gatewayAnchor } from "../../src/gateway/anchor.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { MemoryStore } from "../../src/ipfs/memory.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import { epochOf } from "../../src/log/chunk.ts";
import { Patient } from "../../src/patient/patient.ts";
import { freshPatient, type ConsentRecord } from "../../src/patient/state.ts";
import { DHKEM_X25519, generateKeyPair } from "../../src/seal/hpke.ts";
import { x25519PublicKey } from "../../src/seal/x25519.ts";
import { deployOn } from "../../test/chain/ground.ts";
import { PaperRows } from "../../test/integration/rig.ts";
import { EPOCH, reading, START } from "../../test/integration/ward.ts";
import { startProxy, type Trouble } from "./proxy.ts";

type Roll = (below: number) => number;

export interface Lied {
  rounds: number;
  calls: number;
  troubles: Readonly<Record<Trouble, number>>;
  /** Errors that the gateway came to by them, each of a type of its own; it was asked again after each. */
  errors: Record<string, number>;
  checkpoints: number;
  /** As in `Found`. */
  lost: number;
  twice: number;
  leaked: number;
  unread: number;
  /** Whether each checkpoint has the very bytes of that of a gateway with an honest node. */
  stateEqual: boolean;
}

const PHRASE = "test test test test test test test test test test test junk";
const STREAM = "heart-rate";
/** Epochs of a round: while a reader may open them, and after. */
const EPOCHS = 2;
/** Tries after which something does not come to an end. */
const TRIES = 2000;

/** Rounds of a grant, readings, its end, and readings; once with an honest node and once with one that is not. */
export async function lies(rounds: number, seed: string, roll: Roll): Promise<Lied> {
  const time = Math.floor(Date.now() / 1000);
  const honest = await run(rounds, seed, time, undefined);
  const lied = await run(rounds, seed, time, roll);
  return { ...lied.found, stateEqual: honest.heads.length > 0 && String(honest.heads) === String(lied.heads) };
}

async function run(
  rounds: number,
  seed: string,
  time: number,
  roll: Roll | undefined,
): Promise<{ heads: string[]; found: Lied }> {
  const draw = (label: string): Random => keyedRandom(sha256(utf8(seed)), utf8(label));
  // Not on anvil: it keeps slots of zero in its tries, so that no root can be made from the events alone.
  const connection = await network.create();
  const { provider } = connection.ethers;
  const proxy = await startProxy(
    (method, params) => connection.provider.request({ method, params: [...params] }),
    roll,
  );
  const chainId = Number((await provider.getNetwork()).chainId);
  const [, relayer] = (await connection.ethers.getSigners()) as unknown as [Signer, Signer];
  const { deployment, at: registry } = await deployOn(provider, relayer, chainId);
  const rpc = openRpc(proxy.url, chainId);
  const signer = HDNodeWallet.fromPhrase(PHRASE, undefined, "m/44'/60'/0'/0/2").connect(rpc);
  const party = async (name: string, address: Hex) => {
    const hpke = await generateKeyPair(DHKEM_X25519, draw(`hpke ${name}`));
    const viewKey = x25519PublicKey(draw(`view ${name}`)(32));
    return { hpke, party: { name, address, recipient: { kem: hpke.kem, hpkeKey: hpke.publicKey, viewKey } } };
  };
  const address = signer.address as Hex;
  const { hpke, party: self } = await party("Gateway", address);
  const place = {
    chainId: BigInt(chainId),
    anchor: fromHex(deployment.contracts.RecordAnchor.address),
    gateway: fromHex(address),
  };
  const wallet = new RelationshipWallet(PHRASE);
  const honest = new ConsentLedger(provider, deployment);
  const patient = new Patient(freshPatient(PHRASE), {
    addressOf: (relationship) => wallet.signer(relationship).address as Hex,
    signerOf: (relationship) => wallet.signer(relationship),
    place: honest.address,
    watch: watchLedger(honest, { freshWithin: Infinity }),
    recovery: { store: () => Promise.resolve() },
    random: draw("patient"),
  });
  const ledger = new ConsentLedger(rpc, deployment, ":memory:", { attested: true });
  const blocks = new MemoryStore();
  const gateway = new Gateway({
    address,
    place,
    registry,
    blocks,
    anchor: gatewayAnchor(rpc, deployment, signer, address, { proven: true, stuckAfter: 100, waitMs: 2000 }),
    watch: watchLedger(ledger, { freshWithin: Infinity }),
    ask: () => Promise.resolve(true),
    rows: new PaperRows(),
    keys: { hpke, signing: generateSigningKey(draw("signing")), secret: draw("secret")(32) },
    random: draw("gateway"),
    entries: 8,
  });
  const errors: Record<string, number> = {};

  /** As a gateway's steps do: what fails by an outage, or by what cannot be, is done again. */
  async function step<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await work();
      } catch (error) {
        // Nothing else than a typed error that a later try may not have, and never the last word.
        if (!(error instanceof MedSealError) || error.exit === EXIT.unrecoverable || tries === TRIES) throw error;
        errors[error.code] = (errors[error.code] ?? 0) + 1;
      }
    }
  }
  const finalise = (): Promise<unknown> => provider.send("hardhat_mine", ["0x4"]);
  const { channel } = reading(0);
  patient.openStream({ name: STREAM, channels: [channel], epochLength: EPOCH, batchClass: 0 });
  const period = { periodStart: time - 600, periodEnd: time + 30 * 86_400 };
  const window = { dataStart: START, dataEnd: START + rounds * EPOCHS * EPOCH, ...period };
  const grant = async (record: ConsentRecord): Promise<void> => {
    const message = await signGrant(wallet.signer(record.relationship), honest.address, record.consent);
    await relay(message, relayer, deployment);
    await finalise();
    await honest.sync();
  };
  const write = await patient.authorizeGateway({ to: self, streams: [STREAM], purpose: "TREAT", ...window });
  await grant(write);
  let epoch = 0;
  const record = async (): Promise<void> => {
    const [stream] = gateway.streams();
    if (!stream) throw new Error("the gateway has no lease");
    const source = sha256(utf8(`epoch ${epoch}`));
    const session = gateway.ingest(stream, { clock: { kind: "source" }, source });
    for (let second = 0; second < EPOCH; second++) await session.add(reading(epoch * EPOCH + second));
    await step(() => session.finish());
    await step(() => gateway.checkpoint());
    epoch += 1;
  };
  const readers: { readonly keys: Awaited<ReturnType<typeof openEnvelope>>["keys"]; readonly epoch: number }[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const lee = await party(`Dr Lee ${round}`, wallet.signer(5000 + round).address as Hex);
      const reader = patient.draft({
        to: lee.party,
        streams: [STREAM],
        purpose: "TREAT",
        actions: ["READ"],
        ...window,
      });
      await grant(reader);
      const { envelope } = await patient.lease(write.id, "a patient");
      patient.confirmLease(receiptOf(await step(() => gateway.acceptLease(envelope))));
      const [release] = await patient.release(reader.id, "a patient");
      readers.push({ keys: (await openEnvelope(release as Uint8Array, lee.hpke, honest.address)).keys, epoch });
      await record();
      await relay(
        await signRevoke(wallet.signer(reader.relationship), honest.address, reader.consent),
        relayer,
        deployment,
      );
      // A node may keep an end back for a while; that it comes to be seen is what is waited for.
      for (let tries = 0; (await step(() => gateway.retireEnded())) === 0; tries++)
        if (tries === TRIES) throw new Error("the gateway never saw an end");
      await record();
      patient.markRevoked(reader.id);
      await honest.sync();
      await patient.moveToSpare([STREAM]);
      await finalise();
    }
    await step(() => gateway.settle());
    const history = await anchoredCheckpoints(provider, deployment, address);
    const read = (digest: Uint8Array): Promise<Uint8Array> => blocks.get(digest);
    const { findings } = await verifyArchive(place, history, read);
    if (findings.length > 0) throw new Error(`the auditor found: ${findings.map(({ kind }) => kind).join(", ")}`);
    const archive = new Archive(place, read);
    await archive.update(history);
    const first = START / EPOCH;
    const opened = async (keys: (typeof readers)[number]["keys"]): Promise<number[]> => {
      const epochs: number[] = [];
      for (const one of keys)
        for await (const { chunks } of openBatches(one, archive, first, first + epoch, read))
          for (const { observations } of chunks ?? []) epochs.push(epochOf(observations[0]!.time, EPOCH) - first);
      return epochs;
    };
    const all = await opened(patient.ownKeys(write.id));
    const found: Lied = {
      rounds,
      calls: proxy.calls(),
      troubles: proxy.troubles,
      errors,
      checkpoints: history.length,
      lost: Array.from({ length: epoch }, (_, i) => i).filter((one) => !all.includes(one)).length,
      twice: all.length - new Set(all).size + history.length - new Set(history.map(({ digest }) => hex(digest))).size,
      leaked: 0,
      unread: 0,
      stateEqual: false,
    };
    for (const { keys, epoch: begun } of readers) {
      const seen = await opened(keys);
      found.leaked += seen.filter((one) => one > begun).length;
      if (!seen.includes(begun)) found.unread += 1;
    }
    return { heads: history.map(({ head }) => hex(head)), found };
  } finally {
    await gateway.close();
    ledger.close();
    honest.close();
    rpc.destroy();
    await proxy.close();
    await connection.close();
  }
}
