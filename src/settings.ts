import { fileURLToPath } from "node:url";
import { config } from "dotenv";

/** Endpoints and places that a user may set, in the environment or in a `.env` file. Never keys or passphrases. */
export interface Settings {
  /** RPC address of the chain, `MEDSEAL_RPC`. */
  readonly rpc: string | undefined;
  /** RPC address of a Kubo, `MEDSEAL_IPFS`; an embedded node without it. */
  readonly ipfs: string | undefined;
  /** Folder of deployment records, one file a chain, `MEDSEAL_DEPLOYMENTS`. */
  readonly deployments: string;
  /** Address of the DeviceRegistry that audits ask, `MEDSEAL_DEVICES`; without it nothing is said of devices. */
  readonly devices: string | undefined;
}

/** @param environment - What is set there wins over the file. */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  file = ".env",
): Settings {
  const fromFile: Record<string, string> = {};
  config({ path: file, processEnv: fromFile, quiet: true });
  const setting = (name: string): string | undefined => environment[name] || fromFile[name] || undefined;
  return {
    rpc: setting("MEDSEAL_RPC"),
    ipfs: setting("MEDSEAL_IPFS"),
    devices: setting("MEDSEAL_DEVICES"),
    deployments: setting("MEDSEAL_DEPLOYMENTS") ?? fileURLToPath(new URL("../deployments", import.meta.url)),
  };
}
