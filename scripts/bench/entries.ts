import { concat, keccak256, toBeHex, toQuantity, toUtf8Bytes, ZeroHash, type BaseContract } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { deployHospital, KIND, STATUS } from "../../test/contracts/governed.ts";
import { newDevice, newTerms, proofOf } from "../../test/contracts/devices.ts";
import { ruleOf } from "../../test/unit/alerts/samples.ts";
import { ruleFields, ruleId } from "../../src/alerts/abi.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { word } from "./floor.ts";

/** Gas of one function once so many entries stand in the contract. */
export interface EntryRow {
  /** What there are many of. */
  readonly of: string;
  /** Beside each number of entries, in their order. */
  readonly gas: readonly number[];
  readonly pass: boolean;
}

export interface EntriesReport {
  readonly entries: readonly number[];
  readonly within: number;
  readonly rows: Readonly<Record<string, EntryRow>>;
  readonly pass: boolean;
}

type Costs = Readonly<Record<string, { readonly of: string; readonly gas: number }>>;

const WITHIN = 0.02;
/** Calls in a transaction, well below the most gas that one may use. */
const TOGETHER = 200;

/**
 * The same transactions among few and among many entries: one grantor's consents, one gateway's checkpoints and alerts, one patient's
 * recoveries, each made by a call; the changes of one device and of one party, a clinician's emergencies and the versions of a rule,
 * which need a block each, a signature or much calldata, are put into storage.
 */
export async function entries(sizes: readonly number[]): Promise<EntriesReport> {
  const measured: Costs[] = [];
  for (const size of sizes) measured.push({ ...(await callsAmong(size)), ...(await historiesOf(size)) });
  const rows = Object.fromEntries(
    Object.entries(measured[0] ?? {}).map(([name, { of }]) => {
      const gas = measured.map((costs) => costs[name]?.gas ?? NaN);
      return [name, { of, gas, pass: Math.max(...gas) <= Math.min(...gas) * (1 + WITHIN) }];
    }),
  );
  return { entries: sizes, within: WITHIN, rows, pass: Object.values(rows).every(({ pass }) => pass) };
}

async function callsAmong(size: number): Promise<Costs> {
  const connection = await network.create();
  try {
    const { ethers } = connection;
    const crowd = await ethers.deployContract("Crowd");
    const caller = await crowd.getAddress();
    const callEach = (target: BaseContract, calls: readonly string[]): Promise<number> =>
      gasOf(crowd.getFunction("callEach").send(target, calls));
    const fill = async (target: BaseContract, newCall: (i: number) => string): Promise<void> => {
      for (let i = 0; i < size; i += TOGETHER) {
        await callEach(
          target,
          Array.from({ length: Math.min(TOGETHER, size - i) }, (_, j) => newCall(i + j)),
        );
      }
    };

    const registry = await ethers.deployContract("ConsentRegistry");
    const consent = (method: "grant" | "revoke", id: string) =>
      registry.interface.encodeFunctionData(method as "grant", [id]);
    const all = registry.interface.encodeFunctionData("revokeAll");
    await fill(registry, () => consent("grant", word()));
    await callEach(registry, [all]);
    const id = word();
    const consents = {
      grant: await callEach(registry, [consent("grant", id)]),
      revoke: await callEach(registry, [consent("revoke", id)]),
      revokeAll: await callEach(registry, [all]),
    };

    const anchor = await ethers.deployContract("RecordAnchor");
    let head: string = ZeroHash;
    const next = (): string => {
      // Until the head has no zero byte, so that naming it costs the same.
      for (;;) {
        const [root, digest] = [word(), word()];
        const inner = keccak256(concat([root, digest, toBeHex(1, 8)]));
        const after = keccak256(concat([head, inner]));
        if (/^0x(?!(..)*00)/.test(after)) {
          const data = anchor.interface.encodeFunctionData("anchor", [root, digest, 1, head]);
          head = after;
          return data;
        }
      }
    };
    await fill(anchor, next);
    const anchored = await callEach(anchor, [next()]);

    const recovery = await ethers.deployContract("VaultRecovery");
    const declaration = () => recovery.interface.encodeFunctionData("declareRecovery", [caller, word()]);
    await fill(recovery, declaration);
    const declared = await callEach(recovery, [declaration()]);

    const alerts = await ethers.deployContract("AlertRules");
    let slot = 0x01010101;
    const alert = () => alerts.interface.encodeFunctionData("raise", [slot++, word().slice(0, 52)]);
    await fill(alerts, alert);
    const raised = await callEach(alerts, [alert()]);

    const of = (gas: Readonly<Record<string, number>>, what: string): Costs =>
      Object.fromEntries(Object.entries(gas).map(([name, cost]) => [name, { of: what, gas: cost }]));
    return {
      ...of({ anchor: anchored }, "checkpoints of the gateway"),
      ...of(consents, "consents of the grantor"),
      ...of({ "VaultRecovery.declareRecovery": declared }, "recoveries of the patient"),
      ...of({ "AlertRules.raise": raised }, "slots of the gateway"),
    };
  } finally {
    await connection.close();
  }
}

async function historiesOf(size: number): Promise<Costs> {
  const connection = await network.create();
  try {
    const ground = await deployHospital(connection);
    return {
      ...(await changesOfDevice(connection, ground, size)),
      ...(await changesOfParty(connection, ground, size)),
      ...(await emergenciesOf(connection, ground, size)),
      ...(await versionsOfRule(connection, ground, size)),
    };
  } finally {
    await connection.close();
  }
}

type Ground = Awaited<ReturnType<typeof deployHospital>>;

