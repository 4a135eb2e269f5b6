// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @dev OpenZeppelin's AccessManager as it stands: only what the project's own files name can be deployed by name.
contract Authority is AccessManager {
    constructor(address admin) AccessManager(admin) {}
}
