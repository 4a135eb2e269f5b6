import { statfs } from "node:fs/promises";
import { formatEther } from "ethers";
import { EXIT } from "../../src/errors.ts";
import { MonitorLink, MonitorLinkError } from "../../src/feed/monitor-link.ts";
import { asGateway, type AsGateway } from "../cli/gateway.ts";
import { CONFIG_OPTION, readConfig } from "../cli/gateway-config.ts";
import { secretLine } from "../cli/secrets.ts";
import type { Command } from "../cli/command.ts";
import { ownAddress } from "../cli/patient.ts";
import { count } from "../cli/times.ts";
import type { GatewayConfig } from "../../src/feed/config.ts";

/** Ether below which a gateway soon cannot pay: some hundred checkpoints at a usual price of gas. */
const LITTLE = 10n ** 17n;

export const command: Command = {
  summary:
    "As a gateway: looks at configuration, journal, chain, store, ether, leases and disk; exit code 1 if anything is amiss",
  options: { config: CONFIG_OPTION },
  examples: [["gateway check --as ward-gateway", "before medseal gateway run"]],
  async run(call) {
    const config = await readConfig(call);
    const look = async (as: AsGateway): Promise<void> => {
      const found = await findings(config, as);
      const wrong = found.filter(({ ok }) => !ok).length;
      call.io.result(
        { ok: wrong === 0, found },
        ...found.map(({ ok, text }) => `${ok ? "ok    " : "AMISS "} ${text}`),
        wrong === 0 ? "It can run." : `${count(wrong, "thing")} amiss.`,
      );
      if (wrong > 0) process.exitCode = EXIT.refused;
    };
    await asGateway(call, look, undefined, { attested: config.attest });
  },
};

interface Finding {
  readonly ok: boolean;
  readonly text: string;
}

async function findings(config: GatewayConfig, { gateway, chain, session, rows }: AsGateway): Promise<Finding[]> {
  const devices = config.sources.flatMap((source) => source.devices);
  const ether = await chain.rpc.getBalance(ownAddress(session.vault));
  const streams = gateway.streams();
  const writes = new Set<string>(streams.map(({ write }) => write));
  const { bavail, bsize } = await statfs(session.folder);
  const lost = devices.filter(({ write }) => write !== undefined && !writes.has(write));
  return [
    { ok: true, text: `configuration: ${count(config.sources.length, "source")}, ${count(devices.length, "device")}` },
    { ok: true, text: `chain ${chain.deployment.chainId} and store answer` },
    rows.mended
      ? { ok: false, text: `the ${rows.mended} was damaged and has been made anew from its copy: look at the disk` }
      : { ok: true, text: "the journal and its twin are whole" },
    { ok: ether >= LITTLE, text: `${formatEther(ether)} ether to pay for checkpoints` },
    {
      ok: streams.length > 0,
      text:
        streams.length > 0
          ? `${count(streams.length, "stream")} may be written, under ${count(writes.size, "lease")}`
          : "no stream may be written: a patient gives leave, and medseal gateway accept takes the lease",
    },
    {
      ok: lost.length === 0,
      text:
        lost.length === 0 ? "every device has its leave" : `no lease for ${lost.map(({ name }) => name).join(", ")}`,
    },
    {
      ok: bavail * bsize >= config.reserve,
      text: `${Math.floor((bavail * bsize) / (1 << 20)).toLocaleString("en")} MiB free on the disk`,
    },
    ...(await monitorFinding(config)),
  ];
}

async function monitorFinding({ monitor }: GatewayConfig): Promise<Finding[]> {
  if (!monitor) return [];
  const credential = await secretLine(monitor.credential, "the monitor's credential");
  try {
    const link = await MonitorLink.open({ at: monitor.at, credential, journal: "" });
    link.close();
    return [{ ok: true, text: `the monitor answers and watches over ${count(link.patients.size, "patient")}` }];
  } catch (error) {
    if (!(error instanceof MonitorLinkError)) throw error;
    return [{ ok: false, text: `the monitor does not take readings (${error.code}): medseal monitor --listen` }];
  }
}
