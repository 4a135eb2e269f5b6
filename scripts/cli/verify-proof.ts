import { getAddress } from "ethers";
import { hex0x } from "../../src/bytes/bytes.ts";
import { builtCodeHash } from "../../src/chain/built-code.ts";
import { readDeployment, type Deployment } from "../../src/chain/deployment.ts";
import { DeploymentError } from "../../src/chain/errors.ts";
import type { ContractName } from "../../src/chain/contracts.ts";
import { finalBlock } from "../../src/chain/head-proof.ts";
import { needBlock } from "../../src/chain/rpc.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { UsageError } from "../../src/errors.ts";
import { isAbsent } from "../../src/files/durable.ts";
import { checkTrusted, openProof, ProofRefusedError } from "../../src/proof/check.ts";
import { parseProof } from "../../src/proof/format.ts";
import { readSettings } from "../../src/settings.ts";
import { trustedHash } from "./block-hash.ts";
import type { Call } from "./command.ts";
import { withChain } from "./chain.ts";
import { readUserText } from "./files.ts";
import { shownLines, shownObject } from "./shown.ts";

/** `verify --proof`: against the chain, or without it against a block that the user names. */
export async function verifyProof(call: Call): Promise<void> {
  const proof = parseProof(await readUserText(call.need("proof")));
  const named = call.text("block-header");
  const shown = openProof(proof);
  const { block } = shown;
  const blockHash =
    named === undefined ? await hashOnChain(block.number, Number(proof.place.chainId)) : await trustedHash(named);
  const codeHash = await knownCode("RecordAnchor", Number(proof.place.chainId), hex0x(proof.place.anchor));
  checkTrusted(shown, { blockHash, codeHash });
  call.io.result(
    { ok: true, ...shownObject(proof, shown) },
    `The proof holds: signed with the key of the device below, anchored by its gateway${named === undefined ? ", in a final block of the chain" : ""}.`,
    ...shownLines(proof, shown),
    "It does not say whose reading it is, whether that key is a device in good standing, nor whether the gateway had leave to write it.",
  );
}

const hashOnChain = (number: number, chainId: number): Promise<Hex> =>
  withChain(async ({ rpc, deployment }) => {
    if (deployment.chainId !== chainId)
      throw new UsageError(`the proof is of chain ${chainId}, and MEDSEAL_RPC names chain ${deployment.chainId}`);
    if (number > (await finalBlock(rpc)).number)
      throw new ProofRefusedError("its block is not final", "wait, then try again");
    return (await needBlock(rpc, number)).hash;
  });

/**
 * The hash of a contract's code: from the record of its deployment where there is one, else as this version builds it.
 *
 * @throws ProofRefusedError when the record has the contract at another address.
 */
export async function knownCode(name: ContractName, chainId: number, address: Hex): Promise<Hex> {
  let deployment: Deployment;
  try {
    deployment = await readDeployment(readSettings().deployments, chainId);
  } catch (error) {
    if (error instanceof DeploymentError && isAbsent(error.cause)) return builtCodeHash(name, chainId, address);
    throw error;
  }
  const known = deployment.contracts[name];
  if (known.address !== getAddress(address))
    throw new ProofRefusedError(`it names another ${name} than the one known here`);
  return known.codeHash;
}
