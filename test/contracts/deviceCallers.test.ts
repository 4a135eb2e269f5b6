import { expect } from "chai";
import type { ContractTransactionResponse, Signer } from "ethers";
import { network } from "hardhat";
import { deployDevices, newDevice, newTerms, STATUS } from "./devices.ts";
import { DAY, word } from "./ground.ts";

const CALLERS = ["admin", "registrar", "safety", "custodian", "offeree", "organisation", "stranger"] as const;
type Caller = (typeof CALLERS)[number];

interface Rule {
  readonly by: readonly Caller[];
  /** The error for everybody else. */
  readonly otherwise: string;
  /** The error for those who have the role and yet may not. */
  readonly forMembers?: Partial<Record<Caller, string>>;
}

/** Who may call what. */
const ALLOWED: Readonly<Record<string, Rule>> = {
  enroll: { by: ["registrar"], otherwise: "AccessManagedUnauthorized" },
  suspend: { by: ["safety", "custodian"], otherwise: "AccessManagedUnauthorized" },
  resume: { by: ["registrar"], otherwise: "AccessManagedUnauthorized" },
  retire: { by: ["safety", "custodian"], otherwise: "AccessManagedUnauthorized" },
  rotate: { by: ["registrar"], otherwise: "AccessManagedUnauthorized" },
  recall: { by: ["safety"], otherwise: "AccessManagedUnauthorized" },
  offerCustody: { by: ["custodian"], otherwise: "DeviceCustodyNotHeld" },
  acceptCustody: {
    by: ["offeree"],
    otherwise: "AccessManagedUnauthorized",
    forMembers: { custodian: "DeviceCustodyNotOffered", organisation: "DeviceCustodyNotOffered" },
  },
  setAuthority: { by: [], otherwise: "AccessManagedUnauthorized" },
};

// every function × every caller   refused with the error that says why; who has the roles is in Governance.test.ts
// the authority                   delays, closes and takes away what needs a role; never what a custodian does to protect
describe("DeviceRegistry callers", () => {
  const chain = network.create();
  const ground = async () => {
    const connection = await chain;
    const parts = await deployDevices(connection);
    const [active, suspended, offered] = [await parts.enrolled(), await parts.enrolled(), await parts.enrolled()];
    await parts.registry.connect(parts.safety).suspend(suspended.id);
    await parts.registry.connect(parts.custodian).offerCustody(offered.id, parts.offeree);
    const { registry, authority, custodian, offeree, enroll, proofOf } = parts;
    const calls: Record<string, (by: Signer) => Promise<ContractTransactionResponse>> = {
      enroll: (by) => enroll(newDevice(), newTerms(custodian.address), undefined, by),
      suspend: (by) => registry.connect(by).suspend(active.id),
      resume: (by) => registry.connect(by).resume(suspended.id),
      retire: (by) => registry.connect(by).retire(active.id),
      rotate: (by) => {
        const next = newDevice();
        const proof = proofOf(next, { ...active.terms, predecessorId: active.id });
        return registry.connect(by).rotate(active.id, next.key, proof);
      },
      recall: (by) => registry.connect(by).recall(word(), 1, 2, 0),
      offerCustody: (by) => registry.connect(by).offerCustody(active.id, offeree),
      acceptCustody: (by) => registry.connect(by).acceptCustody(offered.id),
      setAuthority: (by) => registry.connect(by).setAuthority(authority),
    };
    return { ...parts, ...connection, active, calls };
  };
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  it("has no other function that changes anything", async () => {
    const { registry } = await load();
    const changing: string[] = [];
    registry.interface.forEachFunction(({ name, constant }) => void (constant || changing.push(name)));
    expect(changing).to.have.members(Object.keys(ALLOWED));
  });

  for (const [name, { by, otherwise, forMembers = {} }] of Object.entries(ALLOWED)) {
    it(`${name}: ${by.join(" and ") || "nobody"}, and nobody else`, async () => {
      for (const caller of CALLERS) {
        const { registry, accounts, calls } = await load();
        const call = calls[name];
        if (!call) throw new Error(`nobody calls ${name}`);
        if (by.includes(caller)) await call(accounts[caller]);
        else {
          await expect(call(accounts[caller]), caller).to.be.revertedWithCustomError(
            registry,
            forMembers[caller] ?? otherwise,
          );
        }
      }
    });
  }

  it("refuses an organisation that was not offered a device, and an offeree who is none", async () => {
    const { registry, authority, custodian, organisation, stranger, enrolled } = await load();
    const { id } = await enrolled();
    await expect(registry.connect(organisation).acceptCustody(id))
      .to.be.revertedWithCustomError(registry, "DeviceCustodyNotOffered")
      .withArgs(id, organisation.address);
    await registry.connect(custodian).offerCustody(id, stranger);
    await expect(registry.connect(stranger).acceptCustody(id))
      .to.be.revertedWithCustomError(registry, "AccessManagedUnauthorized")
      .withArgs(stranger.address);
    await authority.getFunction("grantRole")(3n, stranger, 0);
    await registry.connect(stranger).acceptCustody(id);
  });

  it("lets a role with a delay act only as announced, a custodian at once", async () => {
    const { registry, authority, safety, custodian, active, networkHelpers } = await load();
    const { time } = networkHelpers;
    await authority.getFunction("grantRole")(2n, safety, DAY);
    await time.increase(10 * DAY);
    const data = registry.interface.encodeFunctionData("retire", [active.id]);
    await expect(registry.connect(safety).retire(active.id)).to.be.revertedWithCustomError(
      authority,
      "AccessManagerNotScheduled",
    );
    await authority.connect(safety).getFunction("schedule")(registry, data, 0);
    await expect(registry.connect(safety).retire(active.id)).to.be.revertedWithCustomError(
      authority,
      "AccessManagerNotReady",
    );
    await registry.connect(custodian).suspend(active.id);
    await time.increase(DAY);
    await registry.connect(safety).retire(active.id);
    expect(await registry.statusOf(active.id)).to.equal(STATUS.retired);
  });

  it("keeps custodians able to protect while the authority has closed it", async () => {
    const { registry, authority, registrar, safety, custodian, active, calls } = await load();
    await authority.getFunction("setTargetClosed")(registry, true);
    for (const by of [registrar, safety]) {
      for (const name of ["enroll", "suspend", "resume", "retire", "rotate", "recall"]) {
        await expect(calls[name]?.(by), name).to.be.revertedWithCustomError(registry, "AccessManagedUnauthorized");
      }
    }
    await registry.connect(custodian).suspend(active.id);
    await registry.connect(custodian).retire(active.id);
  });

  it("forgets the roles of an authority that has handed over", async () => {
    const { ethers, admin, registry, registrar, authority, calls } = await load();
    const next = await ethers.deployContract("Authority", [admin.address]);
    await authority.getFunction("updateAuthority")(registry, next);
    expect(await registry.authority()).to.equal(await next.getAddress());
    await expect(calls.enroll?.(registrar)).to.be.revertedWithCustomError(registry, "AccessManagedUnauthorized");
  });
});
