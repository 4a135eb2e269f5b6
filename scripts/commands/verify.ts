import { EXIT, UsageError } from "../../src/errors.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import { isAddress, type Hex } from "../../src/consent/consent.ts";
import type { Call, Command } from "../cli/command.ts";
import { withChain, withStore } from "../cli/chain.ts";
import { withIdentity } from "../cli/home.ts";
import { contactNamed } from "../cli/patient.ts";
import { getAddress } from "ethers";

export const command: Command = {
  summary:
    "Verifies without any key that nothing a gateway anchored was altered or removed since. Exit 1 with findings, 4 when chain or store do not answer",
  options: {
    gateway: {
      type: "string",
      value: "NAME|ADDRESS",
      help: "whose archive: an address, or a contact of yours",
      required: true,
    },
  },
  examples: [
    ["verify --gateway 0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "needs no identity"],
    ['verify --gateway "Ward gateway" --as auditor', "by the name of a contact"],
  ],
  async run(call) {
    const gateway = await addressOf(call);
    const report = await withChain((chain) =>
      withStore(async (blocks) =>
        verifyArchive(chain.placeOf(gateway), await chain.historyOf(gateway), (digest) => blocks.get(digest), {
          progress: (objects) => call.io.progress(`${objects.toLocaleString("en")} blocks`),
        }),
      ),
    );
    call.io.progressDone();
    const { ok, checkpoints, objects, erased, findings } = report;
    call.io.result(
      report,
      `${checkpoints} checkpoints and ${objects} blocks of ${gateway}${erased > 0 ? `, ${erased} declared erased` : ""}: ${ok ? "nothing that was anchored was altered or removed" : `${findings.length} findings`}`,
      ...findings.map(({ kind, text }) => `${kind.toUpperCase()}: ${text}`),
    );
    if (!ok) process.exitCode = EXIT.refused;
  },
};

async function addressOf(call: Call): Promise<Hex> {
  const named = call.need("gateway");
  if (!named.startsWith("0x"))
    return withIdentity(call, ({ vault }) => Promise.resolve(contactNamed(vault, named).address));
  try {
    const address = getAddress(named);
    if (isAddress(address)) return address;
  } catch {
    // Said below.
  }
  throw new UsageError("--gateway is no address, or its checksum is wrong");
}
