import type { Provider } from "ethers";
import type { Hex } from "../../src/consent/consent.ts";
import type { Row } from "./access.ts";
import { newDevice, newTerms, proofOf } from "./devices.ts";
import type { Governed } from "./governed.ts";

/** DeviceRegistry's functions, of a device of the custodian's, and of one that the organisation has offered to the custodian. */
export async function deviceRows(ground: Governed, provider: Provider): Promise<Row[]> {
  const { devices, manager, registrar, protector, custodian, organisation } = ground;
  const at = {
    chainId: (await provider.getNetwork()).chainId,
    registry: (await devices.getAddress()) as Hex,
  };
  const enrolled = async (owner: string) => {
    const [device, terms] = [newDevice(), newTerms(owner)];
    const proof = proofOf(device, terms, at);
    await devices.connect(registrar).enroll(device.key, terms.modelId, terms.serial, terms.custodian, proof);
    return { id: device.id, terms };
  };
  const own = await enrolled(custodian.address);
  const offered = await enrolled(organisation.address);
  const [fresh, next] = [newDevice(), newDevice()];
  const terms = newTerms(custodian.address);
  const row = (differs: Omit<Row, "contract" | "watch" | "of">): Row => ({
    contract: "DeviceRegistry",
    of: "a device",
    watch: async () => [
      ...(await Promise.all([own.id, offered.id, fresh.id, next.id].map((id) => devices.statusOf(id)))),
      await devices.deviceOf(own.id),
      await devices.deviceOf(offered.id),
      await devices.recallHeadOf(own.terms.modelId),
      await devices.authority(),
    ],
    ...differs,
  });
  return [
    row({
      method: "enroll",
      args: () => [fresh.key, terms.modelId, terms.serial, terms.custodian, proofOf(fresh, terms, at)],
    }),
    row({
      method: "rotate",
      args: () => [own.id, next.key, proofOf(next, { ...own.terms, predecessorId: own.id }, at)],
    }),
    row({ method: "suspend", args: () => [own.id] }),
    row({ method: "retire", args: () => [own.id] }),
    row({ method: "recall", args: () => [own.terms.modelId, 1, 2, 0] }),
    row({ method: "resume", args: () => [own.id], before: () => devices.connect(protector).suspend(own.id) }),
    row({ method: "offerCustody", args: () => [own.id, organisation.address] }),
    row({
      method: "acceptCustody",
      args: () => [offered.id],
      before: () => devices.connect(organisation).offerCustody(offered.id, custodian),
    }),
    row({ method: "setAuthority", args: async () => [await manager.getAddress()] }),
  ];
}
