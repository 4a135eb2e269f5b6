// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @dev An authority without delays: who may call which function, and nothing else.
contract RoleTable {
    mapping(address caller => mapping(address target => mapping(bytes4 selector => bool allowed))) private _allowed;

    function allow(address caller, address target, bytes4 selector) external {
        _allowed[caller][target][selector] = true;
    }

    function canCall(address caller, address target, bytes4 selector) external view returns (bool, uint32) {
        return (_allowed[caller][target][selector], 0);
    }
}
