// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @dev One caller who calls many times in a transaction: fills a contract with entries.
contract Crowd {
    using Address for address;

    function callEach(address target, bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; ++i) target.functionCall(calls[i]);
    }
}
