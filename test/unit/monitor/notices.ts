import { Desk } from "../../../src/monitor/desk.ts";
import type { Notice } from "../../../src/monitor/notice.ts";
import { PaperRows } from "../../integration/rig.ts";
import { ruleOf } from "../alerts/samples.ts";
import { at, heartBeat, planOf, signedPlan } from "./plans.ts";

const KEY = new Uint8Array(32).fill(7);

interface Quiet {
  readonly rows: PaperRows;
  readonly desk: Desk;
  /** An alert, and so a notice that is due. */
  readonly raise: () => Promise<readonly Notice[]>;
}

export async function quietDesk(): Promise<Quiet> {
  const signed = await signedPlan(planOf([ruleOf("threshold")]));
  const rows = new PaperRows();
  const desk = new Desk(rows, KEY);
  await desk.adopt(signed, at(0));
  return { rows, desk, raise: () => desk.take([{ plan: signed.plan.id, recorded: heartBeat(at(1), 130) }], at(1)) };
}

/** A desk with one notice that is due. */
export async function deskWithNotice(): Promise<Omit<Quiet, "raise"> & { notices: readonly Notice[] }> {
  const { raise, ...quiet } = await quietDesk();
  return { ...quiet, notices: await raise() };
}

/** The desk of the next process, after a crash. */
export const deskAgain = (rows: PaperRows): Desk => new Desk(new PaperRows(rows.rows), KEY);
