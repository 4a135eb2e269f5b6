/** Whatever runs other contracts' code, or nothing but the checks of who calls. */
const LEFT_OUT: readonly RegExp[] = [
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

/**
 * EmergencyAccess for the SMTChecker: its state in reach of a proof, without all that can only refuse, and without the count of quotas, of
 * which a claim by itself says that it leaves the terms alone. What holds of everything that this contract does holds of the real one,
 * which does less.
 *
 * @throws when the contract is no longer written as this expects.
 */
export function openedEmergencyAccess(text: string): string {
  let opened = text;
  for (const part of LEFT_OUT) {
    if (opened.search(part) < 0) throw new Error(`EmergencyAccess has no ${part} to leave out for its proof`);
    opened = opened.replace(part, "");
  }
  return (
    opened
      .replace("contract EmergencyAccess", "abstract contract EmergencyAccess")
      // `_known` gives a slot, or refuses.
      .replace(/= _known\((.+), (.+)\);/g, "= _emergencies[$1][$2];")
      // The checker goes on after an error of the contract's own, but not after `require`.
      .replace(/if \((.+)\) revert \w+\(.*\);/g, "require(!($1));")
      .replace(/\bprivate\b/g, "internal")
      .replace(/\) external\b/g, ") public")
  );
}
