/** Whatever runs other contracts' code, or nothing but the checks of who calls. */
const OF_EMERGENCIES: readonly RegExp[] = [
  /^import .*\{(AccessManaged|EIP712|ConsentSignature)\}.*\n/gm,
  /, EIP712, AccessManaged\b/g,
  / *AccessManaged\(authority\) EIP712\(.*\) /g,
  / restricted\b/g,
  /^ *_requireHeld\(organisation, .*;\n/gm,
  /^ *bytes32 digest = .*;\n/gm,
  /^ *if \(!ConsentSignature\..*;\n/gm,
  / \|\| msg\.sender == authority\(\)/g,
  // `quotaKeepsTerms` is the claim on it.
  /^ *_useQuota\(organisation\);\n/gm,
  / && roleStatus\(emergency\.organisation, declarant\) == RoleStatus\.Held/g,
];

/** As above. */
const OF_RECOVERIES: readonly RegExp[] = [
  /^import .*\{(EIP712|ConsentSignature)\}.*\n/gm,
  /, EIP712\b/g,
  / EIP712\(.*\) /g,
  /^ *bytes32 digest = .*;\n/gm,
  /^ *if \(!ConsentSignature\..*;\n/gm,
];

/**
 * EmergencyAccess for the SMTChecker: its state in reach of a proof, without all that can only refuse, and without the count of quotas, of
 * which a claim by itself says that it leaves the terms alone. What holds of everything that this contract does holds of the real one,
 * which does less.
 *
 * @throws when the contract is no longer written as this expects.
 */
export const openedEmergencyAccess = (text: string): string =>
  opened("EmergencyAccess", OF_EMERGENCIES, text)
    // `_known` gives a slot, or refuses.
    .replace(/= _known\((.+), (.+)\);/g, "= _emergencies[$1][$2];");

/** VaultRecovery for the SMTChecker, in the same way: a veto is anybody's there. */
export const openedVaultRecovery = (text: string): string => opened("VaultRecovery", OF_RECOVERIES, text);

function opened(contract: string, leftOut: readonly RegExp[], text: string): string {
  for (const part of leftOut) {
    if (text.search(part) < 0) throw new Error(`${contract} has no ${part} to leave out for its proof`);
    text = text.replace(part, "");
  }
  return (
    text
      .replace(`contract ${contract}`, `abstract contract ${contract}`)
      // The checker goes on after an error of the contract's own, but not after `require`.
      .replace(/if \((.+)\) revert \w+\(.*\);/g, "require(!($1));")
      .replace(/\bprivate\b/g, "internal")
      .replace(/\) external\b/g, ") public")
  );
}
