import { expect } from "chai";
import { network } from "hardhat";
import { consentId, type Consent, type Hex } from "../../src/consent/consent.ts";
import { linkOf, scopeOf, sortStreams, type Link } from "../../src/consent/scope.ts";
import { consentOf, deployBoth, signGrant, signRevoke, word } from "./ground.ts";

const [READ, SHARE, DELEGATE] = [1, 32, 64];

// The rules one by one are fuzzed in IsPermitted.t.sol; here is how people meet them.
describe("ConsentRegistry.isPermitted", () => {
  const chain = network.create();

  /** A patient's consent to a carer (DELEGATE), who lets a clinic in (SHARE), which lets a doctor read. All relayed. */
  async function ground() {
    const { ethers, networkHelpers } = await chain;
    const parts = await deployBoth(await chain);
    const [patient, carer, clinic, doctor] = Array.from({ length: 4 }, () => ethers.Wallet.createRandom());
    if (!patient || !carer || !clinic || !doctor) throw new Error("unreachable");
    const streams = sortStreams(Array.from({ length: 5 }, word));
    const now = await networkHelpers.time.latest();
    const root = consentOf(patient.address, carer.address, {
      scope: scopeOf(streams),
      actions: READ | SHARE | DELEGATE,
    });
    const shared = streams.slice(1, 3);
    const middle = consentOf(carer.address, clinic.address, {
      scope: scopeOf(shared),
      actions: READ | SHARE,
      parent: consentId(root),
      dataStart: 1000,
      dataEnd: 2000,
    });
    const last = consentOf(clinic.address, doctor.address, {
      scope: shared[1] as Hex,
      parent: consentId(middle),
      dataStart: 1500,
      dataEnd: 2000,
      periodEnd: now + 1000,
    });
    const signers = [patient, carer, clinic];
    const relay = async (signer: (typeof signers)[number], consent: Consent): Promise<void> => {
      const { id, issuedAt, deadline, signature } = await signGrant(signer, parts.domain, consent, now);
      await parts.registry.grantBySig(signer, id, issuedAt, deadline, signature);
    };
    for (const [i, consent] of [root, middle, last].entries()) await relay(signers[i] ?? patient, consent);
    const links = [linkOf(root, streams), linkOf(middle, shared), linkOf(last, [shared[1] as Hex])];
    const ask = (chainOf: readonly Link[], who: { address: string }, stream: Hex, dataTime = 1700) =>
      parts.registry.isPermitted(
        chainOf.map((link) => ({ ...link, streams: [...link.streams] })),
        who.address,
        READ,
        "TREAT",
        stream,
        dataTime,
      );
    return { ...parts, patient, carer, clinic, doctor, streams, now, links, ask, signers, relay };
  }
  const load = async () => (await chain).networkHelpers.loadFixture(ground);

  it("follows a consent from patient to carer to clinic to doctor", async () => {
    const { ask, links, streams, carer, clinic, doctor } = await load();
    expect(await ask(links.slice(0, 1), carer, streams[4] as Hex)).to.equal(true);
    expect(await ask(links.slice(0, 2), clinic, streams[1] as Hex)).to.equal(true);
    expect(await ask(links, doctor, streams[2] as Hex)).to.equal(true);
  });

  it("gives a grantee nothing of what only those before have", async () => {
    const { ask, links, streams, clinic, doctor } = await load();
    expect(await ask(links.slice(0, 2), clinic, streams[0] as Hex)).to.equal(false);
    expect(await ask(links.slice(0, 2), clinic, streams[1] as Hex, 2000)).to.equal(false);
    expect(await ask(links, doctor, streams[1] as Hex)).to.equal(false);
    expect(await ask(links, doctor, streams[2] as Hex, 1499)).to.equal(false);
    expect(await ask(links.slice(0, 2), doctor, streams[2] as Hex)).to.equal(false);
  });

  it("takes no consent alone that was passed on, and no chain with a link left out", async () => {
    const { ask, links, streams, doctor } = await load();
    expect(await ask(links.slice(2), doctor, streams[2] as Hex)).to.equal(false);
    expect(await ask([...links.slice(0, 1), ...links.slice(2)], doctor, streams[2] as Hex)).to.equal(false);
    expect(await ask([...links].reverse(), doctor, streams[2] as Hex)).to.equal(false);
  });

  it("ends for all when any link ends", async () => {
    const { networkHelpers } = await chain;
    const { ask, links, streams, doctor, registry, signers, domain } = await load();
    for (const [i, signer] of signers.entries()) {
      const snapshot = await networkHelpers.takeSnapshot();
      const consent = links[i]?.consent as Consent;
      await registry.revokeBySig(signer, consentId(consent), await signRevoke(signer, domain, consent));
      expect(await ask(links, doctor, streams[2] as Hex), `link ${i}`).to.equal(false);
      await snapshot.restore();
    }
    await networkHelpers.time.setNextBlockTimestamp((await load()).now + 1000);
    await networkHelpers.mine();
    expect(await ask(links, doctor, streams[2] as Hex), "after its period").to.equal(false);
  });

  it("reads a list of one stream as well as its id", async () => {
    const { ask, links, streams, doctor, clinic, relay } = await load();
    const { leafHash } = await import("../../src/log/merkle.ts");
    const { fromHex, hex0x } = await import("../../src/bytes/bytes.ts");
    const stream = streams[2] as Hex;
    const listed = { ...(links[2] as Link).consent, scope: hex0x(leafHash(fromHex(stream))) };
    await relay(clinic, listed);
    const before = links.slice(0, 2);
    expect(await ask([...before, { consent: listed, streams: [stream] }], doctor, stream)).to.equal(true);
    // Without its list the scope is one unknown stream.
    expect(await ask([...before, { consent: listed, streams: [] }], doctor, stream)).to.equal(false);
  });

  it("takes a forged document for nothing: the id must be active under the grantor it names", async () => {
    const { ask, links, streams, doctor, registry, stranger } = await load();
    const forged = { ...(links[0] as Link).consent, grantee: doctor.address as Hex, salt: word() };
    await registry.connect(stranger).grant(consentId(forged));
    expect(await ask([{ consent: forged, streams }], doctor, streams[2] as Hex)).to.equal(false);
  });
});
