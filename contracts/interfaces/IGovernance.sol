// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";

/// @title Governance: OpenZeppelin's AccessManager, deployed as OpenZeppelin built it
/// @notice Roles say who may accredit, enroll, suspend, resume, review and set quotas. What protects acts at once, what is dangerous waits and
/// can be cancelled meanwhile; docs/contracts.md has the table and `scripts/governance.ts` shows who holds what.
/// @dev ConsentRegistry, RecordAnchor and VaultRecovery know no authority: there is no role for consents, anchors, vaults or keys.
// solhint-disable-next-line no-empty-blocks
interface IGovernance is IAccessManager {}