async function changesOfDevice(connection: NetworkConnection, ground: Ground, size: number): Promise<Costs> {
  const { devices, registrar, protector, custodian, time } = ground;
  const registry = (await devices.getAddress()) as Hex;
  const { chainId } = await connection.ethers.provider.getNetwork();
  const [device, terms] = [newDevice(), newTerms(custodian.address)];
  const proof = proofOf(device, terms, { chainId, registry });
  await devices.connect(registrar).enroll(device.key, terms.modelId, terms.serial, terms.custodian, proof);
  const [active, suspended] = [1n, 2n];
  // docs/contracts.md, DeviceRegistry, storage.
  const history = keccak256(concat([device.id, toBeHex(2, 32)]));
  const first = await putHistory(connection, registry, history, size, time, (last) => (last ? active : suspended));
  if ((await devices.statusAt(device.id, first)) !== suspended) throw new Error("changes of devices lie elsewhere");
  const changed = devices.connect(protector);
  const of = "changes of the device";
  const suspendedAfter = await gasOf(changed.suspend(device.id));
  const retired = await gasOf(changed.retire(device.id));
  return {
    "DeviceRegistry.suspend": { of, gas: suspendedAfter },
    "DeviceRegistry.retire": { of, gas: retired },
  };
}

async function changesOfParty(connection: NetworkConnection, ground: Ground, size: number): Promise<Costs> {
  const { parties, registrar, protector, stranger, time } = ground;
  const until = (await time.latest()) + 300 * 86_400;
  const accredit = () => parties.connect(registrar).accredit(stranger, KIND.Auditor, until, word());
  await accredit();
  const history = keccak256(concat([toBeHex(stranger.address, 32), toBeHex(1, 32)]));
  const [good, suspended] = [1n, 2n];
  const first = await putHistory(
    connection,
    await parties.getAddress(),
    history,
    size,
    time,
    (last) => BigInt(until) | (BigInt(KIND.Auditor) << 48n) | ((last ? good : suspended) << 56n),
  );
  if ((await parties.statusAt(stranger, first)) !== STATUS.Suspended) {
    throw new Error("changes of parties lie elsewhere");
  }
  const of = "changes of the party";
  return {
    "PartyRegistry.accredit": { of, gas: await gasOf(accredit()) },
    "PartyRegistry.suspend": { of, gas: await gasOf(parties.connect(protector).suspend(stranger)) },
    "PartyRegistry.revoke": { of, gas: await gasOf(parties.connect(protector).revoke(stranger)) },
  };
}

async function emergenciesOf(connection: NetworkConnection, ground: Ground, size: number): Promise<Costs> {
  const { emergency, clinician, reviewer, time } = ground;
  const tally = keccak256(concat([toBeHex(clinician.address, 32), toBeHex(4, 32)]));
  const number = BigInt(size);
  await put(connection, await emergency.getAddress(), tally, number | (number << 32n));
  const record = await emergency.recordOf(clinician);
  if (Number(record.declared) !== size) throw new Error("the tally of a clinician lies elsewhere");
  const { commitment, args } = await ground.coSigned();
  const of = "emergencies of the clinician";
  const declared = await gasOf(emergency.connect(clinician).declare(...args));
  const ended = await gasOf(emergency.connect(clinician).end(commitment));
  await time.increase(60);
  const reviewed = await gasOf(emergency.connect(reviewer).review(clinician, commitment, ZeroHash, true, word()));
  return {
    "EmergencyAccess.declare": { of, gas: declared },
    "EmergencyAccess.end": { of, gas: ended },
    "EmergencyAccess.review": { of, gas: reviewed },
  };
}

async function versionsOfRule(connection: NetworkConnection, { organisation }: Ground, size: number): Promise<Costs> {
  const rules = await connection.ethers.deployContract("AlertRules");
  const rule = ruleOf("threshold", { version: size + 1 });
  const versions = keccak256(concat([toBeHex(organisation.address, 32), toBeHex(4, 32)]));
  const latest = keccak256(concat([toUtf8Bytes(rule.name), versions]));
  await put(connection, await rules.getAddress(), latest, BigInt(size));
  if (Number(await rules.versionOf(organisation, rule.name)) !== size)
    throw new Error("versions of rules lie elsewhere");
  const library = rules.connect(organisation);
  const of = "versions of the rule";
  return {
    "AlertRules.publish": { of, gas: await gasOf(library.publish(ruleFields(rule))) },
    "AlertRules.retire": { of, gas: await gasOf(library.retire(ruleId(rule))) },
  };
}

/** Writes a history of OpenZeppelin's `Checkpoints`: their number, then a change for each second up to now. Gives the first second. */
async function putHistory(
  connection: NetworkConnection,
  contract: string,
  slot: string,
  size: number,
  time: { increase(seconds: number): Promise<number>; latest(): Promise<number> },
  valueOf: (last: boolean) => bigint,
): Promise<bigint> {
  await time.increase(size + 1);
  const first = BigInt((await time.latest()) - size);
  await put(connection, contract, slot, BigInt(size));
  const base = BigInt(keccak256(slot));
  for (let i = 0; i < size; i++) {
    const change = (first + BigInt(i)) | (valueOf(i === size - 1) << 48n);
    await put(connection, contract, toBeHex(base + BigInt(i), 32), change);
  }
  return first;
}

const put = ({ provider }: NetworkConnection, contract: string, slot: string, value: bigint): Promise<unknown> =>
  provider.request({ method: "hardhat_setStorageAt", params: [contract, toQuantity(slot), toBeHex(value, 32)] });

const gasOf = async (sending: Promise<{ wait(): Promise<{ gasUsed: bigint } | null> }>): Promise<number> =>
  Number((await (await sending).wait())?.gasUsed ?? 0n);
