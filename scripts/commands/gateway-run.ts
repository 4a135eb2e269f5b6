import { availableParallelism } from "node:os";
import { now } from "../../src/bytes/random.ts";
import { needBlock } from "../../src/chain/rpc.ts";
import { entriesAtTime } from "../../src/feed/config.ts";
import { jsonLog } from "../../src/feed/log.ts";
import { Service } from "../../src/feed/service.ts";
import { Spool } from "../../src/feed/spool.ts";
import type { Command } from "../cli/command.ts";
import { asGateway } from "../cli/gateway.ts";
import { CONFIG_OPTION, readConfig } from "../cli/gateway-config.ts";
import { secretLine } from "../cli/secrets.ts";
import { readMail } from "../cli/mail.ts";
import { senderOf } from "../cli/people.ts";

/** Milliseconds after which a process that was told to end does so, whatever it waits for: the journal has it. */
const PATIENCE = 14_000;

export const command: Command = {
  summary:
    "As a gateway: takes readings from sources of this machine, seals and anchors them at its cadence, heeds ends. Runs until SIGTERM; logs to stderr",
  options: { config: CONFIG_OPTION },
  examples: [["gateway run --as ward-gateway", "as a service: examples/medseal-gateway.service"]],
  async run(call) {
    const config = await readConfig(call);
    const credential = config.monitor && (await secretLine(config.monitor.credential, "the monitor's credential"));
    let service: Service | undefined;
    await asGateway(
      call,
      async ({ gateway, view, session }) => {
        if (!service) throw new Error("no service was made");
        const running = service;
        process.removeAllListeners("SIGINT");
        for (const signal of ["SIGINT", "SIGTERM"] as const)
          process.once(signal, () => {
            // An exit waits for the file operations that are under way, and one of them may be what hangs.
            setTimeout(() => process.kill(process.pid, "SIGKILL"), PATIENCE).unref();
            running.stop();
          });
        const spool = await Spool.open(config.spool, {
          gateway,
          log,
          noteSigned: (message) => view.ledger.noteSigned(message),
          known: (lease) => void senderOf(session.vault, lease),
          readMail,
        });
        await running.run(gateway, spool, ({ feed, http }) =>
          call.io.result(
            { http, ...(feed === undefined ? {} : { feed }) },
            `Running until SIGTERM; how it does: http://127.0.0.1:${http}/health`,
          ),
        );
      },
      ({ session, chain, rows }) => {
        service = new Service({
          config,
          credential,
          rows,
          secret: session.vault.secret,
          disk: session.folder,
          log,
          timeOf: async (block) => (await needBlock(chain.rpc, block)).timestamp,
        });
        return {
          entries: () => entriesAtTime(config, now()),
          oldestWaiting: service.feed.oldestWaiting,
          latenessBound: config.lateness,
          ceiling: config.maxFee,
          proven: config.attest,
          // So that what comes does not wait for what is sealed.
          threads: Math.min(1, availableParallelism() - 1),
        };
      },
      { attested: config.attest },
    );
  },
};

const log = jsonLog((line) => process.stderr.write(`${line}\n`));
