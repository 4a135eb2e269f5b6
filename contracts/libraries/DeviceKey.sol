// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {IDeviceRegistry} from "../interfaces/IDeviceRegistry.sol";

/// @title Keys of devices: their ids and their signatures
library DeviceKey {
    /// @dev Fixed lengths throughout, so that no two devices give the same bytes.
    function idOf(IDeviceRegistry.Key memory key) internal pure returns (bytes32) {
        return sha256(bytes.concat("medseal/v1/device", hex"04", key.x, key.y));
    }

    /// @dev One record has one signature: exactly 64 bytes, and OpenZeppelin refuses a high s.
    function hasSigned(
        IDeviceRegistry.Key memory key,
        bytes32 digest,
        bytes calldata signature
    ) internal view returns (bool) {
        if (signature.length != 64) return false;
        return P256.verify(digest, bytes32(signature[:32]), bytes32(signature[32:]), key.x, key.y);
    }
}
