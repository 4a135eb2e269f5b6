import { expect } from "chai";
import { verifyTypedData } from "ethers";
import type { AlertEvidence, OnChainStep } from "../../../src/monitor/audit-finding.ts";
import { auditAlerts } from "../../../src/monitor/audit.ts";
import { signAnswer } from "../../../src/monitor/answer.ts";
import { Desk } from "../../../src/monitor/desk.ts";
import { onceAddress, raisedDigest, sealedAlertOf, signOnce } from "../../../src/monitor/once.ts";
import { checkPlan, formatPlan, parsePlan, planStatement } from "../../../src/monitor/plan.ts";
import type { Hex } from "../../../src/consent/consent.ts";
import { PaperRows } from "../../integration/rig.ts";
import { at, DOCTOR, heartBeat, MINUTE, NURSE, planOf, signedPlan } from "./plans.ts";
import { ruleOf } from "../alerts/samples.ts";

const onChain = { responder: "nurse", key: NURSE.signingKey.compressedPublicKey as Hex };
const [HIGH, LOW] = [
  ruleOf("threshold"),
  { ...ruleOf("threshold", { trigger: { comparator: "atMost", threshold: 40n } }), name: "test-low" },
];
const PLAN = planOf([HIGH, LOW], { onChain });
const KEY = new Uint8Array(32).fill(7);
const PLACE = { chainId: 31337, contract: DOCTOR.address as Hex, gateway: NURSE.address as Hex, slot: 3 };

