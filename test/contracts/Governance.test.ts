import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { ZeroAddress, type ParamType } from "ethers";
import { network } from "hardhat";
import { functionsOf, GOVERNED_INTERFACES } from "../../src/chain/governed.ts";
import { handOver } from "../../scripts/governance/hand-over.ts";
import { reportGovernance } from "../../scripts/governance/report.ts";
import { HELD_ROLES, ROLES, roleOf } from "../../scripts/governance/roles.ts";
import { accessCells, COLUMNS, deployAll, tableOf, writtenTable, type Cells } from "./access.ts";
import { deployGoverned, HOLDERS, KIND } from "./governed.ts";
import { DAY, word } from "./ground.ts";

const codeOf = (doing: Promise<unknown>): Promise<string | undefined> =>
  doing.then(
    () => "done",
    (error: { code?: string }) => error.code,
  );

/** The argument of a type that is zero or empty throughout. */
function zeroOf({ baseType, components }: ParamType): unknown {
  if (baseType === "array") return [];
  if (baseType === "tuple") return (components ?? []).map(zeroOf);
  if (baseType === "string") return "";
  if (baseType === "bool") return false;
  if (baseType === "bytes") return "0x";
  const fixed = /^bytes(\d+)$/.exec(baseType);
  if (fixed !== null) return `0x${"00".repeat(Number(fixed[1]))}`;
  return baseType === "address" ? ZeroAddress : 0;
}

const DOCS = new URL("../../docs/contracts.md", import.meta.url);

