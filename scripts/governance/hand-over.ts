import { getAddress, type Provider, type Signer } from "ethers";
import { governanceAt, type IGovernance } from "../../src/chain/governed.ts";
import { MedSealError, UsageError } from "../../src/errors.ts";
import { HELD_ROLES, roleOf } from "./roles.ts";

/** The roles were not given away, since the new holder would not have them in force. */
export class HandOverError extends MedSealError {
  readonly code = "ERR_HAND_OVER";
}

/**
 * Gives every role to a multisig, with the delays of the table, and then all of the caller's own away.
 *
 * It can be done again after a cut: what is done already is left out. Once the caller has given away its own, nobody but the
 * multisig can change anything, and that only after ADMIN's delay.
 *
 * @param from - Holds every role, as the deployer does.
 * @throws UsageError when there is no contract at the address, which is where typing errors go.
 * @throws HandOverError before anything is given away, when the multisig does not hold every role.
 */
export async function handOver(
  manager: string,
  from: Signer & { provider: Provider | null },
  to: string,
): Promise<void> {
  const governance = governanceAt(manager, from);
  const own = await from.getAddress();
  const multisig = getAddress(to);
  if (multisig === getAddress(own)) throw new UsageError("the roles are at this address already");
  if ((await from.provider?.getCode(multisig)) === "0x") {
    throw new UsageError("there is no contract at that address", {
      hint: "name the address of a multisig on this chain",
    });
  }

  for (const { id, executionDelay } of HELD_ROLES) {
    const [since, delay] = await governance.getAccess(id, multisig);
    if (since !== 0n && Number(delay) === executionDelay) continue;
    if (!(await appointsAll(governance, own))) {
      throw new HandOverError("the roles are not the caller's to give", {
        hint: "sign with the account that deployed",
      });
    }
    await (await governance.grantRole(id, multisig, executionDelay)).wait();
  }

  const [isAdmin] = await governance.hasRole(0n, multisig);
  for (const { id, name } of HELD_ROLES) {
    const [since] = await governance.getAccess(id, multisig);
    if (!isAdmin || since === 0n) throw new HandOverError(`the multisig has not got ${name}`, { hint: "try again" });
  }
  // ADMIN last: with it, a hand-over that was cut off can be done again.
  for (const { id } of [...HELD_ROLES].reverse()) {
    const [since] = await governance.getAccess(id, own);
    if (since !== 0n) await (await governance.renounceRole(id, own)).wait();
  }
}

/** Whether an account appoints whom it will, at once: ADMIN and STEWARD without a delay. */
async function appointsAll(governance: IGovernance, account: string): Promise<boolean> {
  const access = [await governance.hasRole(0n, account), await governance.hasRole(roleOf("STEWARD").id, account)];
  return access.every(([isMember, delay]) => isMember && delay === 0n);
}