describe("alerts of a plan on chain", function () {
  this.timeout(60_000);

  it("each has an address of its own, which only the responder signs for and only the plan ties to them", async () => {
    const raises = [0, 1, 2, 7].map((n) => ({ plan: PLAN.id, n }));
    const others = raises.map(({ n }) => ({ plan: "f".repeat(32), n }));
    const all = [...raises, ...others];
    expect(new Set(all.map((raise) => onceAddress(onChain, raise))).size).to.equal(all.length);
    expect(all.map((raise) => onceAddress(onChain, raise))).not.to.include(NURSE.address);
    expect(new Set(all.map((raise) => raisedDigest(onChain, raise))).size).to.equal(all.length);
    for (const raise of raises) {
      expect(raisedDigest(onChain, raise)).to.match(/^0x[0-9a-f]{50}$/);
      const types = {
        Acknowledge: [
          { name: "gateway", type: "address" },
          { name: "slot", type: "uint32" },
          { name: "sealedAlert", type: "bytes32" },
        ],
      };
      const domain = { name: "MedSeal AlertRules", version: "1", chainId: 31337, verifyingContract: PLACE.contract };
      const message = { gateway: PLACE.gateway, slot: PLACE.slot, sealedAlert: sealedAlertOf(raise) };
      const signer = async (key: string): Promise<string> =>
        verifyTypedData(domain, types, message, await signOnce(key as Hex, raise, PLACE));
      expect(await signer(NURSE.privateKey)).to.equal(onceAddress(onChain, raise));
      expect(await signer(DOCTOR.privateKey)).to.not.equal(onceAddress(onChain, raise));
    }
  });

  it("a plan names a responder with their own key, and says so to who signs", () => {
    expect(parsePlan(formatPlan(PLAN)).onChain).to.deep.equal(onChain);
    expect(planStatement(PLAN)).to.match(/stand on chain as well, where nurse answers/);
    const wrong = [
      { ...onChain, responder: "doctor" },
      { ...onChain, responder: "nobody" },
      { ...onChain, key: "0x02" as Hex },
      { ...onChain, key: NURSE.signingKey.publicKey as Hex },
    ];
    for (const one of wrong) expect(() => checkPlan({ ...PLAN, onChain: one })).to.throw(/who answers on chain/);
  });

  it("gives open alerts different slots, one that is over to the next, and forgets nothing in a crash", async () => {
    const signed = await signedPlan(PLAN);
    const rows = new PaperRows();
    let desk = new Desk(rows, KEY);
    await desk.adopt(signed, at(0));
    const feed = (second: number, value: number) =>
      desk.take([{ plan: PLAN.id, recorded: heartBeat(at(second), value) }], at(second));
    const [high] = await feed(1, 130);
    const [low] = await feed(2, 30);
    expect([high?.onChain?.slot, low?.onChain?.slot]).to.deep.equal([0, 1]);
    expect(desk.raises.map(({ stage }) => stage)).to.deep.equal(["due", "due"]);
    if (high?.onChain === undefined) throw new Error("not on chain");
    const answer = { alert: high.alert, act: "acknowledge", until: 0, level: 0, at: at(3) } as const;
    const signature = await signOnce(NURSE.privateKey as Hex, high.onChain, PLACE);
    await desk.answer({ ...(await signAnswer(NURSE, answer)), onChain: signature }, at(3));
    await desk.noteRaise(high.onChain, { stage: "raised" });
    desk = new Desk(new PaperRows(rows.rows), KEY);
    expect(desk.raises.map((raise) => [raise.slot, raise.stage, raise.signature])).to.deep.equal([
      [0, "raised", signature],
      [1, "due", undefined],
    ]);
    // What goes to the chain stays out of the stream.
    expect(JSON.stringify(desk.unsealed(PLAN.id).filter(({ kind }) => kind === "event"))).to.not.include(signature);
    await desk.noteRaise(high.onChain, { stage: "over" });
    await feed(4, 70);
    const [again] = await feed(5, 130);
    expect(again?.onChain?.slot).to.equal(0);
    const [asked] = (await desk.take([], at(5) + 6 * MINUTE)).filter(({ to }) => to === "doctor");
    expect(asked?.onChain).to.equal(undefined);
  });

  it("the audit lists what was not raised, raised late, and neither acknowledged nor escalated", async () => {
    const signed = await signedPlan(PLAN);
    const desk = new Desk(new PaperRows(), KEY);
    await desk.adopt(signed, at(0));
    const recorded = heartBeat(at(1), 130);
    const [notice] = await desk.take([{ plan: PLAN.id, recorded }], at(1));
    const { alert, onChain: raise } = notice ?? {};
    if (alert === undefined || raise === undefined) throw new Error("not on chain");
    await desk.answer(await signAnswer(NURSE, { alert, act: "acknowledge", until: 0, level: 0, at: at(2) }), at(2));
    const entries = desk.unsealed(PLAN.id).map((entry) => ({ entry, object: `header of ${entry.n}` }));
    const step = (change: Partial<OnChainStep> = {}): OnChainStep => ({
      digest: raisedDigest(onChain, raise),
      raisedAt: at(5) / 1000,
      escalatedAt: undefined,
      acknowledgedAt: undefined,
      ...change,
    });
    const found = (alerts: readonly OnChainStep[], now = at(4000)): string[] => {
      const readings = [{ recorded, object: "header" }];
      const base: AlertEvidence = { plan: PLAN, entries, readings, from: at(0), to: at(90) };
      const { findings } = auditAlerts({ ...base, onChain: { alerts, now: now / 1000 } });
      return findings.map(({ kind, text }) => `${kind}: ${text}`);
    };
    expect(found([])).to.have.length(1);
    expect(found([step({ digest: "0x00" })])[0]).to.match(/^unescalated: .*never raised/);
    expect(found([step()])[0]).to.match(/^unescalated: .*alerts escalate/);
    expect(found([step()], at(800))).to.deep.equal([]);
    expect(found([step({ escalatedAt: at(1000) / 1000 })])).to.deep.equal([]);
    expect(found([step({ acknowledgedAt: at(1000) / 1000 })])).to.deep.equal([]);
    expect(found([step({ raisedAt: at(600) / 1000, acknowledgedAt: at(700) / 1000 })])[0]).to.match(
      /^late: it was raised/,
    );
  });
});
