import { expect } from "chai";
import { network } from "hardhat";
import { consentId } from "../../src/consent/consent.ts";
import { linkOf } from "../../src/consent/scope.ts";
import { consentOf, deployBoth, word } from "./ground.ts";

const ALL = 127;

describe("ConsentRegistry.isPermitted, of several actions", () => {
  it("permits all seven at once to whoever has them all, and none beyond", async () => {
    const { registry, patient, clinician } = await deployBoth(await network.create());
    const stream = word();
    const consent = consentOf(patient.address, clinician.address, { scope: stream, actions: ALL });
    await registry.connect(patient).grant(consentId(consent));
    const link = linkOf(consent, [stream]);
    const ask = (action: number) =>
      registry.isPermitted([{ ...link, streams: [...link.streams] }], clinician, action, "TREAT", stream, 0);
    expect(await ask(ALL)).to.equal(true);
    expect(await ask(ALL + 1)).to.equal(false);
  });
});