// every function × every role   as the table in docs/contracts.md says, which is written from here
// delays                        what protects acts at once; what is dangerous is announced, and a guardian can cancel it
// the command                   tells an outage from everything else
// hand-over                     leaves the deployer with nothing, in whatever state it is begun
describe("Governance", () => {
  const chain = network.create();

  describe("every function × every role", () => {
    const load = async () => (await chain).networkHelpers.loadFixture(ground);
    const ground = async () => deployAll(await chain);
    let cells: readonly Cells[];
    before(async () => (cells = await accessCells(await chain, load)));

    it("is allowed or refused as docs/contracts.md says", async () => {
      const table = tableOf(cells);
      const before = await readFile(DOCS, "utf8");
      const after = writtenTable(before, table);
      // `MEDSEAL_WRITE_DOCS=1` writes the table; otherwise it must be there already.
      if (process.env["MEDSEAL_WRITE_DOCS"] === "1") await writeFile(DOCS, after);
      else expect(before).to.equal(after);
    });

    it("covers every function that can change something", async () => {
      const { rows, contracts } = await load();
      for (const [name, contract] of Object.entries(contracts)) {
        const functions = functionsOf(contract.interface).filter(({ constant }) => !constant);
        const covered = rows.filter((row) => row.contract === name).map((row) => row.method);
        expect([...new Set(covered)].sort(), name).to.deep.equal(functions.map((entry) => entry.name).sort());
      }
    });

    it("answers everybody the same where nothing can change", async () => {
      const { contracts, actors } = await load();
      const { provider } = (await chain).ethers;
      for (const [name, contract] of Object.entries(contracts)) {
        const to = await contract.getAddress();
        for (const view of functionsOf(contract.interface).filter(({ constant }) => constant)) {
          const data = contract.interface.encodeFunctionData(view, view.inputs.map(zeroOf));
          const answers = COLUMNS.map((column) =>
            provider.call({ from: actors[column].address, to, data }).catch((error: { data?: unknown }) => error.data),
          );
          const different = new Set(await Promise.all(answers));
          expect([...different], `${name}.${view.name}`)
            .to.have.length(1)
            .and.not.include(undefined);
        }
      }
    });

    it("lets no role act for a patient, a gateway or a party", async () => {
      const isOwn = ({ row }: Cells): boolean =>
        ["ConsentRegistry", "RecordAnchor", "VaultRecovery", "AlertRules"].includes(row.contract) ||
        /Keys$/.test(row.method);
      const roles = Object.values(HOLDERS);
      for (const { row, outcomes } of cells.filter(isOwn)) {
        // What anybody may do for anybody.
        if (["declareRecovery", "escalate"].includes(row.method)) continue;
        for (const actor of COLUMNS.filter((name) => (roles as string[]).includes(name))) {
          expect(outcomes[actor], `${row.contract}.${row.method} by ${actor}`).to.be.oneOf(["own", "–"]);
        }
      }
    });

    it("lets the AccessManager itself reach its own slots only, whoever makes it call", async () => {
      const { registry, anchor, patient, gateway, manager, afterDelay } = await load();
      const id = word();
      await registry.connect(patient).grant(id);
      const before = [
        await registry.entryOf(patient, id),
        await registry.endedBefore(patient),
        await anchor.headOf(gateway),
      ];
      const zero = `0x${"0".repeat(64)}`;
      await afterDelay("ADMIN", registry, registry.interface.encodeFunctionData("revoke", [id]));
      await afterDelay("ADMIN", registry, registry.interface.encodeFunctionData("revokeAll"));
      await afterDelay("ADMIN", anchor, anchor.interface.encodeFunctionData("anchor", [word(), word(), 1, zero]));
      expect((await registry.entryOf(manager, id)).revokedAt).to.not.equal(0n);
      expect([
        await registry.entryOf(patient, id),
        await registry.endedBefore(patient),
        await anchor.headOf(gateway),
      ]).to.deep.equal(before);
    });
  });

  describe("delays", () => {
    const load = async () => (await chain).networkHelpers.loadFixture(ground);
    const ground = async () => deployGoverned(await chain);

    it("are those of the table, six days after deployment", async () => {
      const { manager } = await load();
      for (const { id, name, grantDelay, executionDelay, admin, guardian } of ROLES) {
        expect(await manager.getRoleGrantDelay(id), name).to.equal(grantDelay);
        expect(await manager.getRoleAdmin(id), name).to.equal(roleOf(admin).id);
        expect(await manager.getRoleGuardian(id), name).to.equal(roleOf(guardian).id);
        if (name === "CONFIGURATION") continue;
        const { actors } = await load();
        const holder = actors[HOLDERS[name]];
        expect(await manager.hasRole(id, holder), name).to.deep.equal([true, BigInt(executionDelay)]);
      }
    });

    it("keep a new registrar waiting, and let the steward dismiss it meanwhile and later, at once", async () => {
      const { manager, parties, steward, stranger, clinician, time } = await load();
      const until = (await time.latest()) + 90 * DAY;
      const accredit = () => parties.connect(stranger).accredit(clinician, KIND.Clinician, until, word());
      const { id, grantDelay } = roleOf("REGISTRAR");
      const appointing = manager.connect(steward);
      await appointing.grantRole(id, stranger, 0);
      await time.increase(grantDelay - 10);
      await expect(accredit()).to.be.revertedWithCustomError(parties, "AccessManagedUnauthorized");
      await time.increase(10);
      await accredit();
      await appointing.revokeRole(id, stranger);
      await expect(accredit()).to.be.revertedWithCustomError(parties, "AccessManagedUnauthorized");
    });

    it("let a guardian cancel what an officer or the admin has announced", async () => {
      const { manager, emergency, guardian, officer, admin, organisation, stranger } = await load();
      const { interface: calls } = emergency;
      const quota = calls.encodeFunctionData("setQuota", [organisation.address, 1_000_000]);
      const appoint = manager.interface.encodeFunctionData("grantRole", [roleOf("OFFICER").id, stranger.address, 0]);
      for (const [who, target, data] of [
        [officer, emergency, quota],
        [admin, manager, appoint],
      ] as const) {
        await manager.connect(who).schedule(target, data, 0);
        await expect(manager.connect(stranger).cancel(who, target, data)).to.be.revertedWithCustomError(
          manager,
          "AccessManagerUnauthorizedCancel",
        );
        await manager.connect(guardian).cancel(who, target, data);
        await (await chain).networkHelpers.time.increase(4 * DAY);
        await expect(manager.connect(who).execute(target, data)).to.be.revertedWithCustomError(
          manager,
          "AccessManagerNotScheduled",
        );
      }
    });

    it("let none but the admin cancel another authority that is announced to the contract itself", async () => {
      const { manager, guardian, admin, stranger, devices, parties, emergency, time } = await load();
      for (const target of [devices, parties, emergency]) {
        const move = target.interface.encodeFunctionData("setAuthority", [await parties.getAddress()]);
        await manager.connect(admin).schedule(target, move, 0);
        for (const who of [guardian, stranger]) {
          await expect(manager.connect(who).cancel(admin, target, move)).to.be.revertedWithCustomError(
            manager,
            "AccessManagerUnauthorizedCancel",
          );
        }
        // Three days are what is left to notice it.
        await time.increase(3 * DAY - 60);
        await expect(manager.connect(admin).execute(target, move)).to.be.revertedWithCustomError(
          manager,
          "AccessManagerNotReady",
        );
        await manager.connect(admin).cancel(admin, target, move);
        expect(await target.authority()).to.equal(await manager.getAddress());
      }
    });

    it("let no guardian cancel its own dismissal", async () => {
      const { manager, guardian, admin, time } = await load();
      const dismissal = manager.interface.encodeFunctionData("revokeRole", [roleOf("GUARDIAN").id, guardian.address]);
      await manager.connect(admin).schedule(manager, dismissal, 0);
      await expect(manager.connect(guardian).cancel(admin, manager, dismissal)).to.be.revertedWithCustomError(
        manager,
        "AccessManagerUnauthorizedCancel",
      );
      await time.increase(3 * DAY);
      await manager.connect(admin).execute(manager, dismissal);
      expect((await manager.hasRole(1n, guardian)).isMember).to.equal(false);
    });

    it("hold for another authority as well", async () => {
      const { manager, parties, emergency, admin, stranger, afterDelay } = await load();
      await expect(parties.connect(admin).setAuthority(emergency)).to.be.revertedWithCustomError(
        parties,
        "AccessManagedUnauthorized",
      );
      const { ethers } = await chain;
      const other = await ethers.deployContract("EmergencyAccess", [manager, parties]);
      const move = manager.interface.encodeFunctionData("updateAuthority", [
        await parties.getAddress(),
        await other.getAddress(),
      ]);
      await expect(manager.connect(admin).execute(manager, move)).to.be.revertedWithCustomError(
        manager,
        "AccessManagerNotScheduled",
      );
      await expect(manager.connect(stranger).schedule(manager, move, 0)).to.be.revertedWithCustomError(
        manager,
        "AccessManagerUnauthorizedCall",
      );
      await afterDelay("ADMIN", manager, move);
      expect(await parties.authority()).to.equal(await other.getAddress());
    });
  });

  describe("hand-over", () => {
    const load = async () => (await chain).networkHelpers.loadFixture(ground);

    async function ground() {
      const connection = await chain;
      const { ethers, ignition, networkHelpers } = connection;
      const { default: Module } = await import("../../ignition/modules/Governance.ts");
      const { accessManager, deviceRegistry, partyRegistry, emergencyAccess } = await ignition.deploy(Module);
      const [deployer, owner] = await ethers.getSigners();
      if (!deployer || !owner) throw new Error("the node has too few accounts");
      const multisig = await ethers.deployContract("OwnedWallet", [owner]);
      const addresses = {
        AccessManager: (await accessManager.getAddress()) as `0x${string}`,
        DeviceRegistry: (await deviceRegistry.getAddress()) as `0x${string}`,
        PartyRegistry: (await partyRegistry.getAddress()) as `0x${string}`,
        EmergencyAccess: (await emergencyAccess.getAddress()) as `0x${string}`,
      };
      const report = () => reportGovernance(ethers.provider, addresses);
      return { ethers, networkHelpers, deployer, owner, multisig: await multisig.getAddress(), addresses, report };
    }

    it("leaves every role with the multisig, with its delays, and the deployer with none", async () => {
      const { deployer, multisig, addresses, report, networkHelpers } = await load();
      const before = await report();
      expect(before.differences, "the deployer's roles have no delays").to.not.deep.equal([]);
      for (const { name, holders } of before.roles) {
        expect(
          holders.map(({ account }) => account),
          name,
        ).to.deep.equal(name === "CONFIGURATION" ? [] : [deployer.address]);
      }
      await handOver(addresses.AccessManager, deployer, multisig);
      await networkHelpers.time.increase(6 * DAY);
      const { roles, differences } = await report();
      expect(differences).to.deep.equal([]);
      for (const { id, executionDelay, name } of HELD_ROLES) {
        const role = roles.find((found) => found.id === id);
        expect(
          role?.holders.map((holder) => [holder.account, holder.executionDelay]),
          name,
        ).to.deep.equal([[multisig, executionDelay]]);
      }
      expect(await codeOf(handOver(addresses.AccessManager, deployer, addresses.PartyRegistry))).to.equal(
        "ERR_HAND_OVER",
      );
      await handOver(addresses.AccessManager, deployer, multisig);
    });

    it("is taken up again after a cut, and when appointments have a delay", async () => {
      const { ethers, deployer, multisig, addresses, report, networkHelpers } = await load();
      await networkHelpers.time.increase(6 * DAY);
      const governance = await ethers.getContractAt("IGovernance", addresses.AccessManager);
      await governance.connect(deployer).grantRole(roleOf("REGISTRAR").id, multisig, 0);
      await governance.connect(deployer).grantRole(roleOf("OFFICER").id, multisig, 5);
      await governance.connect(deployer).renounceRole(roleOf("REVIEWER").id, deployer);
      await handOver(addresses.AccessManager, deployer, multisig);
      const { differences, roles } = await report();
      expect(differences).to.deep.equal([]);
      expect(roles.flatMap(({ holders }) => holders).every(({ account }) => account === multisig)).to.equal(true);
    });

    it("goes to no address without a contract, nor to the deployer", async () => {
      const { deployer, owner, addresses, report } = await load();
      for (const to of [owner.address, deployer.address]) {
        expect(await codeOf(handOver(addresses.AccessManager, deployer, to))).to.equal("ERR_USAGE");
      }
      expect((await report()).roles.every(({ holders }) => holders.length <= 1)).to.equal(true);
    });

    it("is reported as it is: other holders, roles, delays and functions show", async () => {
      const { ethers, deployer, owner, multisig, addresses, report } = await load();
      const governance = (await ethers.getContractAt("IGovernance", addresses.AccessManager)).connect(deployer);
      await governance.grantRole(77, owner, 0);
      await governance.grantRole(roleOf("CONFIGURATION").id, owner, 0);
      const selector = GOVERNED_INTERFACES.PartyRegistry.getFunction("resume")?.selector ?? "";
      await governance.setTargetFunctionRole(addresses.PartyRegistry, [selector], roleOf("REGISTRAR").id);
      await governance.setTargetClosed(addresses.EmergencyAccess, true);
      await governance.setTargetClosed(addresses.DeviceRegistry, true);
      await governance.updateAuthority(addresses.PartyRegistry, multisig);
      const { differences } = await report();
      for (const sign of [
        /role 77 is held/,
        /CONFIGURATION is held/,
        /REGISTRAR: what it may/,
        /OFFICER: what it may/,
        /EmergencyAccess is closed/,
        /DeviceRegistry is closed/,
        /PartyRegistry asks 0x/,
        /ADMIN: the delay of 0x/,
      ]) {
        expect(
          differences.some((text) => sign.test(text)),
          `${sign}`,
        ).to.equal(true);
      }
    });
  });

  describe("the command", () => {
    for (const script of ["governance.ts", "deploy.ts"]) {
      it(`${script} takes a chain that is away for an outage`, () => {
        const args = [join(import.meta.dirname, "../../scripts", script), "show"];
        const env = { ...process.env, MEDSEAL_RPC: "http://127.0.0.1:1" };
        const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
        expect(stderr).to.include("(ERR_CHAIN_UNAVAILABLE)\nhint: ");
        expect(status).to.equal(4);
      });
    }
  });
});
