import { AlertSender, isOverdue, onChainAlerts } from "../../src/chain/escalation.ts";
import { needBlock } from "../../src/chain/rpc.ts";
import { ContractRefusedError } from "../../src/chain/errors.ts";
import type { Command } from "../cli/command.ts";
import { withChain } from "../cli/chain.ts";
import { withIdentity } from "../cli/home.ts";
import { contactNamed, walletOf } from "../cli/patient.ts";
import { shown } from "../cli/times.ts";
import { OWN_ADDRESS } from "../cli/vault.ts";

export const command: Command = {
  summary:
    "Escalates on chain what was raised there and not acknowledged within 15 minutes. Anybody may, and nobody learns of whom or of what it is; the transaction costs you gas",
  options: {
    gateway: { type: "string", value: "NAME", help: "only what this contact raised; without it everybody's" },
    list: { type: "boolean", help: "only says what could be escalated" },
  },
  examples: [
    ["alerts escalate --list --as anybody", "what nobody has taken up"],
    ["alerts escalate --gateway Monitor --as anybody", "needs ether at the identity's own address"],
  ],
  run: (call) =>
    withIdentity(call, ({ vault }) =>
      withChain(async ({ rpc, deployment }) => {
        const name = call.text("gateway");
        const only = name === undefined ? undefined : contactNamed(vault, name).address;
        const { timestamp } = await needBlock(rpc, "latest");
        const now = Math.max(timestamp, Math.floor(Date.now() / 1000));
        const due = (await onChainAlerts(rpc, deployment)).filter(
          (alert) => isOverdue(alert, now) && (only === undefined || alert.gateway === only),
        );
        const sender = new AlertSender(walletOf(vault).signer(OWN_ADDRESS, rpc), deployment);
        const escalated: object[] = [];
        const lines: string[] = [];
        for (const { gateway, slot, raisedAt } of due) {
          const what = `${gateway}, slot ${slot}, raised ${shown(raisedAt)}`;
          try {
            const mined = call.flag("list") ? undefined : await sender.escalate(gateway, slot);
            if (mined) escalated.push({ gateway, slot, raisedAt, ...mined });
            lines.push(
              mined ? `${what}: escalated, block ${mined.block}, ${mined.gas.toLocaleString("en")} gas` : what,
            );
          } catch (error) {
            // Somebody else was faster, or it was acknowledged just now.
            if (!(error instanceof ContractRefusedError) || error.reason !== "AlertNotOpen") throw error;
          }
        }
        const overdue = due.map(({ gateway, slot, raisedAt }) => ({ gateway, slot, raisedAt }));
        call.io.result({ overdue, escalated }, ...(lines.length > 0 ? lines : ["Nothing is overdue."]));
      }),
    ),
};
